"""One call in three languages, each ready to be pasted and run with nothing but what comes with the language."""

import json
import shlex
from dataclasses import dataclass
from pprint import pformat
from typing import Final

from postroom.kit.types import JSONValue

UNFILLED: Final = "YOUR_KEY"
"""Stands for the reader's key."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a door; ``body`` is sent as JSON unless it is None."""

    method: str
    url: str
    body: JSONValue


def write_curl(call: Call) -> str:
    """Return a command for a terminal."""
    lines = [
        f"curl -X {call.method} {shlex.quote(call.url)}",
        f"-H {shlex.quote(f'Authorization: Bearer {UNFILLED}')}",
    ]
    if call.body is not None:
        lines.append("-H 'Content-Type: application/json'")
        lines.append(f"-d {shlex.quote(json.dumps(call.body, ensure_ascii=False, indent=2))}")
    return " \\\n  ".join(lines)


def write_python(call: Call) -> str:
    """Return a program for Python 3."""
    headers = {"Authorization": f"Bearer {UNFILLED}"}
    body = ""
    if call.body is not None:
        headers["Content-Type"] = "application/json"
        body = f"body = {pformat(call.body, width=88, sort_dicts=False)}\n"
    sent = ", data=json.dumps(body).encode()" if call.body is not None else ""
    return (
        f"import json\nfrom urllib.request import Request, urlopen\n\n{body}"
        f"headers = {pformat(headers, width=88, sort_dicts=False)}\n"
        f'request = Request("{call.url}", method="{call.method}", headers=headers{sent})\n'
        "with urlopen(request) as answer:\n    print(json.load(answer))\n"
    )


def write_javascript(call: Call) -> str:
    """Return a program for Node 18 and browsers."""
    body = content = ""
    if call.body is not None:
        content = ', "Content-Type": "application/json"'
        text = json.dumps(call.body, ensure_ascii=False, indent=2).replace("\n", "\n  ")
        body = f"  body: JSON.stringify({text}),\n"
    return (
        f'const answer = await fetch("{call.url}", {{\n  method: "{call.method}",\n'
        f'  headers: {{ Authorization: "Bearer {UNFILLED}"{content} }},\n{body}}});\n'
        "console.log(answer.status, await answer.json());\n"
    )
