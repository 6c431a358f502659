"""Pictures from strangers: what a file is, its pixels upright and in sRGB, or a sentence why it is not taken.

``intake`` is the way in for requests, ``decoder`` for datasets. Both hand files to a process of their own
(``decode_child``), which alone loads an imaging library: ``decoding`` and ``colours`` make pixels, ``masks`` reads
masks, ``measure`` looks at a dataset's pictures. ``sniff`` tells kinds by first bytes, ``types`` is what travels.
"""
