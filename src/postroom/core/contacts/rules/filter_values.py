"""Compiles what is known of a person about the thing a condition looks at, to be shown beside its answer."""

from typing import Final

from postroom.core.contacts import ports
from postroom.core.contacts.rules.filter_language import Condition, Kind
from postroom.core.contacts.rules.filter_links import Room, deeds, suppressions
from postroom.core.contacts.types import Deed, Sql

_TIED: Final = {
    Kind.TAG: "SELECT t.name FROM contacts_contacttag x JOIN contacts_tag t ON t.id = x.tag_id"
    " WHERE x.contact_id = c.id AND t.workspace_id = %s ORDER BY 1",
    Kind.LIST: "SELECT l.name || ': ' || x.status FROM contacts_listmember x JOIN contacts_list l ON l.id = x.list_id"
    " WHERE x.contact_id = c.id AND l.workspace_id = %s ORDER BY 1",
    Kind.ACCOUNT: "SELECT a.name FROM contacts_accountcontact x JOIN contacts_account a ON a.id = x.account_id"
    " WHERE x.contact_id = c.id AND a.workspace_id = %s ORDER BY 1",
    Kind.CONSENT: "SELECT g.name || ': ' || x.state FROM contacts_consent x"
    " JOIN contacts_category g ON g.id = x.category_id WHERE x.contact_id = c.id AND g.workspace_id = %s ORDER BY 1",
}


def value_sql(condition: Condition, room: Room) -> Sql:
    """Return an expression over ``c`` and ``w``: a text, a list of texts, or null where nothing is known.

    Of deeds it is the times that count, newest first, ten at most.
    """
    kind = condition.field.kind
    if kind in _TIED:
        return Sql(f"ARRAY({_TIED[kind]})", (room.workspace_id,))
    if kind is Kind.DEED:
        return _deeds(condition, room)
    return _own(condition, room)


def _own(condition: Condition, room: Room) -> Sql:
    kind = condition.field.kind
    if kind is Kind.SUPPRESSION:
        rows = suppressions(room).source
        return Sql(f"ARRAY(SELECT x.reason FROM {rows.text} AND x.address_hash = c.address_hash)", rows.params)  # noqa: S608 - made of constants
    if kind is Kind.STATUS:
        return Sql("w.status")
    if condition.field.is_custom:
        return Sql("c.custom->>%s", (condition.field.name,))
    if kind is Kind.INSTANT:
        return Sql(f"to_char(c.{condition.field.name} AT TIME ZONE %s, 'YYYY-MM-DD HH24:MI')", (room.timezone,))
    return Sql(f"c.{condition.field.name}::text")


def _deeds(condition: Condition, room: Room) -> Sql:
    at, rows = ports.deed_rows(Deed(condition.field.name)).at, deeds(condition, room).source
    shown = f"to_char({at} AT TIME ZONE %s, 'YYYY-MM-DD HH24:MI')"
    newest = f"SELECT {shown} FROM {rows.text} AND x.contact_id = c.id ORDER BY {at} DESC LIMIT 10"  # noqa: S608 - made of constants
    return Sql(f"ARRAY({newest})", (room.timezone, *rows.params))
