"""DMARC as RFC 9989 reads it: the walk up the tree, the tags that stay and those that went."""

from collections.abc import Iterator

import pytest

from postroom.core.mail.rules.dmarc import effective_policy, is_aligned, read_policy, walk_tree
from postroom.providers.dns import Resolver
from tests.stand_ins.dns import Zone, serve_names


@pytest.fixture
def zone() -> Iterator[Zone]:
    with serve_names() as served:
        yield served


def ask(zone: Zone) -> Resolver:
    return Resolver([zone.address], answer_s=1.0)


def test_a_long_name_is_walked_from_its_last_seven_labels(zone: Zone) -> None:
    walk_tree("a.b.c.d.e.f.g.h.i.j.mail.example.com", ask(zone))
    assert [name for name, _ in zone.asked] == [
        "_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "_dmarc.g.h.i.j.mail.example.com",
        "_dmarc.h.i.j.mail.example.com",
        "_dmarc.i.j.mail.example.com",
        "_dmarc.j.mail.example.com",
        "_dmarc.mail.example.com",
        "_dmarc.example.com",
        "_dmarc.com",
    ]


def test_the_record_of_the_organization_covers_what_has_none(zone: Zone) -> None:
    zone.put("_dmarc.example.com", "TXT", "v=DMARC1; p=reject; sp=quarantine; np=reject")
    walk = walk_tree("news.example.com", ask(zone))
    assert walk.organization == "example.com"
    assert effective_policy(walk) == "quarantine"
    assert effective_policy(walk, exists=False) == "reject"
    assert effective_policy(walk_tree("example.com", ask(zone))) == "reject"


def test_the_highest_record_names_the_organization(zone: Zone) -> None:
    zone.put("_dmarc.example.com", "TXT", "v=DMARC1; p=none")
    zone.put("_dmarc.news.example.com", "TXT", "v=DMARC1; p=reject")
    walk = walk_tree("a.news.example.com", ask(zone))
    assert walk.organization == "example.com"
    assert walk.policy is not None
    assert walk.policy.domain == "example.com"


def test_psd_n_makes_an_organization_of_a_part(zone: Zone) -> None:
    zone.put("_dmarc.example.com", "TXT", "v=DMARC1; p=none")
    zone.put("_dmarc.unit.example.com", "TXT", "v=DMARC1; p=reject; psd=n")
    assert walk_tree("a.unit.example.com", ask(zone)).organization == "unit.example.com"
    assert not is_aligned("a.unit.example.com", "b.example.com", ask(zone), is_strict=False)
    assert is_aligned("a.unit.example.com", "unit.example.com", ask(zone), is_strict=False)


def test_below_a_public_suffix_the_next_label_is_the_organization(zone: Zone) -> None:
    zone.put("_dmarc.bank", "TXT", "v=DMARC1; p=reject; sp=quarantine; psd=y")
    walk = walk_tree("mail.giant.bank", ask(zone))
    assert walk.organization == "giant.bank"
    assert effective_policy(walk) == "quarantine"
    assert not is_aligned("giant.bank", "other.bank", ask(zone), is_strict=False)
    assert is_aligned("giant.bank", "mail.giant.bank", ask(zone), is_strict=False)


def test_without_any_record_every_domain_stands_for_itself(zone: Zone) -> None:
    walk = walk_tree("news.example.com", ask(zone))
    assert (walk.organization, walk.policy, effective_policy(walk)) == ("news.example.com", None, "")
    assert not is_aligned("news.example.com", "example.com", ask(zone), is_strict=False)


def test_strict_alignment_wants_the_same_name(zone: Zone) -> None:
    zone.put("_dmarc.example.com", "TXT", "v=DMARC1; p=none; adkim=s")
    assert is_aligned("news.example.com", "example.com", ask(zone), is_strict=False)
    assert not is_aligned("news.example.com", "example.com", ask(zone), is_strict=True)
    assert is_aligned("News.example.com", "news.example.com", ask(zone), is_strict=True)


def test_several_records_at_one_name_are_none(zone: Zone) -> None:
    zone.put("_dmarc.example.com", "TXT", "v=DMARC1; p=none", "v=DMARC1; p=reject")
    walk = walk_tree("example.com", ask(zone))
    assert walk.several_at == ("example.com",)
    assert walk.policy is None


def test_a_name_that_nobody_answers_for_leaves_the_walk_open(zone: Zone) -> None:
    zone.failing.add("_dmarc.example.com")
    assert not walk_tree("news.example.com", ask(zone)).is_complete


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("v=DMARC1; p=reject", "reject"),
        ("v=DMARC1;p=quarantine;", "quarantine"),
        ("v = DMARC1 ; p = NONE", "none"),
        ("v=DMARC1; pct=50; rf=afrf; ri=3600; p=reject; made-up=1", "reject"),
        ("v=DMARC1; p=rejekt; rua=mailto:r@example.com", "none"),
        ("v=DMARC1; rua=mailto:r@example.com", "none"),
        ("v=DMARC1", "none"),
        ("v=DMARC1; p=reject; sp=rejekt; rua=mailto:r@example.com", "none"),
        ("v=DMARC1; p=reject; np=rejekt", None),
        ("v=DMARC1; p=rejekt; rua=https://example.com", None),
        ("v=DMARC1; p=rejekt", None),
        ("v=dmarc1; p=reject", None),
        ("p=reject; v=DMARC1", None),
        ("v=DMARC2; p=reject", None),
        ("v=spf1 -all", None),
        ("", None),
    ],
)
def test_a_record_is_read_by_the_tags_that_count(text: str, policy: str | None) -> None:
    read = read_policy("example.com", text)
    assert (read.policy if read else None) == policy


def test_a_test_asks_for_one_step_less(zone: Zone) -> None:
    zone.put("_dmarc.example.com", "TXT", "v=DMARC1; p=reject; t=y")
    assert effective_policy(walk_tree("example.com", ask(zone))) == "quarantine"
    zone.put("_dmarc.example.com", "TXT", "v=DMARC1; p=none; t=y")
    assert effective_policy(walk_tree("example.com", ask(zone))) == "none"
