"""Building a message: a complete plain body, and HTML that only adds (`matrix-facts.md` §3.7).

A message is made of blocks, a block of spans. Every value is cleaned (no terminal sequence, no control or bidirectional
character: I01, I06), kept on one line, and escaped in HTML. Nothing here reads Markdown and nothing writes other tags than
`p br strong em ul ol li code blockquote a`. Numbered choices carry their numbers as text: a screen reader, a notification
and an old client all show the number that has to be answered.
"""

from __future__ import annotations

import html as _html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from hub.chat.fold import clean

ALLOWED_TAGS = frozenset({"p", "br", "strong", "em", "ul", "ol", "li", "code", "blockquote", "a"})
MOST_LINES = 24
MOST_CHARACTERS = 2_000
"""A message taller than the window stops some clients from scrolling; `messages` splits before that."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """What is sent: `body` alone says everything; `html` is `None` when it would add nothing."""

    body: str
    html: str | None = None


@dataclass(frozen=True, kw_only=True)
class Span:
    """Words inside a line. `href` makes them a link (https only; anything else stays words)."""

    text: str
    mark: Literal["", "strong", "em", "code"] = ""
    href: str | None = None


Line = str | Span | Sequence[str | Span]
"""One line: words, a marked span, or several of them."""


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """One or more lines that belong together."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A list with dots, or with numbers from 1 when the order matters."""

    items: tuple[Line, ...]
    ordered: bool = False


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What may be answered by number: (number, what it does). The numbers need not follow each other."""

    options: tuple[tuple[int, Line], ...]


@dataclass(frozen=True, kw_only=True)
class Quote:
    """Somebody's words, line breaks kept, set apart so that they are never taken for ours."""

    text: str


Block = Paragraph | Listing | Choices | Quote


def paragraph(*lines: Line) -> Paragraph:
    """Lines that belong together."""
    return Paragraph(lines=lines)


def listing(items: Iterable[Line], *, ordered: bool = False) -> Listing:
    """A list, one item a line."""
    return Listing(items=tuple(items), ordered=ordered)


def choices(options: Iterable[tuple[int, Line]]) -> Choices:
    """Numbered choices."""
    return Choices(options=tuple(options))


def quote(text: str) -> Quote:
    """Words of somebody else."""
    return Quote(text=text)


def strong(text: str) -> Span:
    """Bold words."""
    return Span(text=text, mark="strong")


def em(text: str) -> Span:
    """Words in italics."""
    return Span(text=text, mark="em")


def code(text: str) -> Span:
    """Words to type as they stand."""
    return Span(text=text, mark="code")


def link(text: str, href: str) -> Span:
    """A link; the plain body shows its address too."""
    return Span(text=text, href=href)


def message(*blocks: Block) -> Message:
    """One message of these blocks."""
    body = "\n".join(_plain(block) for block in blocks)
    return Message(body=body, html="".join(_rich(b) for b in blocks) if any(map(_adds, blocks)) else None)


def messages(*blocks: Block, most_lines: int = MOST_LINES, most_characters: int = MOST_CHARACTERS) -> tuple[Message, ...]:
    """As few messages as keep each short; a block is never cut, so choices always stand whole."""
    groups: list[list[Block]] = []
    for block in blocks:
        together = "\n".join(_plain(b) for b in (*(groups[-1] if groups else ()), block))
        if groups and together.count("\n") < most_lines and len(together) <= most_characters:
            groups[-1].append(block)
        else:
            groups.append([block])
    return tuple(message(*group) for group in groups)


def value(text: str, longest: int = 2_000) -> str:
    """A value as it may stand in a line: cleaned, on one line, shortened with `…`."""
    line = re.sub(r"\s+", " ", clean(text)).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


# --- plain


def _spans(line: Line) -> tuple[Span, ...]:
    parts = (line,) if isinstance(line, str | Span) else tuple(line)
    return tuple(part if isinstance(part, Span) else Span(text=part) for part in parts)


def _plain_line(line: Line) -> str:
    joined = "".join(_one_line(s.text) + (f" ({_address(s.href)})" if _address(s.href) else "") for s in _spans(line))
    return joined.strip()


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", clean(text))


def _plain(block: Block) -> str:
    if isinstance(block, Paragraph):
        return "\n".join(_plain_line(line) for line in block.lines)
    if isinstance(block, Listing):
        return "\n".join(f"{f'{n}.' if block.ordered else '•'} {_plain_line(item)}" for n, item in enumerate(block.items, 1))
    if isinstance(block, Choices):
        return "\n".join(f"{number}. {_plain_line(option)}" for number, option in block.options)
    return "\n".join(f"> {line}".rstrip() for line in clean(block.text).strip().split("\n"))


# --- HTML


def _adds(block: Block) -> bool:
    return not isinstance(block, Paragraph) or any(s.mark or s.href for line in block.lines for s in _spans(line))


def _rich_line(line: Line) -> str:
    return "".join(_rich_span(span) for span in _spans(line)).strip()


def _rich_span(span: Span) -> str:
    words = escape(_one_line(span.text))
    words = f"<{span.mark}>{words}</{span.mark}>" if span.mark else words
    address = _address(span.href)
    return f'<a href="{escape(address)}">{words}</a>' if address else words


def _rich(block: Block) -> str:
    if isinstance(block, Paragraph):
        return f"<p>{'<br>'.join(map(_rich_line, block.lines))}</p>"
    if isinstance(block, Listing):
        tag = "ol" if block.ordered else "ul"
        return f"<{tag}>{''.join(f'<li>{_rich_line(item)}</li>' for item in block.items)}</{tag}>"
    if isinstance(block, Choices):
        return f"<p>{'<br>'.join(f'<strong>{n}.</strong> {_rich_line(option)}' for n, option in block.options)}</p>"
    return f"<blockquote>{'<br>'.join(escape(line) for line in clean(block.text).strip().split(chr(10)))}</blockquote>"


def escape(text: str) -> str:
    """`text` inert in HTML, also inside an attribute."""
    return _html.escape(text, quote=True)


def _address(href: str | None) -> str:
    """The address of a link when it may be one: https, no space, no quote, no control character."""
    if href is None or clean(href) != href:
        return ""
    return href if re.fullmatch(r"https://[^\s\"'<>\\`\x00-\x1f\x7f-\x9f]+", href) else ""
