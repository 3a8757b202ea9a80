"""One spelling for one address."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from postroom.core.contacts.errors import BadAddress
from postroom.core.contacts.rules import addresses, normalise_email


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" ADA@Example.COM ", "ada@example.com"),
        ("o'brien+tag@example.com", "o'brien+tag@example.com"),
        ("josé@exämple.com", "josé@xn--exmple-cua.com"),
        ("jose\u0301@ex\u00e4mple.com", "josé@xn--exmple-cua.com"),
        ("a@XN--EXMPLE-CUA.com", "a@xn--exmple-cua.com"),
    ],
)
def test_variants_become_one(written: str, kept: str) -> None:
    assert normalise_email(written) == kept


@pytest.mark.parametrize(
    "written",
    [
        "",
        "@",
        "ada",
        "ada@",
        "@example.com",
        "ada@example",
        "ada@@example.com",
        "ada..b@example.com",
        ".ada@example.com",
        "ada@-example.com",
        "ada@exam_ple.com",
        "ada@example.com\r\nBcc: x@example.com",
        "a\0b@example.com",
        "a" * 65 + "@example.com",
        "a@" + ".".join(["b" * 60] * 5) + ".com",
        "Ada <ada@example.com>",
        "ada@localhost",
    ],
)
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(BadAddress):
        normalise_email(written)


def test_an_angle_address_is_read_only_where_asked_for() -> None:
    assert normalise_email("Quoted Name <Quoted@example.com>", accepts_angle=True) == "quoted@example.com"
    with pytest.raises(BadAddress):
        normalise_email("<a@example.com> <b@example.com>", accepts_angle=True)


@given(st.from_regex(r"[a-zA-Z0-9._+'-]{1,12}@[a-z0-9.äß-]{1,12}\.(com|example|test|x1)", fullmatch=True))
def test_the_quick_path_agrees_with_the_library_and_is_stable(address: str) -> None:
    try:
        found = validate_email(address.lower(), strict=True, check_deliverability=False)
    except EmailNotValidError:
        with pytest.raises(BadAddress):
            normalise_email(address)
    else:
        once = normalise_email(address)
        assert once == f"{found.local_part}@{found.ascii_domain}"
        assert normalise_email(once) == once


def test_an_address_without_end_is_refused_and_not_remembered() -> None:
    before = addresses._known_domain.cache_info().currsize
    for number in range(20):
        with pytest.raises(BadAddress, match="longer than 254"):
            normalise_email(f"a@{number}{'x' * 100_000}.com")
    assert addresses._known_domain.cache_info().currsize == before
