"""The HTTP API: routes where their URLs say, plain ASGI from the socket to the answer; imports no torch."""
