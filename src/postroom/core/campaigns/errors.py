"""What may go wrong with campaigns."""

from postroom.kit.errors import Conflict, Invalid, NotFound


class NoSuchCampaign(NotFound):
    """There is no such campaign in this workspace."""

    code = "no_such_campaign"


class BadCampaign(Invalid):
    """A campaign cannot be written like this."""

    code = "bad_campaign"


class CampaignIncomplete(Invalid):
    """The campaign is not ready to be sent; ``missing`` names what it lacks."""

    code = "campaign_incomplete"


class NobodyToMail(CampaignIncomplete):
    """Nobody who is subscribed could get the campaign."""

    code = "nobody_to_mail"


class AudienceGone(CampaignIncomplete):
    """The lists that the campaign was for are deleted; who it is for has to be said again."""

    code = "audience_gone"


class NothingToSay(CampaignIncomplete):
    """The campaign has no words yet."""

    code = "nothing_to_say"


class NoWayOut(BadCampaign):
    """What goes to many holds the link to leave."""

    code = "no_way_out"


class UnknownAudience(BadCampaign):
    """The list that a campaign is to be for is none of this workspace."""

    code = "unknown_audience"


class CampaignNotReady(Invalid):
    """The mailbox providers would not take the campaign as things stand; ``findings`` says what to mend."""

    code = "campaign_not_ready"


class CampaignState(Conflict):
    """The campaign is in a state that forbids this."""

    code = "campaign_state"
