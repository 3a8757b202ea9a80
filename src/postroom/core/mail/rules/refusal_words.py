"""What servers say in words where their codes say too little; the phrases of real servers, in any case."""

import re
from typing import Final


def _any_of(*phrases: str) -> "re.Pattern[str]":
    return re.compile("|".join(phrases), re.IGNORECASE)


_WHO: Final = r"(?:user|recipient|mailbox|account|address|addressee)"

BAD_ADDRESS: Final = _any_of(
    r"user (?:is )?unknown",
    r"unknown (?:user|recipient|mailbox|local[ -]part|address)",
    r"no such (?:user|mailbox|recipient|address|person|account)",
    _WHO + r"(?: \S{1,254})? (?:does ?n[o']t exist|does not exist|not found|is invalid|unknown)",
    r"doesn't have an? \S{1,80} account",
    r"invalid (?:recipient|mailbox)",
    r"not a (?:valid|known) (?:user|mailbox|recipient)",
    r"unrouteable address",
    r"recipientnotfound",
    r"no mailbox here by that name",
    r"email account that you tried to reach does not exist",
    r"recipient address rejected: access denied",  # Microsoft 365: the directory does not know the address
    r"\(s2017062302\)",  # Outlook.com's unknown user, under the nondescript 5.5.0
    r"unknown in (?:virtual|local|relay) ",
)
MAILBOX: Final = _any_of(
    r"mailbox (?:is )?(?:full|disabled|unavailable|inactive|locked|suspended)",
    r"over ?(?:its |the )?quota",
    r"quota exceeded",
    r"exceeded (?:its |the )?(?:storage|quota)",
    r"account (?:has been |is )?(?:suspended|locked|deactivated|disabled|inactive)",
    r"out of storage",
)
CONFIGURATION: Final = _any_of(
    r"unauthenticated",
    r"\bdmarc\b",
    r"\bspf\b",
    r"\bdkim\b",
    r"reverse dns",
    r"\bptr\b",
    r"sender (?:address )?(?:verify|verification) fail",
    r"not owned by user",
    r"relay(?:ing)? (?:access )?(?:is )?(?:denied|not permitted|not allowed)",
    r"unable to relay",
    r"not (?:permitted|authori[sz]ed) to (?:relay|send)",
    r"permissions? to send as",
    r"was not authenticated",
    r"authentication (?:is )?required",
    r"must (?:first )?issue a? ?starttls",
    r"sender address rejected: domain (?:not found|does not)",
    r"bad outbound sender",
    r"sender domain (?:must|does not)",
)
BLOCKED: Final = _any_of(
    r"\bblock(?:ed|list)",
    r"black ?list",
    r"\bbanned\b",
    r"\brbl\b",
    r"dnsbl",
    r"spamhaus",
    r"spamcop",
    r"barracudacentral",
    r"\bsorbs\b",
    r"reputation",
    r"\bpolicy\b",
    r"prohibit",
    r"listed (?:at|by|in|on)\b",
)
CONTENT: Final = _any_of(
    r"\bspam",
    r"unsolicited",
    r"\bvirus",
    r"malware",
    r"phish",
    r"\bcontent\b",
    r"attachment",
    r"too (?:large|big|long)",
    r"message size",
    r"exceeds (?:the )?(?:maximum|size|fixed)",
    r"bulk mail",
    r"suspicious (?:url|link)",
    r"\buribl\b",
)
GREYLISTED: Final = _any_of(r"gr[ea]y-?list", r"postgrey", r"come back later")
RATE: Final = _any_of(
    r"\brate\b",
    r"too many (?:messages|connections|e?mails|sessions|errors|concurrent)",
    r"too (?:fast|much mail)",
    r"throttl",
    r"unusual (?:rate|volume|amount)",
    r"unexpected volume",
    r"user complaints",
    r"slow down",
    r"(?:message|sending|hourly|daily|connection) limit",
    r"limit (?:exceeded|reached)",
    r"deferred due to",
)
FULL: Final = _any_of(r"\bfull\b", r"quota", r"out of storage", r"over ?limit")
