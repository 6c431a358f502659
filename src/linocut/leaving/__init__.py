"""People who leave: an organisation's data as an archive; users and organisations removed, after a while to think."""
