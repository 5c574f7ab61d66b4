"""The judge of network addresses against the registries, and against what attackers write."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.core.network import Reach, check_host, is_loopback, verdict

NAMED = {
    Reach.PUBLIC: [
        *("8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.1"),
        *("223.255.255.255", "2606:4700::1", "2a00:1450::5", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"),
    ],
    Reach.LOOPBACK: ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "0:0:0:0:0:ffff:7f00:1"],
    Reach.PRIVATE: [
        *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.100.100.200", "198.18.0.1"),
        *("fd00:ec2::254", "fc00::1", "fec0::1", "::ffff:10.1.2.3", "64:ff9b::a00:1", "64:ff9b:1::808:808"),
        *("2002:c0a8:101::1", "::10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "::127.0.0.1"),
    ],
    Reach.LINK_LOCAL: [
        *("169.254.169.254", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"),
    ],
    Reach.SPECIAL: [
        *("0.0.0.0", "0.1.2.3", "192.0.0.1", "192.0.2.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "240.0.0.1"),
        *("255.255.255.255", "::", "ff02::1", "2001:db8::1", "3fff::1", "2001::1", "100::1", "4000::1", "::ffff:0:0"),
    ],
}
CASES = [(address, reach) for reach, addresses in NAMED.items() for address in addresses]


@pytest.mark.parametrize(("address", "reach"), CASES)
def test_each_address_reaches_what_its_registry_says(address: str, reach: Reach) -> None:
    assert verdict(address) is reach


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "127.0.0.1:80", "[::1]", "010.0.0.1"]
)
def test_what_is_no_canonical_address_is_never_let_through(text: str) -> None:
    with pytest.raises(ValueError):
        verdict(text)
    assert check_host(text, allow_loopback=True, allow_private=True) is not None


@pytest.mark.parametrize(("address", "reach"), CASES)
def test_only_what_was_unlocked_is_reached(address: str, reach: Reach) -> None:
    opened = {
        (False, False): {Reach.PUBLIC},
        (True, False): {Reach.PUBLIC, Reach.LOOPBACK},
        (False, True): {Reach.PUBLIC, Reach.LOOPBACK, Reach.PRIVATE},
    }
    for (loopback, private), reached in opened.items():
        reason = check_host(address, allow_loopback=loopback, allow_private=private)
        assert (reason is None) == (reach in reached)
        assert reason is None or str(reach) in reason


@given(st.integers(0, 2**32 - 1))
def test_no_spelling_of_an_ipv4_address_reaches_more_than_the_address(number: int) -> None:
    plain = verdict(str(IPv4Address(number)))
    assert verdict(str(IPv6Address(0xFFFF << 32 | number))) is plain
    for spelled in (0x64FF9B << 96 | number, 0xFFFF << 48 | number, 0x2002 << 112 | number << 80):
        assert (verdict(str(IPv6Address(spelled))) is Reach.PUBLIC) == (plain is Reach.PUBLIC)


@given(st.integers(0, 2**128 - 1) | st.integers(0, 2**32 - 1))
def test_nothing_is_public_that_python_knows_to_be_private(number: int) -> None:
    address = IPv4Address(number) if number < 2**32 else IPv6Address(number)
    if verdict(str(address)) is Reach.PUBLIC and not (address.version == 6 and number >> 112 == 0x2002):
        assert not address.is_private
        assert not address.is_multicast
        assert not address.is_link_local


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:1", True),
        ("http://localhost:5", True),
        ("http://[::ffff:127.0.0.1]", True),
        ("http://10.0.0.1", False),
        ("http://127.0.0.1.example.org", False),
        ("http://localhost.example.org", False),
        ("https://api.evolink.ai", False),
        ("http://0.0.0.0", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_and_nothing_that_looks_like_it(url: str, local: bool) -> None:
    assert is_loopback(url) is local
