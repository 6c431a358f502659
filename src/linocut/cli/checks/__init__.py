"""What ``linocut doctor`` looks at, one function each, divided by what is looked at. A look changes nothing: no folder
is made, nothing migrated, and what is written to a bucket to try it out is deleted again."""

from linocut.cli.checks.finding import Finding
from linocut.cli.checks.machine import disk, libraries, port, python, threads, unused, variables
from linocut.cli.checks.models import base, remembered, safety, tools
from linocut.cli.checks.records import database, keys
from linocut.cli.checks.serving import key, proxy, server
from linocut.cli.checks.stored import blobs, storage

__all__ = [
    "Finding",
    "base",
    "blobs",
    "database",
    "disk",
    "key",
    "keys",
    "libraries",
    "port",
    "proxy",
    "python",
    "remembered",
    "safety",
    "server",
    "storage",
    "threads",
    "tools",
    "unused",
    "variables",
]
