"""Messages: the plain body says everything, HTML only adds, values are inert (I01, I06)."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.chat.plain import (
    ALLOWED_TAGS,
    Message,
    choices,
    code,
    em,
    link,
    listing,
    message,
    messages,
    paragraph,
    quote,
    strong,
    value,
)

NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\x1b[31mrojo\x1b[0m",
    "a\x00b",
    "\u202egnp.exe",
    "x\u2066y\u2069",
    "a\r\n1. Aceptar",
    "línea\u2028otra",
    "&lt;b&gt;",
    "javascript:alert(1)",
    "{0.__class__}",
    "\x1b]8;;http://x\x07y",
    "\ud800",
]


class Tags(HTMLParser):
    """Collects every tag and attribute."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words += data


def full(text: str) -> Message:
    return message(
        paragraph(text, [strong(text), " ", em(text), code(text), link(text, text)]),
        listing([text], ordered=True),
        listing([text]),
        choices([(7, text), (9, "No")]),
        quote(text),
    )


def test_a_message_in_full() -> None:
    found = message(paragraph(["Caso ", code("C-1")]), choices([(7, "Enviar"), (9, "Cancelar")]), quote("hola\nadiós"))
    assert found.body == "Caso C-1\n7. Enviar\n9. Cancelar\n> hola\n> adiós"
    assert found.html == (
        "<p>Caso <code>C-1</code></p><p><strong>7.</strong> Enviar<br><strong>9.</strong> Cancelar</p>"
        "<blockquote>hola<br>adiós</blockquote>"
    )


def test_plain_words_need_no_html() -> None:
    assert message(paragraph("Listo.")) == Message(body="Listo.", html=None)


def test_only_https_becomes_a_link() -> None:
    assert 'href="https://a.example/x"' in (message(paragraph(link("aquí", "https://a.example/x"))).html or "")
    assert "https://a.example/x" in message(paragraph(link("aquí", "https://a.example/x"))).body
    for bad in (
        "javascript:alert(1)",
        "data:text/html,x",
        "http://a.example",
        'https://a.example/"onmouseover="x',
        "https://a b",
        "mxc://a/b",
    ):
        assert "<a" not in (message(paragraph(["x", link("aquí", bad)])).html or "")


@pytest.mark.parametrize("text", NASTY)
def test_i01_i06_values_are_inert(text: str) -> None:
    check(full(text))


@given(st.text())
def test_i01_i06_any_value_is_inert(text: str) -> None:
    check(full(text))


def check(found: Message) -> None:
    assert found.html is not None
    tags = Tags(found.html)
    assert tags.tags <= ALLOWED_TAGS
    assert all(name == "href" and (target or "").startswith("https://") for name, target in tags.attributes)
    for shown in (found.body, found.html):
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]", shown
        )
        shown.encode()


@given(st.text())
def test_a_value_cannot_forge_a_line(text: str) -> None:
    """A name that holds a newline and `1. Aceptar` stays inside its own line."""
    assert "\n" not in message(paragraph(text)).body
    assert message(choices([(1, text), (2, "No")])).body.count("\n") == 1
    assert all(line.startswith(">") for line in message(quote(text)).body.split("\n"))


@given(st.text(alphabet=st.characters(categories=["L", "N", "P"]), min_size=1))
def test_the_plain_body_says_everything(text: str) -> None:
    found = message(paragraph([strong(text)]), listing([text]))
    assert found.html is not None
    for word in re.sub(r"\s+", " ", Tags(found.html).words).split():
        assert word in found.body or word in found.body.replace("• ", "").replace("\n", "")


def test_long_output_becomes_several_short_messages() -> None:
    blocks = [paragraph(f"línea {n}") for n in range(60)]
    found = messages(*blocks)
    assert len(found) >= 3
    assert all(m.body.count("\n") < 24 for m in found)
    assert "\n".join(m.body for m in found) == message(*blocks).body


def test_choices_always_stand_whole() -> None:
    options = choices([(n, "x" * 50) for n in range(1, 60)])
    assert messages(paragraph("a"), options)[-1].body.count("\n") == 58


def test_a_value_is_one_short_line() -> None:
    assert value("a\n  b\x1b[1m c") == "a b c"
    assert value("x" * 30, 10) == "x" * 9 + "…"
