"""Training a LoRA as a routine: ``run.py`` reads top to bottom, every other file holds one concern of it.

``noise`` and ``plan`` are pure: what happens in a step is a function of (order, step). ``examples`` turns pictures and
captions into latents and features, ``state`` holds what learns, ``checkpoint`` keeps it on the disk, ``scoring``
chooses, ``previews`` shows and ``export`` writes and proves the adapter.
"""
