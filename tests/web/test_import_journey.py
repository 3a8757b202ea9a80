"""A person imports a workbook with mistakes in it, mends what was refused, and imports that, in a real browser."""

import csv
import io
import os
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from openpyxl import Workbook
from playwright.sync_api import Page

from postroom.core.contacts import services
from postroom.core.contacts.models import Contact, ImportRun, ListMember
from postroom.core.contacts.types import FieldType, NewContact, NewField
from postroom.core.workspaces.models import Workspace
from postroom.kit import clock
from tests.factories import NOW, make_actor
from tests.web.browser import Watch, open_browser, take_shots
from tests.web.test_screenshots import FLAWS

pytestmark = [pytest.mark.web, pytest.mark.django_db(transaction=True)]
# Playwright keeps an event loop in this thread, and Django would refuse to touch the database beside one.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
PEOPLE = [
    ["E-mail", "First name", "Last name", "Company", "Shoe size", "Tags"],
    ["ada@example.com", "Ada", "Lovelace", "Analytical Engines", 37, "vip;speaker"],
    ["grace@example", "Grace", "Hopper", "Navy", 38, ""],
    ["katherine@example.com", "Katherine", "Johnson", "NASA", "large", "speaker"],
    [None, "Annie", "Easley", "NASA", 39, ""],
    ["hedy@example.com", "Hedy", "Lamarr", "", 36, ""],
]


def make_book(path: Path) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Guests"
    for row in PEOPLE:
        sheet.append(row)
    book.create_sheet("Prices").append(["Ticket", "Price"])
    book.save(path)
    return path


def look_at(page: Page, name: str) -> None:
    """Take pictures of the page, which must be one that the keyboard and a screen reader find their way in."""
    take_shots(page, name)
    assert page.evaluate(FLAWS) == [], name


def go_through(page: Page, file: Path, shots: str) -> None:
    """Upload ``file`` and go on to the forecast."""
    page.get_by_role("link", name="Import a file").first.click()
    page.get_by_label("CSV file or Excel workbook").set_input_files(file)
    look_at(page, f"{shots} 1 upload")
    page.get_by_role("button", name="Read the file").click()


def run_newest_import(page: Page) -> ImportRun:
    """Start the import on the page, do the worker's part, and wait until the page shows the end."""
    page.get_by_role("button", name="Start the import").click()
    page.get_by_text("Stop this import").click()
    page.get_by_role("button", name="Stop the import").wait_for()
    page.wait_for_timeout(1_500)  # the live part changes; what was opened beside it stays open
    assert page.get_by_role("button", name="Stop the import").is_visible()
    look_at(page, "import live")
    run = ImportRun.objects.latest("pk")
    services.run_import(run_uid=run.uid, clock=clock.now)
    page.get_by_text("See the contacts").wait_for()
    run.refresh_from_db()
    return run


def test_an_import_with_mistakes_is_mended_and_imported_again(
    live_server: object, as_owner: Client, workspace: Workspace, tmp_path: Path
) -> None:
    actor = make_actor()
    size = NewField(label="Shoe size", key="shoe_size", type=FieldType.NUMBER)
    services.create_field(workspace=workspace, new=size, actor=actor, now=NOW)
    known = NewContact(email="ada@example.com", first_name="Ada", company="Byron & Co")
    services.create_contact(workspace=workspace, new=known, actor=actor, now=NOW)
    base = str(live_server)
    with open_browser(base) as context:
        context.add_cookies([{"name": "sessionid", "value": as_owner.cookies["sessionid"].value, "url": base}])
        page = context.new_page()
        watch = Watch(page, base)
        page.goto(f"/w/{workspace.slug}/imports/")
        look_at(page, "imports none yet")

        go_through(page, make_book(tmp_path / "guests.xlsx"), "import")
        assert page.get_by_role("link", name="Guests").get_attribute("aria-current") == "true"
        page.get_by_role("link", name="Prices").click()
        assert page.get_by_label("Ticket").count() == 1
        page.get_by_role("link", name="Guests").click()
        page.get_by_label("… or on a new list named").fill("Spring fair")
        page.get_by_label("Tag everybody with").fill("2026")
        page.get_by_text("Fill in what rows leave empty").click()
        page.get_by_label("Field 1", exact=True).select_option("language")
        page.get_by_label("Text for field 1").fill("en")
        look_at(page, "import 2 map")

        page.get_by_role("button", name="See what it would do").click()
        page.get_by_text("would be refused").wait_for()
        assert "'large' is not a number" in page.content()
        assert "Byron & Co" in page.locator("del").all_inner_texts()
        assert not ImportRun.objects.exists()
        look_at(page, "import 3 check")
        page.emulate_media(color_scheme="dark")
        look_at(page, "import 3 check dark")
        page.emulate_media(color_scheme="light")
        page.get_by_role("button", name="Change the mapping").click()
        assert page.get_by_label("Tag everybody with").input_value() == "2026"
        page.get_by_role("button", name="See what it would do").click()

        run = run_newest_import(page)
        assert (run.created_rows, run.updated_rows, run.error_rows) == (1, 1, 3)
        look_at(page, "import 4 done")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download them to mend").click()
        refused = Path(download.value.path()).read_text("utf-8-sig")
        assert download.value.suggested_filename == "guests - refused rows.csv"

        mended = refused.replace("grace@example", "grace@example.com").replace("large", "40")
        rows = list(csv.reader(io.StringIO(mended, newline="")))
        for row in rows[1:]:
            row[0] = row[0] or "annie@example.com"
        again = tmp_path / "mended.csv"
        with again.open("w", newline="") as file:
            csv.writer(file).writerows(rows)

        page.get_by_role("link", name="Imports").first.click()
        go_through(page, again, "import again")
        page.get_by_text("Your answers of then are filled in").wait_for()
        assert page.get_by_label("Import problem").input_value() == ""
        assert page.get_by_label("Tag everybody with").input_value() == "2026"
        look_at(page, "import again 2 map")
        page.get_by_role("button", name="See what it would do").click()
        page.get_by_text("Nothing is changed yet").wait_for()
        second = run_newest_import(page)
        assert (second.created_rows, second.error_rows) == (3, 0)
        page.get_by_role("link", name="Undo this import").click()
        page.get_by_text("Would be deleted").wait_for()
        look_at(page, "import undo")
        page.get_by_role("link", name="Keep them").click()
        page.get_by_role("link", name="Imports").first.click()
        look_at(page, "imports")
        assert watch.faults == []
        connection.close()  # beside the browser's event loop it is another one than outside

    people = Contact.objects.filter(organization=workspace.organization)
    assert sorted(people.values_list("first_name", flat=True)) == ["Ada", "Annie", "Grace", "Hedy", "Katherine"]
    assert set(people.values_list("language", flat=True)) == {"en"}
    assert people.get(first_name="Katherine").custom == {"shoe_size": 40}
    assert ListMember.objects.filter(list__name="Spring fair", status="subscribed").count() == 5
    assert all("2026" in person.tag_links.values_list("tag__name", flat=True) for person in people)
