"""Make a bucket where there is none: make_bucket.py NAME, with the usual AWS_ variables. Python alone, nothing else.

The signature is AWS's version 4 (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
"""

import hashlib
import hmac
import os
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime
from urllib.parse import urlsplit

NOTHING = hashlib.sha256(b"").hexdigest()
SIGNED = "host;x-amz-content-sha256;x-amz-date"


def asked(method: str, url: str) -> int:
    """The status number of a signed request without a body. ``OSError`` when nobody answers."""
    where, now = urlsplit(url), datetime.now(UTC)
    moment = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": where.netloc, "x-amz-content-sha256": NOTHING, "x-amz-date": moment}
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = f"{method}\n{where.path}\n\n{lines}\n{SIGNED}\n{NOTHING}"
    scope = [moment[:8], os.environ.get("AWS_REGION") or "us-east-1", "s3", "aws4_request"]
    to_sign = "\n".join(
        ["AWS4-HMAC-SHA256", moment, "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()]
    )
    key = b"AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"].encode()
    for part in (*scope, to_sign):
        key = hmac.digest(key, part.encode(), "sha256")
    credential = "/".join([os.environ["AWS_ACCESS_KEY_ID"], *scope])
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={SIGNED}, Signature={key.hex()}"
    )
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method, headers=headers), timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def main() -> int:
    """The exit status: 0 once the bucket is there."""
    name = sys.argv[1]
    service = os.environ["AWS_ENDPOINT_URL"].rstrip("/")
    try:
        if asked("HEAD", f"{service}/{name}") == 200:
            print(f"the bucket {name} is there")
            return 0
        made = asked("PUT", f"{service}/{name}")
        if asked("HEAD", f"{service}/{name}") == 200:
            print(f"the bucket {name} is made")
            return 0
    except OSError as away:
        print(f"the bucket {name} cannot be made: {service} does not answer ({away})", file=sys.stderr)
        return 1
    print(f"the bucket {name} cannot be made: {service} answered {made}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
