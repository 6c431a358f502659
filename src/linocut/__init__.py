"""linocut: a self-hosted server that speaks the Ideogram HTTP API over open-weight image models."""

import os

__version__ = "0.1.0"

# onnxruntime reports its use to its maker, from its import on, unless this is set before. Nothing here calls home.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
