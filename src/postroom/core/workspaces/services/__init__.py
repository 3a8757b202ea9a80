"""Writes of tenancy: organizations, workspaces, people who sign in, keys, and the audit trail of everybody's writes."""

from postroom.core.workspaces.services.audit import record_audit, record_audits, scrub_audit
from postroom.core.workspaces.services.keys import KeyIdentity, authenticate_key, create_api_key, revoke_api_key
from postroom.core.workspaces.services.members import add_member, create_user
from postroom.core.workspaces.services.rates import RateWindow, count_requests
from postroom.core.workspaces.services.tenants import create_organization, create_workspace

__all__ = [
    "KeyIdentity",
    "RateWindow",
    "add_member",
    "authenticate_key",
    "count_requests",
    "create_api_key",
    "create_organization",
    "create_user",
    "create_workspace",
    "record_audit",
    "record_audits",
    "revoke_api_key",
    "scrub_audit",
]
