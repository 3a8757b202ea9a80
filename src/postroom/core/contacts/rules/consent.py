"""May we mail this person? The one rule, asked when mail is accepted and again right before it is handed over."""

from typing import Final

from postroom.core.contacts.types import ConsentState, MailState, MemberStatus, SuppressionReason, Verdict

CONSENT_FREE: Final = frozenset({"transactional", "reply", "system"})
"""Message classes that answer something the person did; every other class needs the person's will."""

_ALLOWED: Final = Verdict(is_allowed=True)


def may_we_mail(
    state: MailState, *, message_class: str, has_list: bool, has_category: bool, allows_prospects: bool = False
) -> Verdict:
    """Judge one address. ``allows_prospects``: outreach may go to people who never said yes (a workspace's setting).

    A suppression forbids every class but for the reason ``unsubscribed``: that is an opt-out, and forbids what needs
    the person's will. The reason is the suppression's own, or one of ``erased``, ``opted_out_everywhere``,
    ``opted_out``, ``not_on_list``, ``consent_withdrawn``, ``no_consent``.
    """
    reason = _forbidden(state)
    if not reason and message_class not in CONSENT_FREE:
        is_prospecting = message_class == "outreach" and allows_prospects
        reason = _unwanted(state, has_list=has_list, has_category=has_category, is_prospecting=is_prospecting)
    return Verdict(is_allowed=False, reason=reason) if reason else _ALLOWED


def _forbidden(state: MailState) -> str:
    """Why nothing at all may go to this address. An opt-out kept as a suppression is no such reason (ADR 0018)."""
    if state.is_erased:
        return SuppressionReason.ERASED.value
    if state.suppression is None or state.suppression is SuppressionReason.UNSUBSCRIBED:
        return ""
    return state.suppression.value


def _unwanted(state: MailState, *, has_list: bool, has_category: bool, is_prospecting: bool) -> str:
    """Why the person does not want mail of a class that needs their will."""
    if reason := _opted_out(state):
        return reason
    if has_list and state.list_status is not MemberStatus.SUBSCRIBED:
        return "not_on_list"
    if has_category and state.consent is ConsentState.WITHDRAWN:
        return "consent_withdrawn"
    if has_category and state.consent is None and not is_prospecting:
        return "no_consent"
    return ""


def _opted_out(state: MailState) -> str:
    """How the person said that they want no such mail at all."""
    if state.suppression is SuppressionReason.UNSUBSCRIBED:
        return state.suppression.value
    if state.is_globally_opted_out:
        return "opted_out_everywhere"
    return "opted_out" if state.is_workspace_unsubscribed else ""
