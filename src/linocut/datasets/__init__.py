"""Datasets: pictures and captions in; an asset or a reason out; frozen samples for training.

The way in: ``service`` (the verbs). ``ingest`` takes files, ``zips`` and ``zip_names`` open archives,
``caption_files`` reads captions (``text_bytes`` and ``western`` their bytes), ``pairing`` says whose they are,
``adding`` stores a picture that the room ``pictures`` has decoded. ``looking`` asks for the report, ``report`` and
``findings`` make it.
"""
