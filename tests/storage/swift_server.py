"""OpenStack Swift with its S3 API in one process: run by Debian's own Python, which has the package python3-swift.

``/usr/bin/python3 swift_server.py FOLDER BUCKET ACCESS_KEY SECRET_KEY`` prints the port of the S3 endpoint once the
bucket is there, and serves until it is ended. FOLDER must be on a file system with user extended attributes.
"""

import os
import sys
from array import array
from pathlib import Path

import eventlet
import eventlet.wsgi
from swift.common.ring import RingData
from swift.common.storage_policy import reload_storage_policies
from swift.common.swob import Request
from swift.common.wsgi import loadapp

eventlet.monkey_patch()

SHARED = """
[swift-hash]
swift_hash_path_suffix = linocut
[storage-policy:0]
name = only
default = yes
[swift-constraints]
"""
BACKEND = """
[DEFAULT]
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
fallocate_reserve = 0
[pipeline:main]
pipeline = server
[app:server]
use = egg:swift#{kind}
conn_timeout = {patience}
node_timeout = {patience}
container_update_timeout = {patience}
"""
PROXY = """
[DEFAULT]
swift_dir = {folder}
[pipeline:main]
pipeline = catch_errors listing_formats s3api tempauth slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
conn_timeout = {patience}
node_timeout = {patience}
error_suppression_limit = 1000000
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
dns_compliant_bucket_names = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = {secret} .admin
[filter:slo]
use = egg:swift#slo
"""
PATIENCE_SECONDS = 60
"""How long the servers in this one process wait for each other. Swift's own half a second for a connection is over when
many requests come at once on a busy machine; it then answers 503, puts off a listing's entry for a daemon that does not
run here, and after ten of these takes the only node it has for broken."""


class Forgetful:
    """Stands where Swift wants a memcached: remembers nothing."""

    def get(self, *_arguments, **_options):
        return None

    set = delete = incr = decr = get


def forgetting(inner):
    """An application that is given such a cache with each request."""
    return lambda environ, start: inner({**environ, "swift.cache": Forgetful()}, start)


def serve(application):
    """Serve an application on a port that the system picks; the port."""
    listening = eventlet.listen(("127.0.0.1", 0), backlog=256)
    eventlet.spawn(eventlet.wsgi.server, listening, application, log_output=False)
    return listening.getsockname()[1]


def application(folder, kind, text):
    """The application that a configuration describes."""
    conf = folder / f"{kind}.conf"
    conf.write_text(text)
    return loadapp(str(conf), global_conf={"log_name": kind})


def main():
    """See the module."""
    folder, (bucket, access_key, secret) = Path(sys.argv[1]), sys.argv[2:5]
    assert access_key == "test:tester", "tempauth's only user"
    (folder / "swift.conf").write_text(SHARED)
    (folder / "devices" / "one").mkdir(parents=True)
    from swift.common import utils

    utils.SWIFT_CONF_FILE = str(folder / "swift.conf")
    utils.validate_hash_conf()
    reload_storage_policies()
    for kind in ("account", "container", "object"):
        port = serve(application(folder, kind, BACKEND.format(folder=folder, kind=kind, patience=PATIENCE_SECONDS)))
        device = {"id": 0, "zone": 1, "region": 1, "weight": 1.0, "ip": "127.0.0.1", "port": port, "device": "one"}
        device |= {"replication_ip": "127.0.0.1", "replication_port": port, "meta": ""}
        RingData([array("H", [0] * 4)], [device], part_shift=30).save(str(folder / f"{kind}.ring.gz"))
    proxy = application(folder, "proxy", PROXY.format(folder=folder, secret=secret, patience=PATIENCE_SECONDS))
    allowed = {"swift.authorize_override": True, "swift.authorize": lambda _request: None}
    made = Request.blank(f"/v1/AUTH_test/{bucket}", environ={"REQUEST_METHOD": "PUT", **allowed}).get_response(proxy)
    assert made.status_int in (201, 202), (made.status, made.body)
    print(serve(forgetting(proxy)), flush=True)
    while os.getppid() != 1:
        eventlet.sleep(0.5)


main()
