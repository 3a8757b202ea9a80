"""Everything that happens by the clock or at a word, in one place; each step is safe in several workers at once."""

from datetime import datetime
from typing import Final

from django.conf import settings

from postroom.core.campaigns import services as campaigns
from postroom.core.contacts import services as contacts
from postroom.core.events import services as events
from postroom.core.events.types import NOTIFY_EVENTS
from postroom.core.mail import services as mail
from postroom.core.mail.types import NOTIFY_HITS
from postroom.core.webhooks import services as webhooks
from postroom.providers.esp import EspReports
from postroom.workers.registry import every
from postroom.workers.rescue import forget_old_jobs

EVENTS_AT_ONCE: Final = 500
HITS_AT_ONCE: Final = 2000
DELIVERIES_AT_ONCE: Final = 500
TALLIES_AT_ONCE: Final = 5000
HOUR_S: Final = 3600.0
DAY_S: Final = 86_400.0


@every(1.0, wakes_on=NOTIFY_HITS)
def apply_hits(now: datetime) -> bool:
    """Make facts of stored opens, clicks, bounces and the like."""
    return mail.apply_hits(now=now, limit=HITS_AT_ONCE) == HITS_AT_ONCE


@every(1.0)
def read_deliveries(now: datetime) -> bool:
    """Make of providers' webhooks what they say."""
    return mail.read_deliveries(reader=_reports(), now=now, limit=DELIVERIES_AT_ONCE) == DELIVERIES_AT_ONCE


@every(60.0)
def fetch_missed_reports(now: datetime) -> bool:
    """Ask providers' own records for what their webhooks did not bring."""
    return mail.fetch_missed(reader=_reports(), now=now)


@every(2.0, wakes_on=NOTIFY_EVENTS)
def dispatch_events(now: datetime) -> bool:
    """Tell domain events to their subscribers."""
    return events.dispatch_events(now=now, limit=EVENTS_AT_ONCE) == EVENTS_AT_ONCE


@every(5.0)
def start_due_campaigns(now: datetime) -> bool:
    """Start what was scheduled for now."""
    campaigns.start_due_campaigns(now=now)
    return False


@every(5.0)
def run_due_recurrences(now: datetime) -> bool:
    """Send what repeats, when its time has come."""
    campaigns.run_due_recurrences(now=now)
    return False


@every(10.0)
def decide_due_trials(now: datetime) -> bool:
    """Choose the winners of variants that were tried out."""
    campaigns.decide_due_trials(now=now)
    return False


@every(30.0)
def check_due_domains(now: datetime) -> bool:
    """Have the records of domains looked up whose time has come."""
    mail.defer_due_checks(now=now)
    return False


@every(10 * 60.0)
def grow_warm_ups(now: datetime) -> bool:
    """Let new accounts send a little more when a new day has begun for them."""
    mail.grow_warm_ups(now=now)
    return False


@every(HOUR_S)
def ensure_partitions(now: datetime) -> bool:
    """Make the tables of the months to come."""
    mail.ensure_partitions(now=now)
    return False


@every(HOUR_S)
def forget_deliveries(now: datetime) -> bool:
    """Delete providers' webhooks that were read, and those that nobody replayed, some at once."""
    return mail.forget_deliveries(now=now) > 0


@every(HOUR_S)
def forget_acceptances(now: datetime) -> bool:
    """Delete idempotency keys that have had their day."""
    mail.forget_acceptances(now=now)
    return False


@every(HOUR_S)
def forget_webhook_calls(now: datetime) -> bool:
    """Delete calls of webhooks that are past their time, some at once."""
    return webhooks.forget_calls(now=now) > 0


@every(HOUR_S)
def forget_notices(now: datetime) -> bool:
    """Delete the marks of notices that no longer count against the next."""
    mail.forget_notices(now=now)
    return False


@every(10.0)
def fold_tallies(now: datetime) -> bool:
    """Add up the counts that the ledger appended, more at once while there are many."""
    return mail.fold_tallies(limit=TALLIES_AT_ONCE) >= TALLIES_AT_ONCE


@every(HOUR_S)
def forget_transcripts(now: datetime) -> bool:
    """Delete what was said on the wire once it is past its time, some at once."""
    return mail.forget_transcripts(now=now) > 0


@every(HOUR_S)
def forget_old_mail(now: datetime) -> bool:
    """Delete raw mail that is past its time, some at once."""
    return mail.forget_old_mail(now=now) > 0


@every(HOUR_S)
def forget_old_bulk(now: datetime) -> bool:
    """Delete what undoes bulk changes long past, and their records."""
    contacts.forget_old_bulk(now=now)
    return False


@every(HOUR_S)
def forget_staged_uploads(now: datetime) -> bool:
    """Delete uploads that nobody went on with."""
    contacts.forget_staged_uploads(now=now)
    return False


@every(HOUR_S)
def forget_served_files(now: datetime) -> bool:
    """Delete files of imports that have ended, left by a crash."""
    contacts.forget_served_files(now=now)
    return False


@every(HOUR_S)
def forget_import_errors(now: datetime) -> bool:
    """Delete rows that imports refused long ago, some at once."""
    return contacts.forget_import_errors(now=now) > 0


@every(HOUR_S)
def forget_jobs(now: datetime) -> bool:
    """Delete the records of jobs that ended long ago."""
    forget_old_jobs()
    return False


@every(HOUR_S)
def forget_old_exports(now: datetime) -> bool:
    """Delete exported files that are past their time."""
    return contacts.forget_old_exports(now=now) > 0


@every(HOUR_S)
def forget_privacy_requests(now: datetime) -> bool:
    """Delete requests about one's own data that are past their time."""
    contacts.forget_privacy_requests(now=now)
    return False


@every(HOUR_S)
def measure_segments(now: datetime) -> bool:
    """Count whom segments find, each once a day, some at once."""
    return contacts.measure_due_segments(now=now) > 0


@every(DAY_S)
def remove_loose_ends(now: datetime) -> bool:
    """Delete join rows that lost an end."""
    contacts.remove_loose_ends()
    return False


def _reports() -> EspReports:
    return EspReports(settings.INTERNAL_HTTP_HOSTS)
