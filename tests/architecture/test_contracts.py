"""What the dialects offer is what the contracts promise: same method and path, same parameters, same fields, same
statuses. A difference is listed, with its reason, in ``docs/deviations.md``, or it fails.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from ninja import NinjaAPI

from postroom.api.crm.api import api as crm
from postroom.api.usesend.api import api as usesend
from tests.architecture.sources import ROOT

HOME: Final = ROOT.parent.parent
METHODS: Final = ("get", "post", "put", "patch", "delete")


class Document:
    """An OpenAPI document with its references followed, paths from the root of the dialect."""

    def __init__(self, whole: Mapping[str, Any], base: str = "") -> None:
        self._whole = whole
        self._base = base

    def operations(self) -> dict[str, "Operation"]:
        """Return the operations by id."""
        found = {}
        for path, item in self._whole["paths"].items():
            for method in METHODS:
                if method in item:
                    one = Operation(self, method, self._base + path, item, item[method])
                    found[one.id] = one
        return found

    def follow(self, node: Any) -> Any:
        """Return what ``node`` refers to, or itself."""
        while isinstance(node, dict) and "$ref" in node:
            target: Any = self._whole
            for name in node["$ref"].removeprefix("#/").split("/"):
                target = target[name]
            node = target
        return node

    def fields(self, schema: Any) -> tuple[set[str], set[str]]:
        """Return (all, required) names of the object that a schema describes, of its items when it is a list."""
        schema = self.follow(schema)
        if "items" in schema:
            return self.fields(schema["items"])
        names, required = set(schema.get("properties", ())), set(schema.get("required", ()))
        for part in schema.get("allOf", ()):
            more, needed = self.fields(part)
            names, required = names | more, required | needed
        return names, required

    @property
    def security(self) -> Any:
        """What opens the operations that say nothing of their own."""
        return self._whole.get("security", [])


class Operation:
    """One operation of a document."""

    def __init__(self, document: Document, method: str, path: str, item: Any, node: Any) -> None:
        self.document, self._item, self._node = document, item, node
        self.id = str(node["operationId"])
        self.address = f"{method.upper()} {path}"

    def parameters(self) -> set[tuple[str, str, bool]]:
        """Return each parameter's name, place, and whether it must be there."""
        nodes = [*self._item.get("parameters", ()), *self._node.get("parameters", ())]
        found = [self.document.follow(node) for node in nodes]
        return {(one["name"], one["in"], bool(one.get("required", False))) for one in found}

    def statuses(self) -> set[str]:
        """Return the statuses it may answer with."""
        return {str(status) for status in self._node["responses"]}

    def is_open(self) -> bool:
        """Whether it says that anybody may call it."""
        return {} in self._node.get("security", self.document.security)

    def body(self) -> tuple[set[str], set[str]]:
        """Return the body's fields, all and required."""
        return self._fields(self._node.get("requestBody"))

    def answer(self, status: str) -> tuple[set[str], set[str]]:
        """Return the fields of an answer, all and required."""
        return self._fields(self.document.follow(self._node["responses"][status]))

    def successes(self) -> set[str]:
        """Return the statuses of success."""
        return {status for status in self.statuses() if status.startswith("2")}

    def _fields(self, holder: Any) -> tuple[set[str], set[str]]:
        if holder is None:
            return set(), set()
        return self.document.fields(holder["content"]["application/json"]["schema"])


def load(name: str) -> Any:
    return yaml.safe_load((HOME / "contracts" / f"{name}.yaml").read_text(encoding="utf-8"))


def contract(name: str, base: str) -> Document:
    return Document(load(name), base)


def contract_of_usesend() -> Document:
    """Return the contract with its supplement, which names successes only; its refusals are those of kin."""
    whole, later = load("usesend"), load("usesend-later")
    for path, item in later["paths"].items():
        for method in METHODS:
            if method in item:
                item[method]["responses"] |= kin_refusals(whole, item[method]["tags"][0])
                item[method]["parameters"] = [*item.get("parameters", ()), *item[method].get("parameters", ())]
        mine = {method: item[method] for method in METHODS if method in item}
        whole["paths"][path] = whole["paths"].get(path, {}) | mine
    deleted = whole["paths"]["/v1/campaigns/{campaignId}"]["delete"]["responses"]["200"]["content"]
    deleted["application/json"]["schema"] = {"$ref": "#/components/schemas/Campaign"}  # as its description says
    schemas = whole["components"]["schemas"]
    variables = later["components"]["schemas"].pop("ContactBookVariables")["properties"]
    for schema in ("ContactBook", "ContactBookCreate", "ContactBookUpdate"):
        schemas[schema]["properties"] |= variables
    schemas["ContactBook"]["required"].append("variables")
    whole["components"]["schemas"] = later["components"]["schemas"] | schemas
    return Document(whole, "/api")


def kin_refusals(whole: Any, tag: str) -> dict[str, Any]:
    """Return how an operation of this kind may refuse; what names nothing by id finds everything."""
    named = whole["paths"]["/v1/emails/{emailId}" if tag != "Analytics" else "/v1/emails"]
    return {status: answer for status, answer in named["get"]["responses"].items() if not status.startswith("2")}


CONTRACTS: Final = {"usesend": contract_of_usesend(), "crm": contract("crm", "")}
APIS: Final[Mapping[str, NinjaAPI]] = {"usesend": usesend, "crm": crm}
OFFERED: Final = {
    name: Document(json.loads(json.dumps(api.get_openapi_schema(path_prefix="")))) for name, api in APIS.items()
}
OPERATIONS: Final = [(name, one) for name, document in OFFERED.items() for one in sorted(document.operations())]


def differences(offered: Operation, promised: Operation) -> Iterator[str]:
    """Yield in a few words each way in which an operation is not what the contract says."""
    if offered.address != promised.address:
        yield f"{offered.address} instead of {promised.address}"
    for name, place, _ in offered.parameters() ^ promised.parameters():
        yield f"parameter {name} in {place}"
    for status in offered.statuses() ^ promised.statuses():
        yield f"status {status}"
    if promised.is_open() and not offered.is_open():
        yield "a key is asked for"
    (names, required), (wanted, needed) = offered.body(), promised.body()
    yield from (f"body field {name}" for name in names ^ wanted)
    yield from (f"body field {name} required" for name in (required ^ needed) & names & wanted)
    for status in offered.successes() & promised.successes():
        (names, required), (wanted, needed) = offered.answer(status), promised.answer(status)
        yield from (f"answer field {name}" for name in names ^ wanted)
        yield from (f"answer field {name} may be missing" for name in needed - required)


def listed(path: Path = HOME / "docs" / "deviations.md") -> dict[tuple[str, str], str]:
    """Return the text on each operation that the list of deviations names."""
    texts: dict[tuple[str, str], str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("| \n").split("|")]
        if len(cells) == 4 and cells[0] in CONTRACTS:
            for operation in cells[1].replace("`", "").split(","):
                key = (cells[0], operation.strip())
                texts[key] = texts.get(key, "") + cells[2].replace("`", "") + "\n"
    return texts


@pytest.mark.parametrize(("dialect", "operation"), OPERATIONS)
def test_an_operation_is_what_its_contract_promises(dialect: str, operation: str) -> None:
    offered = OFFERED[dialect].operations()[operation]
    promised = CONTRACTS[dialect].operations().get(operation)
    assert promised is not None, f"the contract of {dialect} has no {operation}"
    text = listed().get((dialect, operation), "")
    assert [found for found in differences(offered, promised) if found not in text] == []


@pytest.mark.parametrize("dialect", sorted(CONTRACTS))
def test_the_list_of_deviations_names_only_operations_that_are_promised(dialect: str) -> None:
    named = {operation for name, operation in listed() if name == dialect}
    assert named - set(CONTRACTS[dialect].operations()) - {"all"} == set()


def test_a_difference_that_nobody_listed_is_found() -> None:
    offered, promised = OFFERED["crm"].operations(), CONTRACTS["crm"].operations()
    assert "status 404" in set(differences(offered["listContacts"], promised["getContact"]))
    assert "body field email" in set(differences(offered["getContact"], promised["updateContact"]))
    assert "parameter X-Workspace-Id in header" in set(differences(offered["getContact"], promised["getSandboxStatus"]))


def test_what_is_not_built_yet_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    for dialect, document in CONTRACTS.items():
        promised, offered = set(document.operations()), set(OFFERED[dialect].operations())
        with capsys.disabled():
            sys.stdout.write(
                f"\n{dialect}: {len(offered)} of the {len(promised)} operations of its contract are built "
            )
        assert offered <= promised
