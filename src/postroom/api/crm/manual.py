"""What the documentation page of the CRM API says beyond the schema."""

from typing import Final

from postroom.api.crm.errors import MANNERS
from postroom.api.shared.docs import Manual, Refusal, Sample
from postroom.core.workspaces.types import Door

MANUAL: Final = Manual(
    door=Door.CRM,
    title="CRM API",
    intro=(
        "Read and write the people of a workspace from other programs.",
        "A key works in its own workspace. Where its maker is a member of others too, X-Workspace-Id names another.",
    ),
    refusals=(
        Refusal(400, "The request does not fit, or a rule forbids it.", MANNERS.say(400, MANNERS.bad_json, None)),
        Refusal(401, "It came without a key, or with a wrong one.", MANNERS.say(401, MANNERS.no_key, None)),
        Refusal(
            403,
            "Who made the key may not do this, or is no member of the workspace.",
            MANNERS.say(403, "You are no member of this workspace.", None),
        ),
        Refusal(404, "There is no such person in the workspace.", MANNERS.say(404, "Contact not found.", None)),
        Refusal(409, "Somebody has the address already.", MANNERS.say(409, "Contact already exists.", None)),
    ),
    samples={
        "listContacts": Sample(query={"search": "ann", "pageSize": "20"}),
        "createContact": Sample(
            {"email": "ann@people.example", "firstName": "Ann", "lastName": "Lee", "addToWorkspace": True}
        ),
        "getContact": Sample(path={"id": "CONTACT_ID"}),
        "updateContact": Sample({"lastName": "Lee-Park", "language": "en"}, path={"id": "CONTACT_ID"}),
    },
)
