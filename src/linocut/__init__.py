"""linocut: a self-hosted server that speaks the Ideogram HTTP API over open-weight image models."""

__version__ = "0.1.0"
