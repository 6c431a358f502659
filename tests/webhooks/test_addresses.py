"""Where a webhook may lead: the public internet, and what the operator has named, however an address is spelled."""

import asyncio
from ipaddress import ip_address

import pytest

from linocut.errors import InvalidRequest
from linocut.settings import Settings, hosts_in
from linocut.webhooks.addresses import all_allowed, is_public
from linocut.webhooks.targets import Refused, Target, addresses_of, looked_up, target_of

NOBODY = hosts_in("")


@pytest.mark.parametrize("address", [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.1",
    "127.255.255.254", "169.254.169.254", "169.254.0.1", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::8.8.8.8", "64:ff9b::7f00:1", 
    "64:ff9b::808:808",
    "64:ff9b:1::1", "100::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "ff0e::1", "2001::1",
    "2001:db8::1", "2002:7f00:1::", "2002:808:808::", "3fff::1", "4000::1", "5f00::1",
])  # fmt: skip
def test_these_addresses_are_nobody_s_to_be_led_to(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.255.255.255", "128.0.0.1",
    "169.253.255.255", "169.255.0.1", "172.15.255.255", "172.32.0.1", "192.0.1.1", "192.167.255.255", "192.169.0.1",
    "198.17.255.255", "198.20.0.1", "223.255.255.255", "168.63.129.15", "168.63.129.17",
    "2606:4700:4700::1111", "2001:4860:4860::8888", "2003::1", "2a00:1450::1",
])  # fmt: skip
def test_their_neighbours_are_public(address: str) -> None:
    assert is_public(ip_address(address))


def test_what_the_operator_names_is_allowed_and_one_bad_address_of_many_is_enough() -> None:
    public, private = ip_address("8.8.8.8"), ip_address("10.1.2.3")
    assert all_allowed("a.example.org", [public], NOBODY)
    assert not all_allowed("a.example.org", [private], NOBODY)
    assert not all_allowed("a.example.org", [public, private], NOBODY)
    hosts = hosts_in("Hooks.Example.org, 10.1.0.0/16, [fd00::1]")
    assert all_allowed("hooks.example.ORG", [private], hosts)
    assert all_allowed("a.example.org", [public, private, ip_address("fd00::1")], hosts)
    assert not all_allowed("x.hooks.example.org", [ip_address("10.2.0.1")], hosts)


@pytest.mark.parametrize("text", ["https://x.org", "x.org:443", "*.x.org", "10.0.0.300", "10.0.0.0/33", "-", "a b"])
def test_a_list_of_hosts_that_is_none_ends_the_start_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="LINOCUT_WEBHOOK_HOSTS has"):
        Settings(webhook_hosts=text)


@pytest.mark.parametrize(("url", "words"), [
    ("", "must begin with https://"),
    ("hooks.example.org", "must begin with https://"),
    ("http://hooks.example.org/x", "must begin with https://"),
    ("ftp://hooks.example.org/x", "must begin with https://"),
    ("https://user@hooks.example.org/", "must not hold a name or a password"),
    ("https://user:secret@hooks.example.org/", "must not hold a name or a password"),
    ("https://good.org@10.0.0.1/", "must not hold a name or a password"),
    ("https://hooks.example.org/#a", "fragment"),
    ("https://", "is not a URL"),
    ("https:///path", "is not a URL"),
    ("https://hooks.example.org:0/", "is not a URL"),
    ("https://hooks.example.org:65536/", "is not a URL"),
    ("https://hooks.example.org:x/", "is not a URL"),
    ("https://hooks.example.org\\@10.0.0.1/", "must not hold a name or a password"),
    ("https://hooks.example.org\\.evil/", "is not a URL"),
    ("https://hooks.example.org/a b", "is not a URL"),
    ("https://hooks.example.org/\r\nX: y", "is not a URL"),
    ("https://hooks.example.org./", "is not a URL"),
    ("https://a..b/", "is not a URL"),
    ("https://[fe80::1%25eth0]/", "is not a URL"),
    ("https://[127.0.0.1]/", "is not a URL"),
    ("https://bücher.example/", "is not a URL"),
    (f"https://hooks.example.org/{'x' * 2023}", "has 2049 characters"),
])  # fmt: skip
def test_what_is_no_https_url_is_refused_with_a_sentence(url: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match="webhook_url") as told:
        target_of(url)
    assert words in told.value.message


@pytest.mark.parametrize(("url", "target", "netloc"), [
    ("https://hooks.example.org", Target("hooks.example.org", 443, "/"), "hooks.example.org"),
    ("HTTPS://Hooks.example.org:8443/a/b?c=d%20e&f=@", Target("Hooks.example.org", 8443, "/a/b?c=d%20e&f=@"),
     "Hooks.example.org:8443"),
    ("https://hooks.example.org?x=1", Target("hooks.example.org", 443, "/?x=1"), "hooks.example.org"),
    ("https://[2606:4700::1]:1/", Target("2606:4700::1", 1, "/"), "[2606:4700::1]:1"),
    (f"https://a.example.org/{'x' * 2024}", Target("a.example.org", 443, f"/{'x' * 2024}"), "a.example.org"),
])  # fmt: skip
def test_a_url_is_taken_apart_once(url: str, target: Target, netloc: str) -> None:
    assert target_of(url) == target
    assert target.netloc == netloc


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "::1", "0"])
def test_however_an_address_of_one_s_own_is_spelled_it_is_refused(host: str) -> None:
    """By the system's own resolver, which knows more spellings than we do; a spelling that it does not know is none."""
    with pytest.raises(Refused, match=r"private, local|no address"):
        asyncio.run(addresses_of(Target(host, 443, "/"), NOBODY, 5.0))


def test_a_name_is_looked_up_and_each_of_its_addresses_counts() -> None:
    def found(*addresses: str) -> list[str]:
        return asyncio.run(addresses_of(Target("x.org", 1, "/"), NOBODY, 5.0, lambda host, port: addresses))

    assert found("8.8.8.8", "2606:4700::1") == ["8.8.8.8", "2606:4700::1"]
    for bad in (("8.8.8.8", "10.0.0.1"), ("fe80::1%eth0",), ("::ffff:10.0.0.1",)):
        with pytest.raises(Refused, match="private, local"):
            found(*bad)
    with pytest.raises(Refused, match="no address"):
        found()


def test_a_resolver_that_hangs_holds_nobody_up() -> None:
    import threading

    hanging = threading.Event()

    def hang(host: str, port: int) -> list[str]:
        hanging.wait(30)
        return []

    async def both() -> list[str]:
        with pytest.raises(Refused, match=r"within 0\.05 seconds"):
            await addresses_of(Target("slow.org", 1, "/"), NOBODY, 0.05, hang)
        return await addresses_of(Target("x.org", 1, "/"), NOBODY, 5.0, lambda host, port: ["8.8.8.8"])

    assert asyncio.run(both()) == ["8.8.8.8"]
    hanging.set()


def test_the_system_s_resolver_is_asked() -> None:
    assert looked_up("127.0.0.1", 443) == ["127.0.0.1"]
