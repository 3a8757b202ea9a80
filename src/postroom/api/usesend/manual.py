"""What the documentation page of the sending API says beyond the schema."""

from typing import Final

from postroom.api.shared.docs import Manual, Refusal, Sample
from postroom.api.usesend.errors import MANNERS, say
from postroom.core.workspaces.types import Door
from postroom.kit.types import JSONObject

_FROM: Final = "Desk <desk@news.example>"
_LATER: Final = "2031-01-31T09:00:00Z"
_WAY_OUT: Final = '<p>Hello {{firstName}}</p><p><a href="{{usesend_unsubscribe_url}}">Unsubscribe</a></p>'
_ISSUE: Final[JSONObject] = {
    "code": "invalid_type",
    "expected": "string",
    "received": "undefined",
    "path": ["from"],
    "message": "Required",
}

MANUAL: Final = Manual(
    door=Door.USESEND,
    title="Sending API",
    intro=(
        "Send e-mail, one by one or a hundred at a time, and hear what became of it; keep contacts in books and send "
        "them campaigns; register the domains you send from.",
        "Clients written for useSend work unchanged: give them the address of this server and a key of it. Programs "
        "that speak SMTP hand their mail over with the same keys; the page “SMTP” of a workspace says how.",
        "An answer of 200 to sendEmail means that the e-mail is stored and will be sent. A request that carries an "
        "Idempotency-Key may be repeated for a day and is carried out once.",
    ),
    refusals=(
        Refusal(
            400,
            "The request does not fit: each issue says where and why.",
            {"success": False, "error": {"issues": [_ISSUE], "name": "ZodError"}},
        ),
        Refusal(400, "A rule forbids it.", say(400, "Domain: news.example is not verified", None)),
        Refusal(401, "It came without a key.", say(401, MANNERS.no_key, None)),
        Refusal(403, "The key is wrong, revoked, or may not do this.", say(403, "Invalid API token", None)),
        Refusal(404, "There is no such thing in the workspace of the key.", say(404, "Email not found", None)),
        Refusal(
            409,
            "The Idempotency-Key was used for something else, or such a request is running.",
            say(409, "Idempotency-Key already used with a different payload", None),
        ),
        Refusal(
            429,
            "Too many requests: come back after as many seconds as Retry-After says.",
            say(429, "Rate limit exceeded. Try again in 1 seconds.", None),
        ),
        Refusal(500, "Something broke here, not there.", say(500, MANNERS.unexpected, None)),
    ),
    samples={
        "createDomain": Sample({"name": "letters.example.com", "region": "us-east-1"}),
        "getDomain": Sample(path={"id": "DOMAIN_ID"}),
        "verifyDomain": Sample(path={"id": "DOMAIN_ID"}),
        "deleteDomain": Sample(path={"id": "DOMAIN_ID"}),
        "sendEmail": Sample(
            {
                "from": _FROM,
                "to": "Ann Lee <ann@people.example>",
                "subject": "Your order 4711",
                "html": "<p>It is on its way.</p>",
                "text": "It is on its way.",
                "attachments": [{"filename": "invoice.txt", "content": "NDIgZXVyb3MK"}],
            }
        ),
        "sendEmailBatch": Sample(
            [
                {"from": _FROM, "to": "ann@people.example", "subject": "Hello Ann", "text": "It is on its way."},
                {"from": _FROM, "to": ["bob@people.example"], "subject": "Hello Bob", "html": "<p>So is this.</p>"},
            ]
        ),
        "listEmails": Sample(query={"page": "1", "limit": "20"}),
        "updateEmail": Sample({"scheduledAt": _LATER}, path={"emailId": "SCHEDULED_EMAIL_ID"}),
        "cancelEmail": Sample(path={"emailId": "SCHEDULED_EMAIL_ID"}),
        "emailTimeSeries": Sample(query={"days": "7"}),
        "createContactBook": Sample({"name": "Monthly letter", "emoji": "📙", "variables": ["city"]}),
        "updateContactBook": Sample({"name": "Weekly letter"}),
        "bulkCreateContacts": Sample(
            [{"email": "ann@people.example", "firstName": "Ann"}, {"email": "bob@people.example", "subscribed": False}]
        ),
        "bulkDeleteContacts": Sample({"contactIds": ["CONTACT_ID"]}),
        "createContact": Sample(
            {"email": "cleo@people.example", "firstName": "Cleo", "properties": {"city": "Lisbon"}}
        ),
        "listContacts": Sample(query={"emails": "ann@people.example,bob@people.example"}),
        "updateContact": Sample({"lastName": "Lee", "subscribed": True}),
        "upsertContact": Sample({"email": "ann@people.example", "lastName": "Lee"}),
        "listCampaigns": Sample(query={"page": "1"}),
        "createCampaign": Sample(
            {
                "name": "January",
                "from": _FROM,
                "subject": "News for {{firstName,fallback=you}}",
                "contactBookId": "CONTACT_BOOK_ID",
                "html": _WAY_OUT,
            }
        ),
        "scheduleCampaign": Sample({"scheduledAt": "tomorrow 9am"}),
    },
)
