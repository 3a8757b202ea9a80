"""Writes of mail: accounts and contents, acceptance, bulk hand-overs, claims of the sender, and what comes back."""

from postroom.core.mail.services.accept import accept_messages
from postroom.core.mail.services.acceptances import forget_acceptances
from postroom.core.mail.services.batches import (
    cancel_batch,
    create_batch,
    pause_batch,
    reopen_batch,
    resume_batch,
    shut_batch,
)
from postroom.core.mail.services.brakes import check_brakes, set_brake_levels
from postroom.core.mail.services.carriers import choose_relay, ensure_carried_sender
from postroom.core.mail.services.claims import claim_work
from postroom.core.mail.services.contents import freeze_content
from postroom.core.mail.services.domain_checks import check_domain, defer_due_checks
from postroom.core.mail.services.domains import (
    create_domain,
    delete_domain,
    drop_next_keys,
    rotate_keys,
    update_domain,
    want_check,
)
from postroom.core.mail.services.facts import apply_hits
from postroom.core.mail.services.freezing import freeze_audience, release_held
from postroom.core.mail.services.froms import choose_sender
from postroom.core.mail.services.grants import return_grants
from postroom.core.mail.services.groups import submit_group
from postroom.core.mail.services.hits import COPY_HITS, hit_line, store_hits
from postroom.core.mail.services.inbound import read_inbound, store_inbound
from postroom.core.mail.services.limit_terms import remove_limit, set_limit
from postroom.core.mail.services.limits import return_allowance
from postroom.core.mail.services.merges import move_mail
from postroom.core.mail.services.messages import (
    cancel_message,
    cancel_scheduled,
    export_messages,
    reschedule_message,
    retry_message,
    suppress_recipient,
)
from postroom.core.mail.services.notices import check_own_from, forget_notices, send_notice, send_own_letter
from postroom.core.mail.services.owners import forget_sender, note_sender
from postroom.core.mail.services.partitions import ensure_partitions
from postroom.core.mail.services.plans import end_warm_up, grow_warm_ups, start_warm_up
from postroom.core.mail.services.provider_events import (
    fetch_missed,
    forget_deliveries,
    read_deliveries,
    replay_event,
    store_deliveries,
)
from postroom.core.mail.services.retention import forget_old_mail
from postroom.core.mail.services.sample_mails import send_domain_test, send_sender_test
from postroom.core.mail.services.sandbox import make_sandbox_answers, store_sandbox_mails
from postroom.core.mail.services.senders import (
    create_sender,
    delete_sender,
    ensure_sandbox_sender,
    first_sender,
    switch_sender,
    update_sender,
)
from postroom.core.mail.services.settling import (
    abandon_claims,
    finish_chunk,
    finish_messages,
    put_back_unknown,
    recover_claims,
)
from postroom.core.mail.services.standing import check_claims, report_sender_failure, report_sender_success
from postroom.core.mail.services.stops import (
    resume_installation,
    resume_workspace,
    stop_installation,
    stop_workspace,
)
from postroom.core.mail.services.submit import submit_messages, submit_requests
from postroom.core.mail.services.tallies import fold_tallies, recount_batch
from postroom.core.mail.services.templates import (
    create_template,
    delete_template,
    duplicate_template,
    send_template_test,
    update_template,
)
from postroom.core.mail.services.transcripts import forget_transcripts
from postroom.core.mail.services.unsubscribe import unsubscribe_message
from postroom.core.mail.services.verification import keep_verifying, want_verification

__all__ = [
    "COPY_HITS",
    "abandon_claims",
    "accept_messages",
    "apply_hits",
    "cancel_batch",
    "cancel_message",
    "cancel_scheduled",
    "check_brakes",
    "check_claims",
    "check_domain",
    "check_own_from",
    "choose_relay",
    "choose_sender",
    "claim_work",
    "create_batch",
    "create_domain",
    "create_sender",
    "create_template",
    "defer_due_checks",
    "delete_domain",
    "delete_sender",
    "delete_template",
    "drop_next_keys",
    "duplicate_template",
    "end_warm_up",
    "ensure_carried_sender",
    "ensure_partitions",
    "ensure_sandbox_sender",
    "export_messages",
    "fetch_missed",
    "finish_chunk",
    "finish_messages",
    "first_sender",
    "fold_tallies",
    "forget_acceptances",
    "forget_deliveries",
    "forget_notices",
    "forget_old_mail",
    "forget_sender",
    "forget_transcripts",
    "freeze_audience",
    "freeze_content",
    "grow_warm_ups",
    "hit_line",
    "keep_verifying",
    "make_sandbox_answers",
    "move_mail",
    "note_sender",
    "pause_batch",
    "put_back_unknown",
    "read_deliveries",
    "read_inbound",
    "recount_batch",
    "recover_claims",
    "release_held",
    "remove_limit",
    "reopen_batch",
    "replay_event",
    "report_sender_failure",
    "report_sender_success",
    "reschedule_message",
    "resume_batch",
    "resume_installation",
    "resume_workspace",
    "retry_message",
    "return_allowance",
    "return_grants",
    "rotate_keys",
    "send_domain_test",
    "send_notice",
    "send_own_letter",
    "send_sender_test",
    "send_template_test",
    "set_brake_levels",
    "set_limit",
    "shut_batch",
    "start_warm_up",
    "stop_installation",
    "stop_workspace",
    "store_deliveries",
    "store_hits",
    "store_inbound",
    "store_sandbox_mails",
    "submit_group",
    "submit_messages",
    "submit_requests",
    "suppress_recipient",
    "switch_sender",
    "unsubscribe_message",
    "update_domain",
    "update_sender",
    "update_template",
    "want_check",
    "want_verification",
]
