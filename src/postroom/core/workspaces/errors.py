"""What may go wrong with tenancy and access."""

from postroom.kit.errors import Conflict, Invalid, NotFound, NotPermitted


class WorkspaceNotFound(NotFound):
    """There is no such workspace."""

    code = "workspace_not_found"


class SlugTaken(Conflict):
    """Another workspace has this address already."""

    code = "workspace_slug_taken"


class BadSlug(Invalid):
    """A workspace's address is made of small letters, digits and hyphens."""

    code = "workspace_slug_invalid"


class BadTimezone(Invalid):
    """There is no such time zone."""

    code = "workspace_timezone_invalid"


class EmailTaken(Conflict):
    """Somebody signs in with this e-mail already."""

    code = "user_email_taken"


class WeakPassword(Invalid):
    """The password is too easy to guess."""

    code = "user_password_weak"


class BadUser(Invalid):
    """A user needs an e-mail to sign in with."""

    code = "user_invalid"


class ForeignWorkspace(Invalid):
    """The workspace belongs to another organization."""

    code = "membership_workspace_foreign"


class UserNotFound(NotFound):
    """Nobody signs in with this e-mail."""

    code = "user_not_found"


class AlreadyMember(Conflict):
    """This person is a member there already."""

    code = "membership_exists"


class RoleTooLow(NotPermitted):
    """Your role in this workspace does not allow that."""

    code = "role_too_low"


class DoorWithoutKeys(Invalid):
    """Keys exist for the API doors only."""

    code = "api_key_door_invalid"


class KeyNotFound(NotFound):
    """There is no such API key."""

    code = "api_key_not_found"


class BadKey(NotPermitted):
    """The API key is unknown, expired or revoked."""

    code = "api_key_refused"


class KeyTooNarrow(NotPermitted):
    """The API key's scopes do not include that."""

    code = "api_key_too_narrow"
