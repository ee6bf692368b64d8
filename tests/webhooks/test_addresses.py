from ipaddress import ip_address

import pytest

from webhooks.addresses import TargetAddressError, TargetError, check_url, is_permitted, is_public

PUBLIC, REFUSED = True, False

ADDRESSES = [  # address, verdict
    ("0.0.0.0", REFUSED),  # noqa: S104 -- an address to judge, not to bind
    ("0.1.2.3", REFUSED),
    ("1.1.1.1", PUBLIC),
    ("8.8.8.8", PUBLIC),
    ("9.255.255.255", PUBLIC),
    ("10.0.0.0", REFUSED),
    ("10.255.255.255", REFUSED),
    ("11.0.0.0", PUBLIC),
    ("100.63.255.255", PUBLIC),
    ("100.64.0.0", REFUSED),
    ("100.100.100.200", REFUSED),
    ("100.127.255.255", REFUSED),
    ("100.128.0.0", PUBLIC),
    ("126.255.255.255", PUBLIC),
    ("127.0.0.1", REFUSED),
    ("127.255.255.254", REFUSED),
    ("128.0.0.0", PUBLIC),
    ("168.63.129.16", REFUSED),
    ("168.63.129.17", PUBLIC),
    ("169.253.255.255", PUBLIC),
    ("169.254.0.1", REFUSED),
    ("169.254.169.254", REFUSED),
    ("169.254.170.2", REFUSED),
    ("172.15.255.255", PUBLIC),
    ("172.16.0.0", REFUSED),
    ("172.31.255.255", REFUSED),
    ("172.32.0.0", PUBLIC),
    ("192.0.0.9", REFUSED),
    ("192.0.0.192", REFUSED),
    ("192.0.1.0", PUBLIC),
    ("192.0.2.1", REFUSED),
    ("192.31.196.1", REFUSED),
    ("192.52.193.1", REFUSED),
    ("192.88.99.1", REFUSED),
    ("192.168.0.1", REFUSED),
    ("192.169.0.0", PUBLIC),
    ("192.175.48.1", REFUSED),
    ("198.17.255.255", PUBLIC),
    ("198.18.0.1", REFUSED),
    ("198.19.255.255", REFUSED),
    ("198.20.0.0", PUBLIC),
    ("198.51.100.7", REFUSED),
    ("203.0.113.7", REFUSED),
    ("223.255.255.255", PUBLIC),
    ("224.0.0.1", REFUSED),
    ("239.255.255.250", REFUSED),
    ("240.0.0.1", REFUSED),
    ("255.255.255.255", REFUSED),
    ("::", REFUSED),
    ("::1", REFUSED),
    ("::8.8.8.8", REFUSED),
    ("::ffff:8.8.8.8", REFUSED),
    ("::ffff:127.0.0.1", REFUSED),
    ("::ffff:0:8.8.8.8", REFUSED),
    ("64:ff9b::8.8.8.8", REFUSED),
    ("64:ff9b::a9fe:a9fe", REFUSED),
    ("64:ff9b:1::1", REFUSED),
    ("100::1", REFUSED),
    ("1fff::1", REFUSED),
    ("2000::1", PUBLIC),
    ("2001:0:4136:e378:8000:63bf:3fff:fdd2", REFUSED),
    ("2001:2::1", REFUSED),
    ("2001:10::1", REFUSED),
    ("2001:20::1", REFUSED),
    ("2001:30::1", REFUSED),
    ("2001:200::1", PUBLIC),
    ("2001:db7::1", PUBLIC),
    ("2001:db8::1", REFUSED),
    ("2001:4860:4860::8888", PUBLIC),
    ("2001:4860:4860::8888%eth0", REFUSED),
    ("2002:a00:1::1", REFUSED),
    ("2002:808:808::1", REFUSED),
    ("2003::1", PUBLIC),
    ("2606:4700::1111", PUBLIC),
    ("2620:4f:8000::1", REFUSED),
    ("2a00:1450::1", PUBLIC),
    ("3fff::1", REFUSED),
    ("3fff:1000::1", PUBLIC),
    ("4000::1", REFUSED),
    ("5f00::1", REFUSED),
    ("fc00::1", REFUSED),
    ("fd00:ec2::254", REFUSED),
    ("fe80::1", REFUSED),
    ("fe80::1%lo", REFUSED),
    ("fec0::1", REFUSED),
    ("ff02::1", REFUSED),
]


@pytest.mark.parametrize(("address", "verdict"), ADDRESSES)
def test_only_addresses_of_the_public_internet_are_public(address: str, verdict: bool) -> None:
    assert is_public(ip_address(address)) is verdict


@pytest.mark.parametrize(("address", "verdict"), ADDRESSES)
def test_outside_development_the_public_addresses_are_the_permitted_ones(
    address: str,
    verdict: bool,
) -> None:
    assert is_permitted(ip_address(address), development=False) is verdict


@pytest.mark.parametrize(("address", "verdict"), ADDRESSES)
def test_development_permits_loopback_and_relaxes_nothing_else(address: str, verdict: bool) -> None:
    is_loopback = address.startswith("127.") or address == "::1"
    assert is_permitted(ip_address(address), development=True) is (verdict or is_loopback)


ALWAYS_GOOD = [
    "https://example.com",
    "https://example.com/hook?token=a%20b",
    "HTTPS://EXAMPLE.COM/hook",
    "https://example.com:8443/hook",
    "https://example.com./hook",
    "https://hooks_1.example.com/",
    "https://bücher.example/grüße",
    "https://xn--bcher-kva.example/",
    "https://intranet/hook",
    "https://8.8.8.8/hook",
    "https://[2606:4700::1111]:444/hook",
    "https://example.com/" + "a" * 2028,
]

GOOD_IN_DEVELOPMENT = [
    "https://localhost/hook",
    "http://localhost:3000/hook",
    "http://LOCALHOST.:3000/hook",
    "http://acme.localhost:3000/hook",
    "http://127.0.0.1:3000/hook",
    "http://127.8.9.1:3000/hook",
    "http://[::1]:3000/hook",
]

MALFORMED = [  # url, part of the reason
    ("", "https://"),
    ("example.com/hook", "https://"),
    ("//example.com/hook", "https://"),
    ("javascript:alert(1)", "https://"),
    ("https://", "host"),
    ("https:///hook", "host"),
    ("https://./hook", "host"),
    ("http://example.com/hook", "https://"),
    ("http://8.8.8.8/hook", "https://"),
    ("ftp://example.com/hook", "https://"),
    ("ftp://localhost.example/hook", "https://"),
    ("https://user@example.com/", "user name"),
    ("https://user:secret@example.com/", "user name"),
    ("https://:secret@example.com/", "user name"),
    ("https://example.com/#part", "fragment"),
    ("https://example.com/#", "fragment"),
    ("https://example.com/" + "a" * 2029, "2048"),
    ("https://example.com/a b", "spaces"),
    ("https://example.com/\r\nHost: internal", "control"),
    (" https://example.com/", "spaces"),
    ("https://exam\x00ple.com/", "control"),
    ("https://example.com:99999/", "malformed"),
    ("https://example.com:port/", "malformed"),
    ("https://[::1/", "malformed"),
    ("https://example.com\\@10.0.0.1/", "malformed"),
    ("https://a..example.com/", "valid name"),
    ("https://%31%30.0.0.1/", "valid name"),
    ("https://-bad-.example.com/", "valid name"),
    (f"https://{'a' * 64}.example.com/", "valid name"),
    (f"https://{'a.' * 127}example/", "valid name"),
    ("https://example.com/\ud800", "control"),
]

REFUSED_HOSTS = [
    "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://0.0.0.0/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1%25eth0]/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://0x7f.0.0.0x1/",
    "https://00000177.0.0.1/",
    "https://[::127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[0:0:0:0:0:ffff:127.0.0.1]/",
    "https://[2002:7f00:1::1]/",
    "https://[64:ff9b::127.0.0.1]/",
    "https://100.64.0.1/",
    "https://100.100.100.200/",
    "https://168.63.129.16/",
    "https://192.0.0.192/",
    "https://127.0.0.0x1/",
    "https://１０.0.0.1/",  # noqa: RUF001 -- full-width digits become ASCII on the way to the socket
    "https://10。0。0。1/",
    "https://10.0.0.1./",
    "http://10.0.0.1/",
]


@pytest.mark.parametrize("url", ALWAYS_GOOD)
@pytest.mark.parametrize("development", [False, True])
def test_a_public_https_url_is_accepted(url: str, development: bool) -> None:
    check_url(url, development=development)


@pytest.mark.parametrize("url", GOOD_IN_DEVELOPMENT)
def test_this_machine_is_a_target_in_development(url: str) -> None:
    check_url(url, development=True)


@pytest.mark.parametrize("url", GOOD_IN_DEVELOPMENT)
def test_this_machine_is_no_target_outside_development(url: str) -> None:
    with pytest.raises(TargetAddressError, match="not a public address"):
        check_url(url, development=False)


@pytest.mark.parametrize(("url", "reason"), MALFORMED)
@pytest.mark.parametrize("development", [False, True])
def test_a_url_in_bad_form_is_refused_with_the_reason(
    url: str,
    reason: str,
    development: bool,
) -> None:
    with pytest.raises(TargetError, match=reason) as refusal:
        check_url(url, development=development)
    assert not isinstance(refusal.value, TargetAddressError)


@pytest.mark.parametrize("url", REFUSED_HOSTS)
@pytest.mark.parametrize("development", [False, True])
def test_a_private_address_in_any_notation_is_refused(url: str, development: bool) -> None:
    with pytest.raises(TargetAddressError, match="address"):
        check_url(url, development=development)
