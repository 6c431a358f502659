"""The machine: one process, one device, one resident base; everything else is a routine on it.

It speaks orders and knows no user, table, bucket or URL. Its door is ``engine.engine.Engine``: admit, step, cancel.
"""
