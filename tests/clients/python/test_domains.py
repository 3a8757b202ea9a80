"""Domains by the client: added, published, verified, deleted."""

from conftest import publish, until
from usesend import UseSend


def test_a_domain_is_added_verified_and_deleted(client: UseSend) -> None:
    domain, error = client.domains.create({"name": "python.example", "region": "eu-west-1"})
    assert error is None
    assert (domain["name"], domain["status"], domain["isVerifying"]) == ("python.example", "PENDING", False)
    assert (domain["clickTracking"], domain["openTracking"]) == (False, False)
    assert isinstance(domain["id"], int)
    assert {record["type"] for record in domain["dnsRecords"]} == {"MX", "TXT"}
    assert any(one["id"] == domain["id"] for one in client.domains.list()[0])
    publish(domain)
    data, error = client.domains.verify(domain["id"])
    assert (data, error) == ({"message": "Domain verification started"}, None)
    found = until(lambda: verified(client, domain["id"]))
    assert all(record["status"] == "SUCCESS" for record in found["dnsRecords"] if not record.get("recommended"))
    data, error = client.domains.delete(domain["id"])
    wanted = {"id": domain["id"], "success": True, "message": "Domain deleted successfully"}
    assert (data, error) == (wanted, None)
    assert client.domains.get(domain["id"]) == (None, {"code": "NOT_FOUND", "message": "Domain not found"})


def verified(client: UseSend, domain: int) -> dict[str, object] | None:
    found, error = client.domains.get(domain)
    assert error is None
    return found if found["status"] == "SUCCESS" else None


def test_a_name_can_be_added_once(client: UseSend) -> None:
    domain, _ = client.domains.create({"name": "once.python.example", "region": "us-east-1"})
    assert client.domains.create({"name": "once.python.example", "region": "us-east-1"})[1]["code"] == "NOT_UNIQUE"
    assert client.domains.delete(domain["id"])[1] is None
