"""Handlers of the mail app's jobs."""

import smtplib
from contextlib import suppress

from django.conf import settings

from postroom.core.mail import jobs
from postroom.core.mail import services as mail
from postroom.kit import clock
from postroom.providers.dns import build_resolver
from postroom.providers.links import find_link_fault
from postroom.workers.registry import handles


@handles(jobs.READ_INBOUND)
def read_inbound(*, inbound_id: int) -> None:
    """Make of a stored inbound message what it means."""
    mail.read_inbound(inbound_id=inbound_id, now=clock.now())


@handles(jobs.CHECK_DOMAIN)
def check_domain(*, domain_id: int) -> None:
    """Look the records of a domain up and note what is there."""
    mail.check_domain(domain_id=domain_id, names=build_resolver(), find_link_fault=find_link_fault, now=clock.now())


@handles(jobs.MOVE_MAIL)
def move_mail(*, old_id: int) -> None:
    """Give the mail of a merged contact to the survivor; it goes on where a killed worker left it."""
    mail.move_mail(old_id=old_id)


@handles(jobs.ANSWER_SANDBOX_MAIL)
def answer_sandbox_mail(*, sandbox_mail_id: int) -> None:
    """Send what the world would send back, to our own inbound port; run twice, it answers twice, as the world may."""
    answers = mail.make_sandbox_answers(sandbox_mail_id=sandbox_mail_id, now=clock.now())
    with smtplib.SMTP(settings.SMTP_HOST, settings.SMTP_PORT, timeout=30) as client:
        for answer in answers:
            with suppress(smtplib.SMTPRecipientsRefused):  # a Reply-To elsewhere: out there it would get it
                client.sendmail(answer.mail_from, answer.recipients, answer.raw)
