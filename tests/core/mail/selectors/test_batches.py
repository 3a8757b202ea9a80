"""The figures of a batch: every recipient is counted in exactly one place."""

from itertools import product
from typing import Final

import pytest

from postroom.core.mail.selectors import count_batch
from postroom.core.mail.types import BatchStatus, MessageStatus
from tests.factories import NOW, make_workspace
from tests.ledger import make_batch, make_message

pytestmark = pytest.mark.django_db

# A bounce report may come while the server's own answer said something else, or nothing.
BOUNCING: Final = (MessageStatus.SENT, MessageStatus.IN_DOUBT, MessageStatus.DEFERRED, MessageStatus.FAILED)


@pytest.mark.parametrize("status", [BatchStatus.SENDING, BatchStatus.CANCELLED])
def test_every_recipient_is_counted_once(status: BatchStatus) -> None:
    workspace = make_workspace()
    cases = [
        (state, is_delivered, is_bounced)
        for state, is_delivered, is_bounced in product(MessageStatus, (False, True), (False, True))
        if (not is_bounced or state in BOUNCING) and (not is_delivered or state == MessageStatus.SENT)
    ]
    unwritten = 3
    batch = make_batch(workspace=workspace, status=status, total=len(cases) + unwritten)
    for state, is_delivered, is_bounced in cases:
        make_message(
            workspace=workspace,
            batch=batch,
            status=state,
            delivered_at=NOW if is_delivered else None,
            bounced_at=NOW if is_bounced else None,
        )

    counts = count_batch(batch_id=batch.pk)

    assert counts.sent == counts.delivered + counts.bounced + counts.pending + counts.in_doubt
    assert counts.sent + counts.failed + counts.suppressed + counts.cancelled == counts.total
    assert (counts.delivered, counts.bounced, counts.in_doubt) == (1, sum(bounced for *_, bounced in cases), 1)
