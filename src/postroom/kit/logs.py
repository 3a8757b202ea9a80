"""Structured logs: one event a line, for people on a terminal and as JSON elsewhere, with whatever ids are bound.

``structlog.contextvars`` carries ``request_id``, ``job_id`` and the like into every line, ours or a library's.
Personal data and secrets stay out: log ids, never addresses, names, bodies or keys.
"""

import logging
import logging.config
import os
import re
import sys
from typing import Any, Final

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

HIDDEN: Final = "[hidden]"
SECRET_KEYS: Final = frozenset(
    {"authorization", "cookie", "credentials", "email", "ip", "password", "phone", "recipient", "secret", "token"}
)
_ROWS: Final = re.compile(r"^(?:DETAIL|CONTEXT|LINE \d+):.*\n?(?:^ *\^$\n?)?", re.MULTILINE)
"""What PostgreSQL adds to its errors: the row, the line of a COPY, the statement with its values."""


def configure_logs(*, part: str, level: str = "INFO") -> None:
    """Send the logs of this process, marked with the name of its ``part``, to standard output.

    ``POSTROOM_LOG_FORMAT`` chooses ``json`` or ``console``; unset, a terminal decides.
    """
    shared = _shared_processors(part)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"lines": {"()": _make_formatter, "shared": shared}},
            "handlers": {"out": {"class": "logging.StreamHandler", "stream": sys.stdout, "formatter": "lines"}},
            "root": {"handlers": ["out"], "level": level},
            "loggers": {name: {"level": "WARNING"} for name in ("httpx", "asyncio", "procrastinate", "mail.log")},
        }
    )
    logging.captureWarnings(True)


def hide_secrets(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Blank the values of keys that must never reach a log, should somebody log one all the same."""
    for key in event.keys() & SECRET_KEYS:
        event[key] = HIDDEN
    return event


def hide_rows(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Take out of a traceback what the database quotes of people's rows."""
    if isinstance(told := event.get("exception"), str):
        event["exception"] = _ROWS.sub("", told)
    return event


def _shared_processors(part: str) -> list[Processor]:
    def add_part(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        event.setdefault("part", part)
        return event

    return [
        structlog.contextvars.merge_contextvars,
        add_part,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        hide_secrets,
    ]


def _make_formatter(shared: list[Processor]) -> structlog.stdlib.ProcessorFormatter:
    is_terminal = sys.stdout.isatty()
    form = os.environ.get("POSTROOM_LOG_FORMAT") or ("console" if is_terminal else "json")
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=is_terminal, exception_formatter=structlog.dev.plain_traceback)
        if form == "console"
        else structlog.processors.JSONRenderer()
    )
    finish = (structlog.processors.format_exc_info, hide_rows, renderer)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish],
    )
