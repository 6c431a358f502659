"""Further devices that learn with the one that leads (decision 0037): a child process for each.

``leader`` starts them and speaks with them, ``child`` is what runs in one, ``messages`` is what is said, and ``moving``
moves the buffers of numbers between them.
"""
