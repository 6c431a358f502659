"""Jobs: the only thing that crosses from the API to a worker; leased and fenced, never lost, never doubled."""
