"""``python -m tests.fuzz.api [--cases N] [--seed S]``: asks a running installation everything that useSend's contract
allows and forbids, also in sequences, and fails on any answer that the contract does not describe.

The installation, its data and whatever asks are this run's own.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
SCHEMATHESIS: Final = ROOT / ".tools" / "fuzz" / "bin" / "schemathesis"
CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
LINKS: Final = {
    # What an answer names, and the operations whose path can name it.
    "createDomain": ("id", "$response.body#/id", ("getDomain", "verifyDomain", "deleteDomain")),
    "sendEmail": ("emailId", "$response.body#/emailId", ("getEmail", "updateEmail", "cancelEmail")),
    "sendEmailBatch": ("emailId", "$response.body#/data/0/emailId", ("getEmail", "updateEmail", "cancelEmail")),
    "createContactBook": (
        "contactBookId",
        "$response.body#/id",
        (
            "getContactBook",
            "updateContactBook",
            "deleteContactBook",
            "createContact",
            "listContacts",
            "bulkCreateContacts",
            "bulkDeleteContacts",
        ),
    ),
    "createCampaign": (
        "campaignId",
        "$response.body#/id",
        ("getCampaign", "scheduleCampaign", "pauseCampaign", "resumeCampaign", "deleteCampaign"),
    ),
}
ADDED: Final = {("createDomain", "409"): "IdempotencyConflict"}
"""What we answer beside what the contract names, listed in docs/deviations.md, in the shape of an answer it has."""
LETTER: Final[dict[str, Any]] = {"to": "a@example.com", "from": "b@acme.example", "subject": "Hi", "text": "Hi"}


def contract(samples: dict[str, str]) -> Any:
    """Return the contract with its supplement as one document, the links of its answers, and ``samples`` of ids."""
    whole, later = (
        yaml.safe_load((ROOT / "contracts" / f"{name}.yaml").read_text()) for name in ("usesend", "usesend-later")
    )
    refusals = {
        "400": "BadRequest",
        "401": "Unauthorized",
        "403": "Forbidden",
        "404": "NotFound",
        "429": "RateLimited",
        "500": "ServerError",
    }
    for path, item in later["paths"].items():
        for node in item.values():
            if isinstance(node, dict):
                for status, name in refusals.items():
                    node["responses"].setdefault(status, {"$ref": f"#/components/responses/{name}"})
        whole["paths"].setdefault(path, {}).update(item)
    for name, schema in later["components"]["schemas"].items():
        whole["components"]["schemas"].setdefault(name, schema)
    nodes = {node["operationId"]: node for _, node in _operations(whole)}
    for source, (parameter, expression, targets) in LINKS.items():
        nodes[source]["responses"]["200"]["links"] = {
            target: {"operationId": target, "parameters": {parameter: expression}} for target in targets
        }
    for (operation, status), response in ADDED.items():
        nodes[operation]["responses"][status] = {"$ref": f"#/components/responses/{response}"}
    for parameter in whole["components"]["parameters"].values():
        if parameter["name"] in samples:
            parameter["example"] = samples[parameter["name"]]
    return whole


def _operations(document: Any) -> Iterator[tuple[str, Any]]:
    for path, item in document["paths"].items():
        yield from ((path, node) for node in item.values() if isinstance(node, dict) and "operationId" in node)


def fill(url: str, key: str) -> dict[str, Any]:
    """Make what a team has: e-mails in several states, a domain, a book with people, a campaign. Return their ids."""
    import httpx2

    with httpx2.Client(base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:

        def make(path: str, body: Any) -> Any:
            reply = client.post(path, json=body)
            if reply.status_code != 200:
                raise SystemExit(f"The team's data cannot be made: {path} answered {reply.status_code} {reply.text}")
            return reply.json()

        domain = make("/domains", {"name": "acme.example", "region": "eu-west-1"})["id"]
        book = make("/contactBooks", {"name": "Readers", "doubleOptInEnabled": False})["id"]
        people = [
            make(f"/contactBooks/{book}/contacts", {"email": f"reader{number}@example.com", "firstName": "Ann"})
            for number in range(5)
        ]
        html = '<a href="{{usesend_unsubscribe_url}}">Leave</a>'
        new = {"name": "March", "from": "b@acme.example", "subject": "Hi", "contactBookId": book, "html": html}
        campaign = make("/campaigns", new)["id"]
        make("/campaigns", {**new, "sendNow": True})
        email = make("/emails", LETTER)["emailId"]
        make("/emails/batch", [{**LETTER, "subject": f"Letter {number}"} for number in range(60)])
        scheduled = make("/emails", {**LETTER, "scheduledAt": "2040-01-01T00:00:00Z"})["emailId"]
        client.post(f"/emails/{scheduled}/cancel")
        make("/emails", {**LETTER, "scheduledAt": "2040-01-01T00:00:00Z"})
    return {
        "id": domain,
        "emailId": email,
        "contactBookId": book,
        "contactId": people[0]["contactId"],
        "campaignId": campaign,
    }


def ask(directory: Path, url: str, key: str, log: Path, cases: int, seed: int) -> int:
    """Run schemathesis and print one screen of what it found; return 0 if every answer was the contract's."""
    document = directory / "contract.json"
    report = directory / "report.ndjson"
    document.write_text(json.dumps(contract(fill(url, key)), default=str))
    operations = len(list(_operations(json.loads(document.read_text()))))
    command = [
        str(SCHEMATHESIS),
        "run",
        str(document),
        "--url",
        f"{url}/api",
        "--header",
        f"Authorization:Bearer {key}",
    ]
    command += [
        "--checks",
        ",".join(CHECKS),
        "--max-examples",
        str(max(1, cases * 6 // 5 // operations)),
        "--workers",
        "2",
    ]
    command += ["--phases", "examples,coverage,fuzzing,stateful", "--seed", str(seed), "--generation-database", "none"]
    command += ["--continue-on-failure", "--suppress-health-check", "all", "--request-timeout", "30", "--no-color"]
    command += ["--report", "ndjson", "--report-ndjson-path", str(report), "--warnings", "off"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    _, found, failures = done.stdout.partition("= FAILURES =")
    generated = re.search(r"([\d,]+) generated", done.stdout)
    number = int(generated[1].replace(",", "")) if generated else 0
    sys.stdout.write(f"= FAILURES ={failures}" if found else done.stdout[done.stdout.find("API Links") :])
    sys.stdout.write(done.stderr[-2_000:])
    unexpected, unlike = count_surprises(log), done.stdout.count("Test Case ID")
    sys.stdout.write(
        f"\n{operations} operations, {number:,} cases (asked for: {cases:,}), {unlike} unlike the contract,"
        f" {unexpected} surprises in the log, seed {seed}.\n"
    )
    return int(done.returncode != 0 or number < cases or unexpected > 0)


def count_surprises(log: Path) -> int:
    """Return how often the installation said that something happened which it has no words for."""
    return sum("api.unexpected" in line or "Traceback" in line for line in log.read_text(errors="replace").splitlines())


def main() -> int:
    """Run everything."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.api", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="how many at least (default: 10000)")
    parser.add_argument("--seed", type=int, default=1, help="where chance begins (default: 1)")
    arguments = parser.parse_args()
    if not SCHEMATHESIS.exists():
        raise SystemExit("schemathesis is missing: `make fuzz-api` installs it.")
    with TemporaryDirectory(prefix="postroom-fuzz-") as name:
        directory = Path(name)
        for setting in [key for key in os.environ if key.startswith("POSTROOM_")] + ["DATABASE_URL"]:
            os.environ.pop(setting, None)
        os.environ.update(POSTROOM_DATA_DIR=str(directory / "own"), DJANGO_SETTINGS_MODULE="postroom.config.settings")
        import django

        django.setup()
        from tests.clients.ground import Ground

        with Ground(directory) as ground:
            return ask(
                directory, ground.facts["url"], ground.facts["key"], ground.running.log, arguments.cases, arguments.seed
            )


if __name__ == "__main__":
    sys.exit(main())
