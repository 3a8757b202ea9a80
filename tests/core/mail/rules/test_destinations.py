"""Reading the mailbox provider from an address."""

import pytest

from postroom.core.mail.rules.destinations import buckets_of, destination_of


@pytest.mark.parametrize(
    ("address", "destination"),
    [
        ("a@gmail.com", "google"),
        ("A@GoogleMail.com", "google"),
        ("a@hotmail.co.uk", "microsoft"),
        ("a@outlook.de", "microsoft"),
        ("a@live.nl", "microsoft"),
        ("a@msn.com", "microsoft"),
        ("a@yahoo.co.in", "yahoo"),
        ("a@yahoo.fr", "yahoo"),
        ("a@aol.com", "yahoo"),
        ("a@att.net", "yahoo"),
        ("a@me.com", "apple"),
        ("a@yahoo.co.jp", "other"),  # another company under a licensed name
        ("a@notgmail.com", "other"),
        ("a@gmail.com.example", "other"),
        ('"odd@gmail.com"@example.com', "other"),
        ("nonsense", "other"),
    ],
)
def test_the_domain_tells_the_provider(address: str, destination: str) -> None:
    assert destination_of(address) == destination


def test_what_is_known_of_a_domain_goes_before_what_its_name_says() -> None:
    known = {"shop.example": "google", "gmail.com": "gmail.com"}

    assert destination_of("a@shop.example", known) == "google"
    assert destination_of("a@gmail.com", known) == "gmail.com"
    assert destination_of("a@hotmail.com", known) == "microsoft"


def test_mail_to_a_domain_of_its_own_counts_for_its_provider_and_for_all() -> None:
    assert buckets_of("gmail.com") == ("gmail.com", "google", "")
    assert buckets_of("shop.example") == ("shop.example", "other", "")
    assert buckets_of("yahoo") == ("yahoo", "")
