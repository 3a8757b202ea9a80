"""Machines and people apart."""

import pytest

from postroom.core.mail.rules import bots

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36"
PEOPLE = (
    CHROME,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.4.0",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Microsoft Outlook 16.0.5; ms-office; MSOffice 16)",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
    "Mozilla/5.0 (Linux; Android 10; CUBOT NOTE 20) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
)
PROXIES = (
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
)
MACHINES = (
    "",
    "Mozilla/5.0",
    "Barracuda Sentinel (EE)",
    "Mozilla/5.0 (compatible; Proofpoint URL Defense)",
    "Mimecast-Scanner/1.0",
    "Mozilla/5.0 (Windows NT 10.0) Microsoft Office Protection",
    "SafeLinks/1.0",
    "curl/8.5.0",
    "python-requests/2.32",
    "Go-http-client/2.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/120.0",
    "facebookexternalhit/1.1",
    "Slackbot-LinkExpanding 1.0",
    "Apache-HttpClient/4.5",
)


@pytest.mark.parametrize("agent", PEOPLE)
def test_a_person_opens_and_clicks(agent: str) -> None:
    assert not bots.classify_open(agent=agent, ip="203.0.113.0", seconds_since_sent=30)
    assert not bots.classify_click(agent=agent, method="GET", seconds_since_sent=30)


@pytest.mark.parametrize("agent", PROXIES)
def test_a_person_behind_an_image_proxy_counts_as_a_person_however_early(agent: str) -> None:
    assert not bots.classify_open(agent=agent, ip="66.249.84.0", seconds_since_sent=0.2)


@pytest.mark.parametrize("agent", MACHINES)
def test_a_machine_is_a_machine_however_late(agent: str) -> None:
    assert bots.classify_open(agent=agent, ip="203.0.113.0", seconds_since_sent=86_400)
    assert bots.classify_click(agent=agent, method="GET", seconds_since_sent=None)


def test_what_comes_within_a_second_of_the_hand_over_is_a_machine() -> None:
    assert bots.classify_open(agent=CHROME, ip="", seconds_since_sent=0.99)
    assert bots.classify_click(agent=CHROME, method="GET", seconds_since_sent=0.99)
    assert not bots.classify_open(agent=CHROME, ip="", seconds_since_sent=1.0)
    assert not bots.classify_click(agent=CHROME, method="GET", seconds_since_sent=1.0)


def test_only_a_get_is_a_click_of_a_person() -> None:
    assert bots.classify_click(agent=CHROME, method="HEAD", seconds_since_sent=60)


def test_apples_own_servers_are_machines() -> None:
    assert bots.classify_open(agent=CHROME, ip="17.58.0.0", seconds_since_sent=60)


@pytest.mark.parametrize(
    ("ip", "short"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("fe80::1%eth0", "fe80::"),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_an_address_is_shortened_to_its_network(ip: str, short: str) -> None:
    assert bots.shorten_ip(ip) == short
