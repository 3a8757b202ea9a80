"""Writes of mail: accounts and contents, acceptance, bulk hand-overs, claims of the sender, and what comes back."""

from postroom.core.mail.services.accept import accept_messages
from postroom.core.mail.services.acceptances import forget_acceptances
from postroom.core.mail.services.batches import cancel_batch, create_batch, freeze_audience, pause_batch, resume_batch
from postroom.core.mail.services.claims import claim_work, return_allowance
from postroom.core.mail.services.contents import freeze_content
from postroom.core.mail.services.domains import create_domain
from postroom.core.mail.services.facts import apply_hits
from postroom.core.mail.services.hits import STORE_HITS, hit_parameters, store_hits
from postroom.core.mail.services.inbound import read_inbound, store_inbound
from postroom.core.mail.services.merges import move_mail
from postroom.core.mail.services.notices import forget_notices, send_notice
from postroom.core.mail.services.partitions import ensure_partitions
from postroom.core.mail.services.retention import forget_old_mail
from postroom.core.mail.services.sandbox import make_sandbox_answers, store_sandbox_mails
from postroom.core.mail.services.senders import create_sender, ensure_sandbox_sender
from postroom.core.mail.services.settling import abandon_claims, finish_chunk, finish_messages, recover_claims
from postroom.core.mail.services.standing import check_claims, report_sender_failure, report_sender_success
from postroom.core.mail.services.submit import submit_messages
from postroom.core.mail.services.templates import create_template, update_template
from postroom.core.mail.services.unsubscribe import unsubscribe_message

__all__ = [
    "STORE_HITS",
    "abandon_claims",
    "accept_messages",
    "apply_hits",
    "cancel_batch",
    "check_claims",
    "claim_work",
    "create_batch",
    "create_domain",
    "create_sender",
    "create_template",
    "ensure_partitions",
    "ensure_sandbox_sender",
    "finish_chunk",
    "finish_messages",
    "forget_acceptances",
    "forget_notices",
    "forget_old_mail",
    "freeze_audience",
    "freeze_content",
    "hit_parameters",
    "make_sandbox_answers",
    "move_mail",
    "pause_batch",
    "read_inbound",
    "recover_claims",
    "report_sender_failure",
    "report_sender_success",
    "resume_batch",
    "return_allowance",
    "send_notice",
    "store_hits",
    "store_inbound",
    "store_sandbox_mails",
    "submit_messages",
    "unsubscribe_message",
    "update_template",
]
