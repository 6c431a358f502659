"""The pictures that an image was made from."""
