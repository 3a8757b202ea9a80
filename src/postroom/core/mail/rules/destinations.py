"""Which mailbox provider an address belongs to, read from its domain: each provider takes mail at a pace of its own."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from postroom.core.mail.types import Destination

# The consumer domains that the providers themselves give out. Yahoo carries the mail of AOL and of several American
# access providers; yahoo.co.jp is another company. A company's own domain is "other" until its MX says more.
_GOOGLE: Final = "gmail.com googlemail.com google.com"
_APPLE: Final = "icloud.com me.com mac.com privaterelay.appleid.com"
_MICROSOFT: Final = "msn.com windowslive.com passport.com live.com.mt webtv.net"
_YAHOO: Final = (
    "ymail.com rocketmail.com myyahoo.com yahoomail.com y7mail.com aim.com netscape.net cs.com wmconnect.com love.com"
    " games.com wow.com verizon.net att.net sbcglobal.net bellsouth.net ameritech.net pacbell.net prodigy.net snet.net"
    " swbell.net flash.net nvbell.net currently.com frontier.com frontiernet.net rogers.com cox.net"
)
_HOTMAIL_ENDS: Final = (
    "com ac at be ca ch cl co.id co.il co.in co.jp co.kr co.nz co.th co.uk co.za com.ar com.au com.bo com.br com.hk"
    " com.mx com.my com.ph com.sg com.tr com.tw com.ve com.vn cz de dk ee es fi fr gr hu ie in it jp kr lt lv ly my nl"
    " no ph pt ro rs ru se sg sk"
)
_LIVE_ENDS: Final = (
    "com at be ca ch cl cn co.in co.kr co.uk co.za com.ar com.au com.co com.mx com.my com.pe com.ph com.pk com.pt"
    " com.sg com.ve de dk fi fr hk ie in it jp nl no ph pt ru se"
)
_OUTLOOK_ENDS: Final = (
    "com at be bg ca ch cl co co.id co.il co.nz co.th com.ar com.au com.br com.gr com.pe com.tr com.vn cz de dk es fr"
    " hu ie in it jp kr lv my nl ph pt ro sa sg sk"
)
_YAHOO_ENDS: Final = (
    "com ae at be bg ca ch cl cn co.id co.il co.in co.kr co.nz co.th co.uk co.za com.ar com.au com.br com.cn com.co"
    " com.hk com.hr com.mx com.my com.pe com.ph com.sg com.tr com.tw com.ua com.ve com.vn cz de dk ee es fi fr gr hr hu"
    " ie in it lt lv nl no ph pl pt ro rs se si sk tw"
)
_AOL_ENDS: Final = (
    "com at be ca ch cl co.nz co.uk com.ar com.au com.br com.co com.mx com.tr com.ve cz de dk es fi fr hk in it jp kr"
    " nl pl ru se tw"
)


def _spell_out() -> Iterator[tuple[str, str]]:
    families = (
        (Destination.MICROSOFT, (("hotmail", _HOTMAIL_ENDS), ("live", _LIVE_ENDS), ("outlook", _OUTLOOK_ENDS))),
        (Destination.YAHOO, (("yahoo", _YAHOO_ENDS), ("aol", _AOL_ENDS))),
    )
    for destination, brands in families:
        for brand, ends in brands:
            yield from ((f"{brand}.{end}", destination.value) for end in ends.split())
    plain = (
        (Destination.GOOGLE, _GOOGLE),
        (Destination.APPLE, _APPLE),
        (Destination.MICROSOFT, _MICROSOFT),
        (Destination.YAHOO, _YAHOO),
    )
    for destination, names in plain:
        yield from ((name, destination.value) for name in names.split())


_PROVIDERS: Final[Mapping[str, str]] = MappingProxyType(dict(_spell_out()))
_NONE_KNOWN: Final[Mapping[str, str]] = MappingProxyType({})


def destination_of(address: str, known: Mapping[str, str] = _NONE_KNOWN) -> str:
    """Return who receives the mail of ``address``: a word of ``Destination``, or a domain with a limit of its own.

    ``known`` maps a domain to a word (its MX is a provider's) or to itself (it has a limit of its own), and goes first.
    """
    domain = address.rpartition("@")[2].lower()
    return known.get(domain) or _PROVIDERS.get(domain, Destination.OTHER.value)


def buckets_of(destination: str) -> tuple[str, ...]:
    """Return every limit's name that counts mail to ``destination``: itself, its provider if it is a domain, all."""
    provider = _PROVIDERS.get(destination, destination if "." not in destination else Destination.OTHER.value)
    return tuple(dict.fromkeys((destination, provider, "")))
