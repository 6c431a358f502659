"""One meaning behind every generate route: check, resolve the model and the size, place the order."""
