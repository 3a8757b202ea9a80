"""The regions that programs name for a domain: those of the one provider their API was made for.

Here mail leaves over the servers that a workspace chose, so a region decides nothing; one that nobody has is a slip.
"""

from typing import Final

from postroom.core.mail.errors import BadDomain

REGIONS: Final = frozenset(
    (
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "us-gov-east-1", "us-gov-west-1", "ca-central-1"),
        *("ca-west-1", "sa-east-1", "mx-central-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1"),
        *("eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "af-south-1", "il-central-1", "me-central-1"),
        *("me-south-1", "ap-east-1", "ap-south-1", "ap-south-2", "ap-northeast-1", "ap-northeast-2"),
        *("ap-northeast-3", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5"),
    )
)


def check_region(region: str) -> str:
    """Return a region that there is, or nothing where none is named. Raises BadDomain."""
    if region and region not in REGIONS:
        raise BadDomain(f"There is no region {region[:40]!r}.", field="region")
    return region
