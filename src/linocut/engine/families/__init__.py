"""One file a family: the code that knows one architecture. ``family.py`` holds the protocol and the way in."""
