"""What providers kept in their own records, for the time in which their webhooks did not reach us."""

import json
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from postroom.core.mail.types import Provider, ProviderFact, SenderProfile
from postroom.kit.errors import Unavailable
from postroom.kit.http import Bounds, Question, ask
from postroom.providers.esp.raw import Mailgun
from postroom.providers.esp.reports import mailgun_event, postmark_bounce
from postroom.providers.esp.vendor import basic, text_of, words_of
from postroom.providers.esp.vendors import Postmark

_MOST_PAGES: Final = 20_000
_MAX_BODY: Final = 16 * 1024 * 1024


def fetch_facts(
    profile: SenderProfile, since: datetime, until: datetime, internal: Collection[str]
) -> Iterator[ProviderFact]:
    """Yield what happened between two times by the provider's own records; nothing where it has none to ask for (or
    none that name our messages). Raises Unavailable.
    """
    bounds = Bounds(internal=tuple(internal), max_body=_MAX_BODY, deadline_s=60.0)
    if profile.provider is Provider.MAILGUN:
        yield from _mailgun(profile, since, until, bounds)
    if profile.provider is Provider.POSTMARK:
        yield from _postmark(profile, since, until, bounds)


def _mailgun(profile: SenderProfile, since: datetime, until: datetime, bounds: Bounds) -> Iterator[ProviderFact]:
    """GET /v3/{domain}/events, page by page until one is empty. The pages' addresses come in the answers, and must be
    of the same host: our key goes with them.
    """
    vendor = Mailgun(profile)
    headers = {"Authorization": basic("api", text_of(profile.credentials, "api_key"))}
    query = {"begin": since.timestamp(), "end": until.timestamp(), "ascending": "yes", "limit": 300}
    url = f"{vendor.base}v3/{quote(text_of(profile.config, 'domain'), safe='')}/events?{urlencode(query)}"
    for _ in range(_MOST_PAGES):
        said = _get(vendor.name, url, headers, bounds)
        for event in said["items"]:
            fact = mailgun_event(event)
            if fact is not None and fact.message_id:
                yield fact
        following = (said.get("paging") or {}).get("next") or ""
        if not said["items"] or not following:
            return
        if urlsplit(following).netloc != urlsplit(vendor.base).netloc:
            raise Unavailable("Mailgun's records go on at another host.", permanent=True)
        url = following
    raise Unavailable("Mailgun's records do not end.")


def _postmark(profile: SenderProfile, since: datetime, until: datetime, bounds: Bounds) -> Iterator[ProviderFact]:
    """GET /bounces tells what bounced, GET /messages/outbound which messages of ours those were."""
    vendor = Postmark(profile)
    headers = {"X-Postmark-Server-Token": text_of(profile.credentials, "server_token"), "Accept": "application/json"}
    eastern = timedelta(hours=-5)  # Postmark takes times without a zone as Eastern Time
    dates = {
        "fromdate": _plain(since + eastern - timedelta(hours=1)),
        "todate": _plain(until + eastern + timedelta(hours=1)),
    }
    bounces = list(_pages(vendor, "bounces", "Bounces", dates, headers, bounds))
    if not bounces:
        return
    sent = _pages(vendor, "messages/outbound", "Messages", {"todate": dates["todate"]}, headers, bounds)
    wanted = {bounce["MessageID"] for bounce in bounces}
    numbers: dict[str, str] = {}
    for message in sent:
        if message["MessageID"] in wanted:
            numbers[message["MessageID"]] = str((message.get("Metadata") or {}).get("postroom") or "")
        if len(numbers) == len(wanted):
            break
    for bounce in bounces:
        number = numbers.get(bounce["MessageID"], "")
        if number.isdigit():
            yield postmark_bounce(bounce, int(number))


def _pages(
    vendor: Postmark, path: str, name: str, query: dict[str, str], headers: dict[str, str], bounds: Bounds
) -> Iterator[Any]:
    """Postmark gives 500 at a time, and no more than 10,000 in all."""
    for offset in range(0, 10_000, 500):
        url = f"{vendor.base}{path}?{urlencode({**query, 'count': 500, 'offset': offset})}"
        found = _get(vendor.name, url, headers, bounds)[name]
        yield from found
        if len(found) < 500:
            return


def _get(name: str, url: str, headers: dict[str, str], bounds: Bounds) -> Any:
    reply = ask(Question("GET", url, headers), bounds)
    if reply.status != 200:
        raise Unavailable(f"{name} does not show its records: {words_of(reply)}", permanent=reply.status in (401, 403))
    try:
        return json.loads(reply.body)
    except ValueError as error:
        raise Unavailable(f"{name} shows its records in a form that cannot be read.") from error


def _plain(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S")
