"""Captions of pictures (describe), of sentences (expand), of captions and wishes (edit): tried, measured, not shipped.

The base's own text tower has no context (its layers change nothing). So pictures are read through the frozen drawing
network, cell by cell (reader.py), and texts are written by a second small tower (writer.py). What came of it stands in
docs/log.md and benchmarks/mini/writing.md.
"""
