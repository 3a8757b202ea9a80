"""What happens in the demonstration, told in the order a customer would do it."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import django

django.setup()

from django.conf import settings  # noqa: E402

from demo.crowd import Crowd, Letter, Server, read_letter  # noqa: E402 - these need django.setup()
from demo.installation import EMAIL, Installation  # noqa: E402
from demo.show import bar, console, print_table  # noqa: E402
from postroom.core.campaigns import selectors as campaign_views  # noqa: E402
from postroom.core.campaigns import services as campaigns  # noqa: E402
from postroom.core.campaigns.types import CampaignChanges, CampaignStatus  # noqa: E402
from postroom.core.contacts import selectors as contact_views  # noqa: E402
from postroom.core.contacts import services as contacts  # noqa: E402
from postroom.core.contacts.types import ImportMapping, ImportStatus, NewContact, Upload  # noqa: E402
from postroom.core.insights import selectors as insights  # noqa: E402
from postroom.core.insights.types import CampaignReport  # noqa: E402
from postroom.core.mail import selectors as mail_views  # noqa: E402
from postroom.core.mail import services as mail  # noqa: E402
from postroom.core.mail.rules import magic  # noqa: E402
from postroom.core.mail.types import BatchCounts, BodyFormat  # noqa: E402
from postroom.core.workspaces import services as workspaces  # noqa: E402
from postroom.core.workspaces.types import Actor, Door, Role  # noqa: E402
from postroom.kit import clock  # noqa: E402

HERE: Final = Path(__file__).parent
MAGIC_RECIPIENTS: Final = ("bounce@demo.example", "complaint@demo.example", "reply@demo.example")
SEGMENT: Final = {
    "match": "all",
    "conditions": [
        {"field": "language", "operator": "in", "value": ["en", "fr"]},
        {"field": "email", "operator": "is_set"},
    ],
}
MOVING: Final = (CampaignStatus.SCHEDULED, CampaignStatus.SENDING)
SETTLE_TIMEOUT_S: Final = 120
# A person does not open a mail within the second in which it was sent; what does is counted as a machine.
READING_DELAY_S: Final = 2.0


class Story:
    """The customer, their workspace, and what they do in it."""

    def __init__(self, installation: Installation) -> None:
        now = clock.now()
        organization = workspaces.create_organization(name="Harbour Commons", now=now)
        user = workspaces.create_user(email=EMAIL, password=installation.password, name="Ines Owner", now=now)
        self.actor = Actor(door=Door.COMMAND, user_id=user.pk)
        self.workspace = workspaces.create_workspace(
            organization=organization, name="Harbour Commons", slug="harbour", actor=self.actor, now=now
        )
        workspaces.add_member(
            user=user, organization=organization, workspace=None, role=Role.ADMIN, actor=self.actor, now=now
        )

    def import_people(self) -> None:
        """Import the file through the real import job, with the mapping it suggests itself."""
        path = HERE / "contacts-10k.csv"
        with path.open("rb") as file:
            sample = contact_views.read_sample(file=file)
            file.seek(0)
            letters = contacts.create_list(workspace=self.workspace, name="Letters", actor=self.actor, now=clock.now())
            run = contacts.start_import(
                workspace=self.workspace,
                upload=Upload(file=file, filename=path.name),
                mapping=ImportMapping(columns=sample.suggested, list_id=letters.pk),
                actor=self.actor,
                now=clock.now(),
            )
        with bar("Importing people") as progress:
            while run.status not in (ImportStatus.DONE, ImportStatus.FAILED):
                time.sleep(0.2)
                run = contact_views.get_import(workspace=self.workspace, uid=run.uid)
                progress.set(run.processed_rows, run.total_rows)
        print_table(
            "Import", ("file", "rows", "created", "updated", "errors"),
            [(path.name, run.processed_rows, run.created_rows, run.updated_rows, run.error_rows)],
        )  # fmt: skip
        for address in MAGIC_RECIPIENTS:
            new = NewContact(email=address, first_name=address.partition("@")[0].title(), language="en")
            contacts.create_contact(workspace=self.workspace, new=new, actor=self.actor, now=clock.now())

    def write_newsletter(self) -> None:
        """Compose the letter and choose who it is for."""
        now = clock.now()
        segment = contacts.create_segment(
            workspace=self.workspace, name="Reads English or French", filter=SEGMENT, actor=self.actor, now=now
        )
        sender = mail.ensure_sandbox_sender(workspace=self.workspace, actor=self.actor, now=now)
        campaign = campaigns.create_campaign(workspace=self.workspace, name="Autumn letter", actor=self.actor, now=now)
        self.campaign_uid = campaign.uid
        changes = CampaignChanges(
            subject="{{ first_name | default: 'Hello' }}, what grew this autumn",
            body_format=BodyFormat.MJML,
            body=(HERE / "newsletter.mjml").read_text(encoding="utf-8"),
            sender_id=sender.pk,
            segment_id=segment.pk,
        )
        campaigns.update_campaign(
            workspace=self.workspace, uid=campaign.uid, changes=changes, actor=self.actor, now=now
        )
        size = campaign_views.count_campaign_audience(workspace=self.workspace, uid=campaign.uid, now=now)
        console.print(f"[green]✓[/] Newsletter written, for {size:,} people")

    def send(self) -> None:
        """Send it through real SMTP into the sandbox, and watch."""
        campaigns.send_campaign(workspace=self.workspace, uid=self.campaign_uid, actor=self.actor, now=clock.now())
        with bar("Sending the newsletter") as progress:
            while True:
                report = self.report()
                if report.counts is not None:
                    progress.set(report.counts.sent - report.counts.pending, report.counts.sent)
                if report.campaign.status not in MOVING:
                    return
                time.sleep(0.2)

    def report(self) -> CampaignReport:
        """The report, as the application shows it."""
        return insights.campaign_report(workspace=self.workspace, uid=self.campaign_uid, now=clock.now())

    def counts(self) -> BatchCounts:
        """The report's figures, once there are any."""
        counts = self.report().counts
        if counts is None:
            raise RuntimeError("The campaign has no audience.")
        return counts

    def let_crowd_react(self, installation: Installation) -> Crowd:
        """Give every captured letter to its reader."""
        time.sleep(READING_DELAY_S)
        crowd = Crowd(Server(installation.http_port, installation.smtp_port, settings.INBOUND_DOMAIN))
        letters = list(self._letters())
        with bar("The crowd reads", len(letters)) as progress:
            for _ in crowd.act_on(letters):
                progress.advance()
        for address in MAGIC_RECIPIENTS:
            crowd.done[{"bounce": "bounced", "complaint": "complained", "reply": "replied"}[address.split("@")[0]]] += 1
        return crowd

    def _letters(self) -> list[Letter]:
        mails = mail_views.iter_sandbox_mails(workspace=self.workspace)
        found = [read_letter(each.recipients[0], each.return_path, bytes(each.raw)) for each in mails]
        return [letter for letter in found if magic.read_magic(letter.recipient) is None]


def expected(crowd: Crowd) -> dict[str, int]:
    """What the report must say of the people in the crowd, by word."""
    words = ("bounced", "opened", "machine_opened", "clicked", "scanner_clicked", "replied", "complained")
    unsubscribed = crowd.done["unsubscribed"] + crowd.done["unsubscribed_on_page"]
    return {word: crowd.done[word] for word in words} | {"unsubscribed": unsubscribed}


def tell(installation: Installation) -> bool:
    """Tell the whole story; answer whether the report agrees with the crowd."""
    story = Story(installation)
    story.import_people()
    story.write_newsletter()
    story.send()
    did = expected(story.let_crowd_react(installation))
    counts = _wait_for(story, did)
    _print(story.report(), counts, did)
    adds_up = counts.sent == counts.delivered + counts.bounced + counts.pending + counts.in_doubt
    return adds_up and counts.sent > 0 and _pick(counts, did) == did


def _wait_for(story: Story, did: dict[str, int]) -> BatchCounts:
    """Return the counts once everything the crowd did has been applied, or as they stand after ``SETTLE_TIMEOUT_S``."""
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    with bar("Counting", sum(did.values())) as progress:
        while True:
            counts = story.counts()
            counted = _pick(counts, did)
            progress.set(sum(counted.values()))
            if counted == did or time.monotonic() > deadline:
                return counts
            time.sleep(0.3)


def _pick(counts: BatchCounts, words: Iterable[str]) -> dict[str, int]:
    return {word: getattr(counts, word) for word in words}


def _print(report: CampaignReport, counts: BatchCounts, did: dict[str, int]) -> None:
    parts = _pick(counts, ("delivered", "bounced", "pending", "in_doubt"))
    rows = [
        ("sent", counts.sent, "the sum of the rest"),
        *((word.replace("_", " "), number, "") for word, number in parts.items()),
    ]
    print_table("Handed over", ("what", "messages", "is"), rows)
    print_table(
        "What came back",
        ("people who", "report", "crowd"),
        [(word.replace("_", " "), getattr(counts, word), number) for word, number in did.items()],
    )
    links = [(link.url, link.clicks, link.people, link.scanner_clicks) for link in report.links]
    print_table("Links", ("link", "clicks", "people", "by scanners"), links)
