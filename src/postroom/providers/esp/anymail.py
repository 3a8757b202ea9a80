"""Providers whose payload Anymail builds: it knows each one's fields and quirks, and says what they do not support."""

import json
import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from anymail.exceptions import AnymailError
from django.core.mail import EmailMultiAlternatives
from django.utils.module_loading import import_string

from postroom.providers.esp.letters import NUMBER, Letter
from postroom.providers.esp.vendor import NotSupported, Vendor, text_of


class AnymailVendor(Vendor):
    """An account whose messages become payloads of an Anymail backend; the backend itself sends nothing."""

    backend: ClassVar[str]
    secrets: ClassVar[Sequence[str]] = ("api_key",)
    tracks: ClassVar[bool] = True  # whether the provider lets a message say that it is not to be tracked
    keeps_numbers: ClassVar[bool] = True  # whether it keeps data of ours with a message

    def prepare(self, letter: Letter) -> dict[str, Any]:
        """Return the payload of one letter as JSON would have it. Raises NotSupported."""
        message = letter.to_django()
        self.adorn(message, letter)
        try:
            payload = self._backend.build_message_payload(message, {})
            serialized = payload.serialize_data()
        except (AnymailError, ValueError) as error:
            raise NotSupported(str(error).splitlines()[0]) from error
        made = json.loads(serialized)
        assert isinstance(made, dict)
        self.finish(made, letter)
        return made

    def adorn(self, message: EmailMultiAlternatives, letter: Letter) -> None:
        """Add what Anymail reads beyond Django's own fields. The links and the picture in the mail are ours, so the
        provider is told to add none, unless the account wants them.
        """
        extra: Any = message
        if self.keeps_numbers:
            extra.metadata = {NUMBER: letter.number}
        if self.tracks:
            extra.track_opens = extra.track_clicks = bool(self.config.get("tracks"))

    def finish(self, made: dict[str, Any], letter: Letter) -> None:
        """Change the payload where Anymail has no word for something."""

    @cached_property
    def _backend(self) -> Any:
        options: Mapping[str, str] = {name: text_of(self.credentials, name) for name in self.secrets}
        with warnings.catch_warnings():
            # It says that SendGrid has given its maker no account to test with; our own tests cover what we use.
            warnings.simplefilter("ignore")
            return import_string(self.backend)(api_url=self.base, **options, **self.options())

    def options(self) -> dict[str, Any]:
        """Return further options of the backend."""
        return {}


def one_of(prepared: Sequence[object]) -> object:
    """Return the only message of a call that takes no more."""
    (single,) = prepared
    return single
