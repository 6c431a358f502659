"""The operations as straight-line generators: they yield the work they need and receive the result."""
