"""The outbox of one run, guarded: its failures are kept for the caller instead of vanishing in the event loop."""

from postroom.core.mail.ports import Envelope, Outbox, Result


class GuardedOutbox:
    """Wraps an outbox whose methods may raise. After the first failure nothing more is taken and no body leaves.

    ``answered`` counts the envelopes on which a server gave its word.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.failure: Exception | None = None
        self.answered = 0

    def take(self) -> Envelope | None:
        """Return the next envelope, or None when there is none or the outbox is broken."""
        if self.failure is not None:
            return None
        try:
            return self._outbox.next()
        except Exception as error:
            self.failure = error
            return None

    def may_leave(self, envelope: Envelope) -> bool:
        """Journal that the body leaves; False when it must not."""
        if self.failure is not None:
            return False
        try:
            return self._outbox.before_body(envelope)
        except Exception as error:
            self.failure = error
            return False

    def record(self, envelope: Envelope, result: Result) -> None:
        """Report how the envelope ended."""
        self.answered += result.code > 0
        try:
            self._outbox.record(envelope, result)
        except Exception as error:
            self.failure = self.failure or error

    def give_back(self, envelope: Envelope) -> None:
        """Return the envelope untouched."""
        try:
            self._outbox.give_back(envelope)
        except Exception as error:
            self.failure = self.failure or error
