"""Names of the mail app's jobs, and how to defer them."""

from typing import Final

from postroom.kit.jobs import Job, defer

READ_INBOUND: Final = Job("mail.read_inbound", queue="mail")
ANSWER_SANDBOX_MAIL: Final = Job("mail.answer_sandbox_mail", queue="mail")

CHECK_DOMAIN: Final = Job("mail.check_domain", queue="mail")
MOVE_MAIL: Final = Job("mail.move_mail", queue="mail")


def defer_read_inbound(inbound_id: int) -> None:
    """Have a stored inbound message read."""
    defer(READ_INBOUND, inbound_id=inbound_id)


def defer_answer_sandbox_mail(sandbox_mail_id: int) -> None:
    """Have the sandbox answer a mail to a magic recipient."""
    defer(ANSWER_SANDBOX_MAIL, sandbox_mail_id=sandbox_mail_id)


def defer_check_domain(domain_id: int) -> None:
    """Have the records of a domain looked up."""
    defer(CHECK_DOMAIN, lock=f"mail.check.{domain_id}", domain_id=domain_id)


def defer_move_mail(*, old_id: int) -> None:
    """Have the mail of a merged contact given to the survivor."""
    defer(MOVE_MAIL, lock=f"mail.move.{old_id}", old_id=old_id)
