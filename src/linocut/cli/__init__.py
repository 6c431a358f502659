"""The command line: one verb a file. ``main.py`` puts them together; ``say.py`` is how every verb speaks."""
