"""A sender as one writes it first: a template engine, an e-mail object, smtplib, one UPDATE a message.

``python -m tests.benchmarks.naive PORT MESSAGES LETTER_FILE DSN [KEY_FILE]`` prints a JSON document: messages a second
and processor time (microseconds) a message.
"""

import json
import os
import smtplib
import sys
import time
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

import dkim
import psycopg
from itsdangerous import URLSafeSerializer
from jinja2 import Environment

TABLE = "CREATE TEMPORARY TABLE naive (id int PRIMARY KEY, status text NOT NULL DEFAULT 'queued', sent_at timestamptz)"
FILL = "INSERT INTO naive (id) SELECT generate_series(0, %s)"


def main() -> None:
    """Send and report."""
    port, messages, letter, dsn = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    key = Path(sys.argv[5]).read_bytes() if len(sys.argv) > 5 else b""
    template = Environment(autoescape=True).from_string(letter.read_text())
    tokens = URLSafeSerializer("not so secret")
    with psycopg.connect(dsn, autocommit=True) as database, smtplib.SMTP("127.0.0.1", port) as server:
        database.execute(TABLE)
        database.execute(FILL, [messages])
        started, before = time.perf_counter(), os.times()
        for number in range(messages):
            mail = _compose(template, tokens, number)
            octets = mail.as_bytes()
            if key:
                octets = dkim.sign(octets, b"bench", b"news.example", key) + octets
            server.sendmail("desk@news.example", [str(mail["To"])], octets)
            database.execute("UPDATE naive SET status = 'sent', sent_at = now() WHERE id = %s", [number])
        seconds, after = time.perf_counter() - started, os.times()
    used = after.user + after.system - before.user - before.system
    sys.stdout.write(json.dumps({"rate": messages / seconds, "cpu_us": used / messages * 1e6}))


def _compose(template: "object", tokens: URLSafeSerializer, number: int) -> EmailMessage:
    values = {
        "first_name": "Ada",
        "last_name": f"Reader{number}",
        "company": "Example Ltd",
        "phone": f"+49301234{number}",
        "language": "en",
        "email": f"reader{number}@people.example",
        "link": lambda index: f"https://news.example/c/{tokens.dumps([number, index])}",
    }
    html = template.render(values)  # type: ignore[attr-defined]
    mail = EmailMessage()
    mail["From"], mail["To"] = "Desk <desk@news.example>", values["email"]
    mail["Subject"] = f"{values['first_name']}, the autumn letter"
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain="news.example")
    mail["List-Unsubscribe"] = f"<https://news.example/u/{tokens.dumps(number)}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content("Please read this in HTML.\n" + html.replace("<p>", "").replace("</p>", ""))
    mail.add_alternative(html, subtype="html")
    return mail


if __name__ == "__main__":
    main()
