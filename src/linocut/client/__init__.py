"""The Python client: the wire over HTTP, nothing else. Answers are the wire's own JSON objects.

from linocut.client import Client
with Client(api_key, "http://127.0.0.1:8731") as client:
    dataset = client.create_dataset("posters")
"""

from linocut.client.client import Client
from linocut.client.datasets import sent_name

__all__ = ["Client", "sent_name"]
