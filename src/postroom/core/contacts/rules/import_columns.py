"""Proposes where the columns of a file go: known headers by name, the rest as custom fields typed by a look at them."""

from collections.abc import Iterable, Sequence
from typing import Final

from postroom.core.contacts.rules.export_headers import CORE_HEADERS, STATE_HEADERS, read_custom_header
from postroom.core.contacts.rules.field_keys import field_key, slug_of
from postroom.core.contacts.rules.values import guess_type
from postroom.core.contacts.types import FieldSpec, NewField

CORE_TARGETS: Final = (*CORE_HEADERS, *STATE_HEADERS)
"""What a column may be mapped to besides ``custom.<key>``."""

# As Mailchimp, listmonk, HubSpot and address books write them, in English, German and French.
_SYNONYMS: Final = {
    "email": (
        *("email", "e_mail", "mail", "email_address", "e_mail_address", "mail_address", "e_mail_adresse"),
        *("emailadresse", "email_adresse", "mailadresse", "adresse_e_mail", "adresse_email", "courriel"),
        *("adresse_mail", "e_mail_1_value", "subscriber_email", "contact_email"),
    ),
    "first_name": (
        *("first_name", "firstname", "given_name", "forename", "fname", "first", "vorname", "rufname"),
        *("prenom", "nombre"),
    ),
    "last_name": (
        *("last_name", "lastname", "surname", "family_name", "lname", "last", "nachname", "familienname"),
        *("nom", "nom_de_famille", "apellido", "apellidos"),
    ),
    "company": (
        *("company", "organisation", "organization", "company_name", "employer", "firma", "unternehmen"),
        *("firmenname", "societe", "entreprise", "organization_name", "organization_1_name"),
    ),
    "phone": (
        *("phone", "phone_number", "telephone", "mobile", "mobile_phone", "tel", "mobile_phone_number"),
        *("telefon", "telefonnummer", "handy", "mobil", "mobiltelefon", "numero_de_telephone", "portable"),
        "phone_1_value",
    ),
    "language": ("language", "lang", "locale", "preferred_language", "sprache", "langue"),
    "timezone": ("timezone", "time_zone", "tz", "zeitzone", "fuseau_horaire"),
    "tags": ("tags", "tag", "labels", "schlagworte", "schlagwort", "etiquettes"),
}
# What a file of ours says of a person's standing is understood under our own names alone: other tools mean other things
# by these words. Their "unsubscribed" or "lists" is for a person to map.
_OURS: Final = ("suppressed", "suppression_detail", "opted_out", "consents")
# A whole name, or the family's beside a column of first names.
_NAMES: Final = frozenset({"name", "full_name", "fullname", "your_name", "nom_complet"})
_TARGETS: Final = {synonym: target for target, synonyms in _SYNONYMS.items() for synonym in synonyms}


def suggest_mapping(headers: Sequence[str], fields: Iterable[FieldSpec] = ()) -> dict[str, str]:
    """Return a target for each header; no two headers share one."""
    known = {slug_of(name): field.key for field in fields for name in (field.label, field.key)}
    slugs = {header: slug_of(header) for header in headers}
    states = STATE_HEADERS if _is_ours(headers) else ()
    named = {_TARGETS.get(slug) for slug in slugs.values()} & {"first_name", "last_name"}
    mapping: dict[str, str] = {}
    for header, slug in slugs.items():
        target = _target_of(header, known, states)
        if slug in _NAMES and slug not in known and "last_name" not in named:
            target = "last_name" if named else "first_name"
        if target not in mapping.values():
            mapping[header] = target
    return mapping


def suggest_fields(
    mapping: dict[str, str], headers: Sequence[str], rows: Sequence[Sequence[str]], known_keys: Iterable[str]
) -> tuple[NewField, ...]:
    """Return the fields that ``mapping`` names and nobody has defined yet, typed by what ``rows`` hold.

    A header of an exported file says the type itself.
    """
    known = set(known_keys)
    found: dict[str, NewField] = {}
    for header, target in mapping.items():
        key = target.removeprefix("custom.")
        if key == target or key in known or header not in headers:
            continue
        column = headers.index(header)
        values = [row[column] for row in rows if column < len(row)]
        written = read_custom_header(header) if ":" in header else None
        type_ = written.type if written else guess_type(values)
        found.setdefault(key, NewField(label=written.label if written else header, key=key, type=type_))
    return tuple(found.values())


def _is_ours(headers: Sequence[str]) -> bool:
    """Whether a file was exported from here: nobody else has all of these columns."""
    return set(_OURS) <= set(headers)


def _target_of(header: str, known: dict[str, str], states: Sequence[str]) -> str:
    if header in states:
        return header
    if written := read_custom_header(header):
        return f"custom.{written.key}"
    slug = slug_of(header)
    return _TARGETS.get(slug) or f"custom.{known.get(slug) or field_key(header)}"
