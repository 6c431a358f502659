"""The status page: parts of the server and how they are (pure), incidents that an administrator writes."""
