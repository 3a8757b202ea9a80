"""Reads of mail: accounts, templates, the ledger and its counts, the sandbox."""

from postroom.core.mail.selectors.accounts import AccountState, get_account_state, list_account_states
from postroom.core.mail.selectors.addressees import Addressee, find_addressee, find_workspaces
from postroom.core.mail.selectors.attached import AttachedPart, get_attached_file, list_attached
from postroom.core.mail.selectors.batches import (
    count_batch,
    count_batch_by,
    count_batches,
    count_soft_bounces,
    sum_by_content,
    sum_by_destination,
)
from postroom.core.mail.selectors.brakes import load_levels
from postroom.core.mail.selectors.chunks import count_done, count_waiting, is_sample_open
from postroom.core.mail.selectors.claims import HeldClaims, list_held_claims
from postroom.core.mail.selectors.contents import load_compiled_content, load_from, show_message, show_messages
from postroom.core.mail.selectors.daily import Counts, count_days, count_ever
from postroom.core.mail.selectors.domains import (
    RecordState,
    dns_records,
    get_domain,
    get_domain_by_id,
    list_domain_changes,
    list_domain_senders,
    list_domains,
    list_keys,
    list_record_states,
    map_record_states,
    rotation_due_at,
    state_of,
)
from postroom.core.mail.selectors.events import list_message_events
from postroom.core.mail.selectors.handed_over import HandOver, list_hand_overs
from postroom.core.mail.selectors.health import measure_health
from postroom.core.mail.selectors.limits import (
    get_limit,
    goes_by_recipients,
    known_destinations,
    list_limits,
    list_limits_of,
    terms_of,
)
from postroom.core.mail.selectors.links import find_link
from postroom.core.mail.selectors.mailings import Mailing, find_mailing
from postroom.core.mail.selectors.messages import (
    find_latest_submitted,
    foresee,
    get_message,
    has_messages,
)
from postroom.core.mail.selectors.notices import preview_confirmation
from postroom.core.mail.selectors.outgoing import from_domain, get_outgoing, is_scheduled, list_outgoing, map_domains
from postroom.core.mail.selectors.plans import (
    count_today,
    find_warm_up,
    forecast_batch,
    forecast_sending,
    list_warm_up_days,
    plan_of,
)
from postroom.core.mail.selectors.preflight import check_bulk
from postroom.core.mail.selectors.provider_events import (
    count_parked_events,
    find_webhook_account,
    get_provider_contact,
    is_webhook_password,
    list_parked_events,
    webhook_urls,
)
from postroom.core.mail.selectors.rests import list_rests
from postroom.core.mail.selectors.sandbox import (
    OpenedMail,
    find_sandbox_copy,
    get_sandbox_mail,
    iter_sandbox_mails,
    list_sandbox_mails,
    read_header_block,
)
from postroom.core.mail.selectors.searches import (
    FoundCount,
    FoundMessages,
    count_found,
    iter_found,
    search_messages,
    subject_of,
)
from postroom.core.mail.selectors.senders import get_sender, list_senders, load_sender_profile
from postroom.core.mail.selectors.stops import find_stop, is_installation_stopped, is_quiet
from postroom.core.mail.selectors.templates import (
    get_template,
    get_template_by_uid,
    list_variables,
    page_templates,
    preview_template,
    template_composition,
)
from postroom.core.mail.selectors.transcripts import find_transcript
from postroom.core.mail.selectors.unmoved import count_unmoved_domains, count_unmoved_zones

__all__ = [
    "AccountState",
    "Addressee",
    "AttachedPart",
    "Counts",
    "FoundCount",
    "FoundMessages",
    "HandOver",
    "HeldClaims",
    "Mailing",
    "OpenedMail",
    "RecordState",
    "check_bulk",
    "count_batch",
    "count_batch_by",
    "count_batches",
    "count_days",
    "count_done",
    "count_ever",
    "count_found",
    "count_parked_events",
    "count_soft_bounces",
    "count_today",
    "count_unmoved_domains",
    "count_unmoved_zones",
    "count_waiting",
    "dns_records",
    "find_addressee",
    "find_latest_submitted",
    "find_link",
    "find_mailing",
    "find_sandbox_copy",
    "find_stop",
    "find_transcript",
    "find_warm_up",
    "find_webhook_account",
    "find_workspaces",
    "forecast_batch",
    "forecast_sending",
    "foresee",
    "from_domain",
    "get_account_state",
    "get_attached_file",
    "get_domain",
    "get_domain_by_id",
    "get_limit",
    "get_message",
    "get_outgoing",
    "get_provider_contact",
    "get_sandbox_mail",
    "get_sender",
    "get_template",
    "get_template_by_uid",
    "goes_by_recipients",
    "has_messages",
    "is_installation_stopped",
    "is_quiet",
    "is_sample_open",
    "is_scheduled",
    "is_webhook_password",
    "iter_found",
    "iter_sandbox_mails",
    "known_destinations",
    "list_account_states",
    "list_attached",
    "list_domain_changes",
    "list_domain_senders",
    "list_domains",
    "list_hand_overs",
    "list_held_claims",
    "list_keys",
    "list_limits",
    "list_limits_of",
    "list_message_events",
    "list_outgoing",
    "list_parked_events",
    "list_record_states",
    "list_rests",
    "list_sandbox_mails",
    "list_senders",
    "list_variables",
    "list_warm_up_days",
    "load_compiled_content",
    "load_from",
    "load_levels",
    "load_sender_profile",
    "map_domains",
    "map_record_states",
    "measure_health",
    "page_templates",
    "plan_of",
    "preview_confirmation",
    "preview_template",
    "read_header_block",
    "rotation_due_at",
    "search_messages",
    "show_message",
    "show_messages",
    "state_of",
    "subject_of",
    "sum_by_content",
    "sum_by_destination",
    "template_composition",
    "terms_of",
    "webhook_urls",
]
