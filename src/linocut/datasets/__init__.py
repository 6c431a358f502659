"""Datasets: pictures and captions in; an asset or a reason out; frozen samples for training.

The way in: ``service`` (the verbs). ``ingest`` takes files, ``sniff`` says what they are, ``zips`` opens archives,
``captions_in`` reads captions, ``decoder`` hands pictures to a process of their own (``decode_child``, ``pictures``).
"""
