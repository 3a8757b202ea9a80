"""The failures of the webhooks app that a caller may expect."""

from postroom.kit.errors import Conflict, Invalid, NotFound


class NoSuchEndpoint(NotFound):
    """There is no such webhook in this workspace."""

    code = "no_such_webhook"


class NoSuchCall(NotFound):
    """There is no such call of this webhook."""

    code = "no_such_webhook_call"


class BadEndpoint(Invalid):
    """The webhook breaks a rule: its address, its events or its secret."""

    code = "bad_webhook"


class EndpointState(Conflict):
    """The webhook is in a state that forbids the act."""

    code = "webhook_state"


class CallState(Conflict):
    """The call is still under way."""

    code = "webhook_call_state"
