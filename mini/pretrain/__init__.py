"""How the embedded base `mini` is made: drawing, captions, tokenizer, autoencoder, transformer, export.

Run `python -m pretrain --help`. Nothing here is imported by the server.
"""
