import pytest

from client import parse
from client.parse import NO_CANDIDATE, WEB_PAGE, parse_line, read
from transports.types import Endpoint, Rejected

FINGERPRINT = "0123456789ABCDEF0123456789ABCDEF01234567"
CERT = "AQIDBAUGBwgJCgsMDQ4PEBESExQgISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw"
OBFS4 = f"obfs4 192.0.2.1:443 {FINGERPRINT} cert={CERT} iat-mode=0"
UUID = "11111111-2222-4333-8444-555555555555"
VLESS = f"vless://{UUID}@192.0.2.30:443?encryption=none&security=tls&sni=cdn.example.com&type=ws&path=%2Fws"
SS = "ss://YWVzLTI1Ni1nY206Y29ycmVjdC1ob3JzZQ@192.0.2.10:8388"
TROJAN = "trojan://p%40ss@192.0.2.40:443?sni=t.example.com"


def found(line: str) -> list[tuple[str, str, int]]:
    """Return (transport, host, port) of each candidate in a line; a rejected one fails the test."""
    items = parse_line(line)
    assert not any(isinstance(item, Rejected) for item in items), items
    return [(item.transport, item.host, item.port) for item in items if isinstance(item, Endpoint)]


def rejected(line: str) -> list[str]:
    return [item.reason for item in parse_line(line) if isinstance(item, Rejected)]


AUTO = [("auto", "192.0.2.7", 8080)]
SOCKS = [("socks5", "192.0.2.7", 1080)]


@pytest.mark.parametrize(
    "line",
    [
        "192.0.2.7:8080",
        "\ufeff192.0.2.7:8080",
        "192.0.2.7:8080\r",
        "\u00a0192.0.2.7:8080\u00a0",
        "\u200b192.0.2.7\u200b:80\u200d80\u200e",
        "  \t192.0.2.7:8080\t  ",
        "`192.0.2.7:8080`",
        "**192.0.2.7:8080**",
        "__192.0.2.7:8080__",
        "- 192.0.2.7:8080",
        "• 192.0.2.7:8080",
        "1. 192.0.2.7:8080",
        "(12) 192.0.2.7:8080",
        "> 192.0.2.7:8080",
        "✅192.0.2.7:8080✅",
        "🇰🇿192.0.2.7:8080",
        "➡️ 192.0.2.7:8080",
        '"192.0.2.7:8080"',
        "«192.0.2.7:8080»",
        "“192.0.2.7:8080”",
        "192.0.2.7:8080#KZ",
        "192.0.2.7:8080 # works at night",
        "192.0.2.7 8080",
        "192.0.2.7\t8080",
        "192.0.2.7,8080,KZ,http",
        "192.0.2.7;8080;KZ",
        '"192.0.2.7","8080","KZ"',
        "| 192.0.2.7:8080 | KZ |",
        "| 192.0.2.7 | 8080 | KZ |",
        "192.0.2.7:8080 KZ HTTP 120ms",
        "192.0.2.7:8080 http, https",
        "http 192.0.2.7 8080",
    ],
)
def test_dirt_around_host_and_port_does_not_matter(line: str) -> None:
    assert found(line) == AUTO


@pytest.mark.parametrize(
    "line",
    [
        "[12:30, 05.01.2022] Name: 192.0.2.7:8080",
        "[05.01.22, 12:30:11] ~ Name: \u200e192.0.2.7:8080",
        "05.01.2022, 12:30 - Name: 192.0.2.7:8080",
        "[12:30, 05.01.2022] Айдар: 192.0.2.7:8080",
        "Айгүл, [05.01.2022 12:30] 192.0.2.7:8080",
        "Прокси: 192.0.2.7:8080.",
        "прокси:192.0.2.7:8080",
        "Вот рабочий — 192.0.2.7:8080, пробуйте!",
        "IP: 192.0.2.7 Порт: 8080",
        "Мына прокси жұмыс істейді: 192.0.2.7:8080 (түнде)",
        "پروکسی: 192.0.2.7:8080",
        "این پروکسی‌ها را امتحان کنید: 192.0.2.7:8080،",
        "۱۹۲.۰.۲.۷:۸۰۸۰",
        "代理：192.0.2.7:8080",
        "代理服务器192.0.2.7:8080可用",
        "１９２.０.２.７：８０８０",
        "IP：192.0.2.7 端口：8080",
    ],
)
def test_a_chat_message_around_a_proxy_does_not_matter(line: str) -> None:
    assert found(line) == AUTO


@pytest.mark.parametrize(
    "line",
    [
        "socks5://192.0.2.7:1080",
        "SOCKS5://192.0.2.7:1080",
        "socks5h://192.0.2.7:1080/",
        "socks5://192.0.2.7:1080#Имя",
        "Попробуй socks5://192.0.2.7:1080, работает!",
        "(socks5://192.0.2.7:1080)",
        "<socks5://192.0.2.7:1080>",
        "[socks5://192.0.2.7:1080]",
        "[ссылка](socks5://192.0.2.7:1080)",
        "**socks5://192.0.2.7:1080**",
        "«socks5://192.0.2.7:1080».",
        "[12:30, 05.01.2022] Name: socks5://192.0.2.7:1080.",
        "代理：socks5://192.0.2.7:1080。",
        "پروکسی: socks5://192.0.2.7:1080؟",
        "tg://socks?server=192.0.2.7&port=1080",
        "https://t.me/socks?server=192.0.2.7&port=1080",
        "жми t.me/socks?server=192.0.2.7&amp;port=1080",
        "socks5 192.0.2.7 1080",
        "SOCKS5: 192.0.2.7:1080",
        "socks5:192.0.2.7:1080",
        "192.0.2.7:1080 SOCKS5 KZ",
        "192.0.2.7,1080,socks5",
    ],
)
def test_a_socks_proxy_is_known_by_its_link_or_by_the_word_beside_it(line: str) -> None:
    assert found(line) == SOCKS


def test_words_for_two_kinds_of_socks_leave_the_kind_open() -> None:
    assert found("192.0.2.7:1080 socks4 socks5") == [("auto", "192.0.2.7", 1080)]
    assert found("192.0.2.7:1080 socks4") == [("socks4", "192.0.2.7", 1080)]


@pytest.mark.parametrize(
    ("line", "who"),
    [
        ("192.0.2.7:8080:ann:s3cret", ("ann", "s3cret")),
        ("ann:s3cret@192.0.2.7:8080", ("ann", "s3cret")),
        ("192.0.2.7:8080@ann:s3cret", ("ann", "s3cret")),
        ("логин ann:s3cret@192.0.2.7:8080", ("ann", "s3cret")),
        ("http://ann:s%40fe@192.0.2.7:8080", ("ann", "s@fe")),
        ("socks://YW5uOnMzY3JldA==@192.0.2.7:8080#n", ("ann", "s3cret")),
        ("ann:192.0.2.9@192.0.2.7:8080", ("ann", "192.0.2.9")),
    ],
)
def test_credentials_are_taken_in_every_spelling(line: str, who: tuple[str, str]) -> None:
    (item,) = parse_line(line)
    assert isinstance(item, Endpoint)
    assert (item.host, item.port, item.username, item.password) == ("192.0.2.7", 8080, *who)


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("192.0.2.7:8080,192.0.2.8:3128", 2),
        ("192.0.2.7:8080 192.0.2.8:3128; 192.0.2.9:80", 3),
        ("socks5://192.0.2.7:1080 socks5://192.0.2.8:1080", 2),
        ("socks5://192.0.2.7:1080,socks5://192.0.2.8:1080", 2),
        ("socks5://192.0.2.7:1080|http://192.0.2.8:1080", 2),
        (f"{VLESS}#a {SS}#b {TROJAN}#c", 3),
        (f"{OBFS4} {OBFS4.replace('.1:', '.2:')}", 2),
    ],
)
def test_several_on_one_line_are_all_taken(line: str, count: int) -> None:
    assert len(found(line)) == count


def test_a_link_in_the_name_of_a_node_is_no_second_node() -> None:
    assert found(f"{VLESS}#@channel|https://t.me/channel") == [("vless", "192.0.2.30", 443)]


def test_an_ampersand_copied_from_a_web_page_is_read_as_one() -> None:
    (item,) = parse_line(VLESS.replace("&", "&amp;"))
    (plain,) = parse_line(VLESS)
    assert isinstance(item, Endpoint)
    assert isinstance(plain, Endpoint)
    assert item.key() == plain.key()


@pytest.mark.parametrize("host", ["[2001:db8::7]", "proxy.example.com", "localhost", "прокси.рф"])
def test_hosts_may_be_names_and_bracketed_addresses(host: str) -> None:
    assert found(f"{host}:8080") == [("auto", host.strip("[]"), 8080)]


@pytest.mark.parametrize(
    "line",
    [
        OBFS4,
        f"Bridge {OBFS4}",
        f"- {OBFS4}",
        f"[12:30, 05.01.2022] Name: {OBFS4}",
        f"мост: {OBFS4}",
        f"پل: {OBFS4}",
        f"Ваш мост {OBFS4}",
        f"192.0.2.1:443 {FINGERPRINT}",
        f"Name: 192.0.2.1:443 {FINGERPRINT}",
    ],
)
def test_a_bridge_in_a_message_is_a_bridge(line: str) -> None:
    assert found(line) == [("tor_bridge", "192.0.2.1", 443)]


@pytest.mark.parametrize(
    "line",
    [
        f"мост: obfs4 192.0.2.1:443 {FINGERPRINT} cert=short iat-mode=0",
        f"Name: {OBFS4} спасибо",
        f"Name: 192.0.2.1:443 {FINGERPRINT} спасибо",
        "Name: obfs4 192.0.2.1:443",
        f"Name: snowflake 192.0.2.3:80 {FINGERPRINT} url=https://example.com/",
    ],
)
def test_a_broken_bridge_is_never_taken_for_a_plain_proxy(line: str) -> None:
    assert all(isinstance(item, Rejected) or item.transport == "tor_bridge" for item in parse_line(line)), (
        line
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("192.0.2.7", "no proxy"),
        ("привет, как дела?", "no proxy"),
        ("192.0.2.7:99999", "port"),
        ("192.0.2.7:0", "port"),
        ("999.0.2.7:80", "IPv4"),
        ("2001:db8::7:1080", "brackets"),
        ("http://proxy.example.com", "port is missing"),
        ("ftp://192.0.2.7:21", "not a kind of proxy"),
        ("socks4://ann:s3cret@192.0.2.7:1080", "SOCKS4"),
        ("1" * (parse.LONGEST + 1), "longer than"),
        (f"obfs4 192.0.2.1:443 {FINGERPRINT} cert=abc iat-mode=0", "cert="),
    ],
)
def test_a_rejected_line_says_what_to_mend(line: str, words: str) -> None:
    (reason,) = rejected(line)
    assert words in reason


@pytest.mark.parametrize("line", ["", "   ", "# 192.0.2.7:80", "// 192.0.2.7:80", "; 192.0.2.7:80", "\u200b"])
def test_blank_lines_and_comments_are_not_counted(line: str) -> None:
    assert parse_line(line) == []


def test_the_number_of_a_line_counts_blanks_and_comments() -> None:
    result = read([("a", "# head\n\n192.0.2.7:8080\nnonsense\n")])
    assert [one.line for one in result.candidates] == [3]
    assert [(one.source, one.line, one.reason.id) for one in result.rejected] == [("a", 4, NO_CANDIDATE)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("socks5://192.0.2.7:1080", "socks5h://192.0.2.7/"),
        ("http://Proxy.Example.com:8080", "HTTP://proxy.example.COM:8080/x#y"),
        ("socks5://[2001:db8::7]:1080", "socks5://[2001:0DB8:0:0::7]:1080"),
        ("192.0.2.7:8080:ann:pw", "ann:pw@192.0.2.7:8080"),
        (f"{VLESS}#one name", f"{VLESS}#another"),
        (SS + "#a", SS.replace("Q@", "Q==@")),
    ],
)
def test_duplicates_are_folded_by_endpoint_not_by_text(one: str, other: str) -> None:
    result = read([("a", one), ("b", other)])
    assert (len(result.candidates), result.duplicates, result.given) == (1, 1, 2)
    assert result.candidates[0].source == "a"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("192.0.2.7:8080", "https://192.0.2.7:8080"),
        ("192.0.2.7:8080", "socks4://192.0.2.7:8080"),
        ("192.0.2.7:8080", "http://ann:pw@192.0.2.7:8080"),
        ("http://192.0.2.7:8080", "socks5://192.0.2.7:8080"),
        ("ann:pw@192.0.2.7:8080", "ann:PW@192.0.2.7:8080"),
        (VLESS, VLESS.replace("%2Fws", "%2Fother")),
    ],
)
def test_what_differs_in_kind_credentials_or_settings_is_no_duplicate(one: str, other: str) -> None:
    assert len(read([("a", f"{one}\n{other}")]).candidates) == 2


@pytest.mark.parametrize("typed", ["http://192.0.2.7:8080", "socks5://192.0.2.7:8080"])
def test_a_line_without_a_kind_is_folded_into_one_with_the_kind_it_would_be_tried_as(typed: str) -> None:
    for lines in (f"192.0.2.7:8080\n{typed}", f"{typed}\n192.0.2.7:8080", f"192.0.2.7:8080\n{typed}\n" * 2):
        result = read([("a", lines)])
        assert [one.endpoint.reveal() for one in result.candidates] == [typed]
        assert result.given == len(lines.split())
    both = read([("a", "192.0.2.7:8080:ann:pw\nhttp://ann:pw@192.0.2.7:8080\n192.0.2.7:8080")])
    assert [one.line for one in both.candidates] == [2, 3]


def test_windows_and_old_line_ends_are_line_ends() -> None:
    assert len(read([("a", "192.0.2.7:80\r\n192.0.2.8:80\r192.0.2.9:80")]).candidates) == 3


def test_a_web_page_in_a_message_is_no_entry_and_hides_none() -> None:
    both = parse_line("socks5://127.0.0.1:1080 from https://t.me/some_channel")
    assert [type(found).__name__ for found in both] == ["Endpoint"]
    for text in ("see https://example.com/news for more", "https://t.me/some_channel"):
        (found,) = parse_line(text)
        assert isinstance(found, Rejected)
        assert found.reason == WEB_PAGE


def test_an_https_key_alone_in_its_line_is_told_to_be_fetched() -> None:
    (found,) = parse_line("https://example.com/keys/abc")
    assert isinstance(found, Endpoint)
    assert "fetch" in found.untested


@pytest.mark.parametrize(
    "line",
    [
        "198.51.100.77:1080:s3cretkey://",
        "198.51.100.77:1080:s3cretkey://x",
        "s3cretkey.example://x",
        "at ann:s3cretkey://x",
        "ann@s3cretkey://x",
    ],
)
def test_an_address_or_key_before_a_colon_and_slashes_is_not_repeated(line: str) -> None:
    (item,) = parse_line(line)
    assert isinstance(item, Rejected)
    assert "s3cretkey" not in str(item.values)
    assert "198.51" not in str(item.values)


def test_a_scheme_that_is_not_known_is_named_as_it_stands_in_a_sentence() -> None:
    (item,) = parse_line("look here: (gopher://192.0.2.1)")
    assert isinstance(item, Rejected)
    assert item.values == {"scheme": "gopher"}


def test_a_telegram_link_with_another_link_inside_is_still_one() -> None:
    link = "t.me/proxy?server=192.0.2.7&port=443&secret=dd000102030405060708090a0b0c0d0e0f&from=https://example.org"
    assert found(link) == [("telegram", "192.0.2.7", 443)]


@pytest.mark.parametrize("broken", ["proxyline.parse", "_bare", "nodelists.convert"])
def test_a_fault_of_ours_rejects_one_line_and_says_so(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def trip(_text: str) -> None:
        raise LookupError("192.0.2.7")

    module, _, name = broken.rpartition(".")
    monkeypatch.setattr(getattr(parse, module) if module else parse, name, trip)
    result = read([("a", "words only"), ("b", f"words\n192.0.2.7:1080\n{SS}")])
    assert any(one.reason.id == parse.TRIPS for one in result.rejected)
    assert all("192.0.2.7" not in str(one.reason.values) for one in result.rejected)
    assert len(result.candidates) == (0 if "convert" in broken else 2 if broken == "_bare" else 1)


@pytest.mark.parametrize(
    "line",
    [
        'socks5://u"ser:p%27w;rm@127.0.0.1:2001',
        "socks5://u'ser:pw@127.0.0.1:2001",
        "socks5://u»s«er:pw@a.test:2001",
        "http://u<ser:pw@127.0.0.1:2001",
        'see socks4://u"ser@[::1]:2001 there',
    ],
)
def test_a_quotation_mark_in_a_login_never_makes_the_user_a_host(line: str) -> None:
    found = parse.read([("list", line)])
    assert found.candidates == ()
    (rejected,) = found.rejected
    assert "percent sign" in rejected.reason.id


@pytest.mark.parametrize(
    "line",
    [
        '"socks5://192.0.2.1:1080"',
        "{'all': 'socks5://192.0.2.1:1080','mail':'x@y.test:1'}",
        "<b>socks5://192.0.2.1:1080</b><i>me@chat.test:1</i>",
        "«socks5://192.0.2.1:1080», me@chat.test",
        "socks5://192.0.2.1:1080#name@chat:1",
    ],
)
def test_a_quotation_mark_after_a_link_only_ends_it(line: str) -> None:
    found = parse.read([("list", line)])
    assert [(one.endpoint.host, one.endpoint.port) for one in found.candidates] == [("192.0.2.1", 1080)]


def test_beside_a_torn_link_the_others_of_its_line_are_read() -> None:
    found = parse.read([("list", 'socks5://192.0.2.1:1080 socks5://u"ser:pw@127.0.0.1:2001')])
    assert [one.endpoint.host for one in found.candidates] == ["192.0.2.1"]
    assert len(found.rejected) == 1
