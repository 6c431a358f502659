"""Between the wire and the rooms below: requests into asks, results into answers with fresh links."""
