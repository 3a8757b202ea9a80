"""Opens and clicks that no person made: privacy proxies, security scanners, libraries, and hits too early to be human.

GoogleImageProxy and YahooMailProxy fetch an image when a person opens the message, so their opens count as human.
Apple's Mail Privacy Protection fetches every image whether anybody reads or not, so its opens are machine opens; it
hides behind a bare "Mozilla/5.0".
"""

import ipaddress
import re
from functools import lru_cache
from typing import Final

OPEN_TOO_EARLY_S: Final = 1.0
"""An open sooner than this after the hand-over comes from a scanner in the delivery path."""

CLICK_TOO_EARLY_S: Final = 1.0
"""A click sooner than this after the hand-over comes from a scanner in the delivery path."""

_MAX_AGENT: Final = 500

_PEOPLE_BY_PROXY: Final = re.compile(r"GoogleImageProxy|ggpht\.com|YahooMailProxy", re.IGNORECASE)

_PREFETCHING_AGENTS: Final = frozenset({"mozilla/5.0", "mozilla", "-"})

_SCANNERS: Final = re.compile(
    r"barracuda|proofpoint|mimecast|safelinks|microsoft office.{0,40}protection|msoffice existence|bitdefender|fireeye"
    r"|trellix|mcafee|symantec|messagelabs|sophos|trendmicro|trend micro|forcepoint|websense|ironport"
    r"|cisco.{0,20}umbrella|zscaler|fortinet|fortimail|checkpoint|check point|avanan|abnormal|cloudmark|vade ?secure"
    r"|hornetsecurity|spamtitan|mailguard|f-?secure|kaspersky|\beset\b|virustotal|urlscan|urlvoid|phishtank|netcraft|area1|tessian|ironscales"
    r"|google-safety|safebrowsing|bingpreview",
    re.IGNORECASE,
)

_MACHINES: Final = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|preview|fetch|scan|monitor|validator|link ?check|facebookexternalhit|whatsapp"
    r"|telegram|slack|skypeuri|discord|curl|wget|libwww|python|aiohttp|httpx|urllib|java/|okhttp|apache-httpclient"
    r"|go-http-client|node-fetch|axios|undici|php/|guzzle|ruby|perl|dart/|powershell|winhttp|headless|phantomjs|puppeteer|playwright"
    r"|selenium|postman|insomnia",
    re.IGNORECASE,
)


def classify_open(agent: str, ip: str, seconds_since_sent: float | None) -> bool:
    """Return True when a machine fetched the pixel. ``ip`` may be shortened; without a time only the agent counts."""
    if _is_person_by_proxy(agent):
        return False
    return _too_early(seconds_since_sent, OPEN_TOO_EARLY_S) or _is_machine(agent) or _is_own_machine(ip)


def classify_click(agent: str, method: str, seconds_since_sent: float | None) -> bool:
    """Return True when a machine followed the link: a person's client asks with GET, names itself, takes time."""
    return method != "GET" or _too_early(seconds_since_sent, CLICK_TOO_EARLY_S) or _is_machine(agent)


def shorten_ip(ip: str) -> str:
    """Return the network of an address, /24 or /48 or nothing when unreadable. Mapped addresses count as IPv4."""
    try:
        address = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    size = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network((address, size), strict=False).network_address)


def _too_early(seconds_since_sent: float | None, limit_s: float) -> bool:
    return seconds_since_sent is not None and seconds_since_sent < limit_s


@lru_cache(maxsize=4096)
def _is_person_by_proxy(agent: str) -> bool:
    return _PEOPLE_BY_PROXY.search(agent[:_MAX_AGENT]) is not None


@lru_cache(maxsize=4096)
def _is_machine(agent: str) -> bool:
    text = agent[:_MAX_AGENT].strip()
    if not text or text.lower() in _PREFETCHING_AGENTS:
        return True
    return _SCANNERS.search(text) is not None or _MACHINES.search(text) is not None


def _is_own_machine(ip: str) -> bool:
    """Apple's own network (17.0.0.0/8) carries its servers, not its customers."""
    return ip.startswith("17.")
