"""Is this message for us, and which of its words are the command? (`matrix-facts.md` §3.1, attack I02)

Only `body` of a new message of type `m.text` is read. An edit, a notice, our own message, the words that a reply quotes
and anything in `formatted_body` can never be a command; a display name is not even an input, but for our own, which is
taken off the front. Whether the sender is enrolled, verified and in the right room is decided before this.

1. `!tinkuy …` or `!tk …`   2. a mention in `m.mentions`, or our full user id at the very start (Cinny sends no mentions)
3. bare words in a direct chat   4. a reply to, or a message in the thread of, one of our cards   5. in a room, a message that is nothing but
a command as our answers quote it: «deshacer», «ayuda», «casos», or a verb and a code («derivar C-7K2QF»).  Never `/`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from hub.cases.commands import Command, Unclear
from hub.chat.context import Context
from hub.chat.fold import fold, words
from hub.chat.grammar import mistyped, parse, parse_in_thread
from hub.chat.verbs import match_verb

How = Literal["prefix", "mention", "direct", "reply", "thread"]


@dataclass(frozen=True, kw_only=True)
class Addressed:
    """The words that are for us, without prefix, mention or quoted text, and how they reached us. Empty words ask for help."""

    text: str
    how: How


@dataclass(frozen=True, kw_only=True)
class Relation:
    """What a message points at. It only selects what to show; a homeserver can re-point it (`design.md` §3)."""

    thread: str | None = None
    reply: str | None = None


_ALONE = ("undo", "help", "list")
_CODE = re.compile(r"[CR]-[0-9A-Z]{4,8}", re.IGNORECASE)
PREFIX = re.compile(r"!(?:tinkuy|tk)(?![^\s:,.;!?])[\s:,]*", re.IGNORECASE)


def addressed(
    content: Mapping[str, object],
    *,
    sender: str,
    own_user: str,
    own_names: Sequence[str] = (),
    direct: bool = False,
    on_our_card: Literal["reply", "thread"] | None = None,
) -> Addressed | None:
    """The words of a decrypted `m.room.message` content that are for us, or `None`. Never raises, whatever `content` holds.

    `on_our_card` is given by the caller, who knows which events are our cards: the message replies to one, or stands in
    the thread of one.
    """
    body = content.get("body")
    if sender == own_user or content.get("msgtype") != "m.text" or not isinstance(body, str) or is_edit(content):
        return None
    quoted_off = without_quotes(body)
    if not quoted_off and body.strip():
        return None
    prefix = PREFIX.match(quoted_off)
    if prefix is not None or fold(quoted_off) in ("tinkuy", "!tinkuy", "!tk"):
        return Addressed(text=quoted_off[prefix.end() if prefix else len(quoted_off) :].strip(), how="prefix")
    rest = _without_own_name(quoted_off, content, own_user, own_names)
    if own_user in mentioned(content) or _starts_with_id(quoted_off, own_user):
        return Addressed(text=rest, how="mention")
    if not rest or rest.startswith("/"):
        return None
    how: How | None = "direct" if direct else on_our_card
    if how is None and _as_we_write_it(rest):
        how = "prefix"
    return Addressed(text=rest, how=how) if how is not None else None


def command_of(message: Addressed, context: Context) -> Command | None:
    """The command of an addressed message; `None` is a note among colleagues, to be ignored without a word.

    In a thread only a whole, firm command counts. A reply to our card that is not understood is answered, since it was
    pointed at us; it still cannot send anything but by a firm command.
    """
    if message.how in ("prefix", "mention", "direct"):
        return parse(message.text, context)
    command = parse_in_thread(message.text, context)
    if command is None:
        return Unclear() if message.how == "reply" else mistyped(message.text, context)
    return command


def relation_of(content: Mapping[str, object]) -> Relation:
    """The thread root and the message replied to; a reply that only is a thread's fallback is no reply."""
    relates = _mapping(content.get("m.relates_to"))
    replied = _mapping(relates.get("m.in_reply_to")).get("event_id")
    thread = relates.get("event_id") if relates.get("rel_type") == "m.thread" else None
    fallback = thread is not None and relates.get("is_falling_back") is True
    return Relation(
        thread=thread if isinstance(thread, str) else None,
        reply=replied if isinstance(replied, str) and not fallback else None,
    )


def mentioned(content: Mapping[str, object]) -> frozenset[str]:
    """The user ids in `m.mentions`."""
    ids = _mapping(content.get("m.mentions")).get("user_ids")
    return frozenset(i for i in ids if isinstance(i, str)) if isinstance(ids, list) else frozenset()


def without_quotes(body: str) -> str:
    """`body` without the lines that quote somebody at its start (`> <@user:…> …`): other people's words are no command."""
    lines = re.split(r"\r\n|[\n\r\u2028\u2029\x85\v\f]", body)
    kept = 0
    while kept < len(lines) and lines[kept].lstrip().startswith(">"):
        kept += 1
    return body.strip() if not kept else "\n".join(lines[kept:]).strip()


def is_edit(content: Mapping[str, object]) -> bool:
    """Whether the message replaces another one: its words are never a command nor an answer."""
    return "m.new_content" in content or _mapping(content.get("m.relates_to")).get("rel_type") == "m.replace"


def _as_we_write_it(text: str) -> bool:
    """Whether these are the words of a command and no other: what our own sentences tell people to write must never be met with silence."""
    plain = text.strip("«»\"“” ")[:80]
    found = words(plain)
    matched = match_verb(found)
    if matched is None or "\n" in plain or "?" in plain:
        return False
    verb, size = matched
    if " ".join(word.folded for word in found[:size]) not in verb.firm:
        return False
    if len(found) == size:
        return verb.key in _ALONE
    return len(found) == size + 1 and _CODE.fullmatch(plain[found[size].start : found[size].end]) is not None


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _starts_with_id(body: str, own_user: str) -> bool:
    """Our full id, ended by space, comma, colon or nothing: `@hub:a.example` is not `@hub:a.example.org` nor `…:8448`."""
    return re.match(re.escape(own_user) + r"(?=$|[\s,]|:(?:\s|$))", body, re.IGNORECASE) is not None


def _without_own_name(body: str, content: Mapping[str, object], own_user: str, own_names: Sequence[str]) -> str:
    """`body` without our id, local part, display name or pill text at its start (or, for a mention, its end)."""
    if own_user not in mentioned(content) and not _starts_with_id(body, own_user):
        return body
    local = own_user.lstrip("@").partition(":")[0]
    spellings = sorted({own_user, *own_names, *_pill_texts(content, own_user), local, "tinkuy"}, key=len, reverse=True)
    for name in filter(None, spellings):
        start = re.match(r"@?" + re.escape(name) + r"(?=$|[\s,:;.!?])[\s,:;]*", body, re.IGNORECASE)
        if start is not None:
            return body[start.end() :].strip()
        end = re.search(r"[\s,]+@?" + re.escape(name) + r"[.!?]?$", body, re.IGNORECASE)
        if end is not None:
            return body[: end.start()].strip()
    return body


def _pill_texts(content: Mapping[str, object], own_user: str) -> frozenset[str]:
    """What a client wrote as the text of the pill that links to us; used only to take the same words off the body."""
    html = content.get("formatted_body")
    if not isinstance(html, str) or len(html) > 60_000:
        return frozenset()
    links = re.findall(r'<a\s[^<>]{0,200}?href="https://matrix\.to/#/([^"<>]{1,300})"[^<>]{0,100}>([^<>]{1,200})</a>', html)
    ours = (label for target, label in links if target.replace("%40", "@").replace("%3A", ":") == own_user)
    return frozenset(label.strip().lstrip("@") for label in ours)
