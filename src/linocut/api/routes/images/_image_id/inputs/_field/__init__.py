"""By the field of the request, then by their place in it."""
