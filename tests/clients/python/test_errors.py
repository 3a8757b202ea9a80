"""Every shape of refusal, as the client hands it on."""

from typing import Any

import pytest
from conftest import FACTS, make_client
from usesend import UseSend, UseSendHTTPError

LETTER: dict[str, Any] = {"to": "ann@example.com", "from": "shop@acme.example", "subject": "Hi", "text": "Hi"}


def test_without_a_key_and_with_a_wrong_one() -> None:
    nobody = {"code": "UNAUTHORIZED", "message": "No Authorization header provided"}
    assert make_client(" ").domains.list() == (None, nobody)
    for key in ("us_0123456789_" + "0" * 32, "nonsense", FACTS["key"][:-1]):
        assert make_client(key).domains.list() == (None, {"code": "FORBIDDEN", "message": "Invalid API token"})


def test_raising_clients_are_told_status_code_and_message() -> None:
    client = make_client(raises=True)
    with pytest.raises(UseSendHTTPError) as raised:
        client.emails.get("0" * 32)
    assert (raised.value.status_code, raised.value.error["code"]) == (404, "NOT_FOUND")
    assert str(raised.value).endswith("404 NOT_FOUND: Email not found")
    with pytest.raises(UseSendHTTPError) as raised:
        client.emails.send({"to": "ann@example.com"})
    assert (raised.value.status_code, raised.value.error["name"]) == (400, "ZodError")


def test_an_unfit_request_lists_its_issues(client: UseSend) -> None:
    data, error = client.emails.send({**LETTER, "from": 7})
    assert data is None
    issue = {"code": "invalid_type", "expected": "string", "received": "number"}
    wanted = {**issue, "path": ["from"], "message": "Expected string, received number"}
    assert error == {"issues": [wanted], "name": "ZodError"}


def test_verifying_an_unknown_domain_is_told_in_a_plain_text(client: UseSend) -> None:
    assert client.domains.verify(10**9) == (None, "Domain not found")


def test_an_unknown_address_is_no_json(client: UseSend) -> None:
    error = {"code": "INTERNAL_SERVER_ERROR", "message": "Not Found"}
    for answer in (
        client.get("/nowhere"),
        client.post("/nowhere", {}),
        client.put("/nowhere", {}),
        client.patch("/nowhere", {}),
        client.delete("/nowhere"),
    ):
        assert answer == (None, error)


def test_a_key_to_send_sends_and_opens_nothing_else() -> None:
    client = make_client(FACTS["sending_key"])
    data, error = client.emails.send(LETTER)
    assert error is None
    assert client.emails.get(data["emailId"])[1] is None
    for _, refused in (client.domains.list(), client.contact_books.list(), client.campaigns.get("0" * 32)):
        assert refused["code"] == "FORBIDDEN"


def test_a_key_of_one_domain_sends_from_no_other() -> None:
    client = make_client(FACTS["bound_key"])
    wanted = {"code": "FORBIDDEN", "message": "API key does not have access to domain: acme.example"}
    assert client.emails.send(LETTER) == (None, wanted)
    assert client.emails.batch([{**LETTER, "from": "a@bound.example"}, LETTER]) == (None, wanted)
    assert client.emails.send({**LETTER, "from": "a@bound.example"})[1] is None
