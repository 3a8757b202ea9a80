"""Files that go with messages, from acceptance to the octets that leave, and out again when a person is erased."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

import pytest

from postroom.core.mail import selectors, services
from postroom.core.mail.errors import BadAttachment
from postroom.core.mail.models import AttachedFile, Message, SenderAccount
from postroom.core.mail.services.attachments import forget_files
from postroom.core.mail.services.items import make_single_items
from postroom.core.mail.types import Attachment, Composition, MessageClass, NewMessage
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.workers.sender.composer import Composer
from tests.factories import NOW, make_workspace

pytestmark = pytest.mark.django_db

LOGO = Attachment("logo.png", "image/png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3, "logo@x.example")
BILL = Attachment("Rechnung 5.pdf", "application/pdf", b"%PDF-1.4\n" + b"x" * 500)


def accept(workspace: Workspace, *attachments: Attachment) -> Message:
    sender = SenderAccount.objects.filter(workspace=workspace).first() or services.ensure_sandbox_sender(
        workspace=workspace, actor=SYSTEM, now=NOW
    )
    new = NewMessage(
        sender_id=sender.pk,
        message_class=MessageClass.TRANSACTIONAL,
        to=("kim@y.example",),
        composition=Composition(subject="Your bill", body='<p>Hi <img src="cid:logo@x.example" alt=""></p>'),
        attachments=attachments,
    )
    (accepted,) = services.accept_messages(workspace=workspace, messages=[new], actor=SYSTEM, now=NOW)
    return Message.objects.select_related("sender", "workspace").get(pk=accepted.id)


def test_files_arrive_as_they_were_given() -> None:
    message = accept(make_workspace(), LOGO, BILL)
    (item,) = make_single_items([message])
    composer = Composer(selectors.load_sender_profile(sender_id=message.sender_id))
    envelope = composer.compose(item, selectors.load_compiled_content(content_id=message.content_id))
    mail = cast(EmailMessage, message_from_bytes(envelope.body, policy=policy.default))
    assert mail.get_content_type() == "multipart/mixed"
    (bill,) = mail.iter_attachments()
    assert (bill.get_filename(), bill.get_content_type()) == ("Rechnung 5.pdf", "application/pdf")
    assert bill.get_payload(decode=True) == BILL.content
    logo = next(part for part in mail.walk() if part.get("Content-ID") == "<logo@x.example>")
    assert logo.get_content_disposition() == "inline"
    assert logo.get_payload(decode=True) == LOGO.content
    html = mail.get_body(("html",))
    assert html is not None
    assert "cid:logo@x.example" in str(html.get_content())


def test_equal_files_are_stored_once_and_go_with_the_last_message_that_names_them() -> None:
    workspace = make_workspace()
    first, second = accept(workspace, BILL, LOGO), accept(workspace, BILL)
    assert AttachedFile.objects.count() == 2
    forget_files(message_ids=[first.pk])
    assert [row.size for row in AttachedFile.objects.all()] == [len(BILL.content)]
    first.refresh_from_db()
    assert first.attachments == []
    forget_files(message_ids=[second.pk])
    assert not AttachedFile.objects.exists()


def test_the_files_of_one_workspace_are_not_anothers() -> None:
    ours, theirs = accept(make_workspace(), BILL), accept(make_workspace(), BILL)
    assert AttachedFile.objects.count() == 2
    forget_files(message_ids=[theirs.pk])
    (item,) = make_single_items([ours])
    assert item.mailing.attachments == (BILL,)


def test_messages_without_files_cost_no_statement(django_assert_num_queries: object) -> None:
    rows = [accept(make_workspace())]
    from postroom.core.mail.services.attachments import load_attachments

    with django_assert_num_queries(0):  # type: ignore[operator]
        assert load_attachments(rows=rows) == {}


@pytest.mark.parametrize(
    ("attachments", "words"),
    [
        ([Attachment("", "text/plain", b"")], "needs a name"),
        ([Attachment("a\r\nX: y", "text/plain", b"")], "character"),
        ([Attachment("a/../b", "text/plain", b"")], "character"),
        ([Attachment("a\u202egpj.exe", "text/plain", b"")], "character"),
        ([Attachment("a", "text/plain\r\nX: y", b"")], "type"),
        ([Attachment("a", "text", b"")], "type"),
        ([Attachment("a", "text/plain; charset=x", b"")], "type"),
        ([Attachment("a", "text/plain", b"", "x>\r\nX: y")], "content id"),
        ([Attachment("a", "text/plain", b"", "x"), Attachment("b", "text/plain", b"", "x")], "same content id"),
        ([Attachment(str(n), "text/plain", b"") for n in range(21)], "at most"),
        ([Attachment("a", "text/plain", bytes(25 * 1024 * 1024 + 1))], "octets together"),
    ],
)
def test_a_file_that_says_too_much_is_refused_and_nothing_is_kept(attachments: list[Attachment], words: str) -> None:
    with pytest.raises(BadAttachment, match=words):
        accept(make_workspace(), *attachments)
    assert not AttachedFile.objects.exists()
    assert not Message.objects.exists()
