"""Whether a client's copy is still good: If-None-Match against the ETag of what is there now."""


def has_it(if_none_match: str, etag: str) -> bool:
    """Whether the header names ``etag`` (weakly or not), or anything at all."""
    known = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in known or etag in known
