"""The sender's journal: what survives the sender."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from postroom.core.mail.ports import Handover, Outcome, Result
from postroom.workers.journal import ClaimJournal, Journal, JournalBroken, abandoned_journals

RESULT = Result(
    Outcome.SENT,
    250,
    "2.0.0",
    "ok\tqueued\r\nas 1",
    "id-1",
    (("b@x.example", 550, "no"),),
    is_relayed=True,
    safe_until=1732096800.5,
)
SENT = Handover(7, 1732093200.25, RESULT)


def leave(root: Path, script: str) -> None:
    """Let a sender of its own write a journal and die."""
    start = f"j = Journal(pathlib.Path({str(root)!r}), 'm-1')"
    head = f"import os, pathlib\nfrom postroom.workers.journal import Journal\n{start}"
    subprocess.run([sys.executable, "-c", f"{head}\n{script}\nos._exit(9)"], check=False, timeout=30)


def append(path: Path, octets: bytes) -> None:
    """Write what the sender would have written next."""
    written = path.read_bytes().rstrip(b"\0")
    path.write_bytes(written + octets + bytes(100))


def test_a_living_sender_s_journal_is_left_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "m-1")
    journal.open_claim().note_leaving(1)
    assert list(abandoned_journals(tmp_path)) == []
    journal.close()


@pytest.mark.parametrize(
    "line",
    [
        b"A\t7\t1732093200.25\tsent\t250\t0\t0.0\t2.0.0\tid-1\t\tok\n",
        b"R\t7\t1732093200.25\tsent\t250\t2.0.0\tid-1\t\tok\n",  # as earlier releases wrote it
    ],
)
def test_a_journal_says_what_left_and_what_was_answered(tmp_path: Path, line: bytes) -> None:
    leave(tmp_path, "c = j.open_claim(); c.note_leaving(7); c.note_leaving(8)")
    (path,) = tmp_path.glob("m-1/0*")
    append(path, line)
    (found,) = abandoned_journals(tmp_path)
    assert found.owner == "m-1"
    assert found.reading.is_complete
    assert found.reading.entries == {
        7: Handover(7, 1732093200.25, Result(Outcome.SENT, 250, "2.0.0", "ok", "id-1")),
        8: None,
    }


def test_an_ending_reads_back_as_it_was_written_on_one_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "m-1")
    claim = journal.open_claim()
    claim.note_leaving(7)
    claim.note_ending(SENT)
    os.close(journal._lock)  # as the kernel does for the dead
    (found,) = abandoned_journals(tmp_path)
    handover = found.reading.entries[7]
    assert handover is not None
    assert handover.result == RESULT._replace(text="ok queued  as 1")
    assert handover.at == SENT.at


@pytest.mark.parametrize("torn", [b"W\t9", b"R\t7\t1732093200.25\tsent\t250\t2.0.0", b"\0\t9\n"])
def test_a_torn_last_line_counts_as_not_written(tmp_path: Path, torn: bytes) -> None:
    leave(tmp_path, "j.open_claim().note_leaving(7)")
    (path,) = tmp_path.glob("m-1/0*")
    append(path, torn)
    (found,) = abandoned_journals(tmp_path)
    assert found.reading.entries == {7: None}


def test_a_journal_of_an_earlier_boot_may_have_lost_its_end(tmp_path: Path) -> None:
    leave(tmp_path, "j.open_claim().note_leaving(7)")
    (tmp_path / "m-1" / "lock").write_text("another boot")
    (found,) = abandoned_journals(tmp_path)
    assert not found.reading.is_complete


def test_a_removed_journal_is_not_found_again_and_a_kept_one_is(tmp_path: Path) -> None:
    leave(tmp_path, "j.open_claim().note_leaving(7)")
    assert len(list(abandoned_journals(tmp_path))) == 1
    for found in abandoned_journals(tmp_path):
        found.remove()
    assert list(abandoned_journals(tmp_path)) == []


def test_a_finished_claim_leaves_no_file_and_an_empty_journal_goes(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "m-1")
    claim = journal.open_claim()
    claim.note_leaving(1)
    claim.remove()
    journal.close()
    assert list(tmp_path.iterdir()) == []


def leave_many(claim: ClaimJournal) -> None:
    for number in range(100_000):
        claim.note_leaving(number)


def test_a_full_disk_is_an_error_before_anything_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int, start: int, size: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    journal = Journal(tmp_path, "m-1")
    claim = journal.open_claim()
    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(JournalBroken, match="No space left"):
        journal.open_claim()
    with pytest.raises(JournalBroken, match="No space left"):
        leave_many(claim)


def test_a_claim_may_have_more_to_say_than_its_first_room_holds(tmp_path: Path) -> None:
    leave(tmp_path, "c = j.open_claim()\nfor n in range(50000): c.note_leaving(n)")
    (found,) = abandoned_journals(tmp_path)
    assert found.reading.entries == dict.fromkeys(range(50_000))
