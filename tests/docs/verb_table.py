"""The README's table of commands, made from the help of the chat: `python -m tests.docs.verb_table` writes it again.

English comes from the catalogue; where it has none, from `ENGLISH` below, which says what a verb is for in words of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.base.i18n import text
from hub.chat import helping, verbs
from hub.chat.fold import words
from tests.docs.pages import ROOT, read

MARK = "<!-- verbs:"
HEAD = "| escriba | in English | dónde · where | para qué | what for |\n|---|---|---|---|---|\n"
PLACES = {
    "DESK": ("mesa", "desk"),
    "CASE": ("hilo del caso", "case thread"),
    "OFFERED": ("hilo de una oferta", "thread of an offer"),
    "REFERRAL": ("hilo de una derivación", "referral thread"),
    "DIRECT": ("directo", "direct"),
}

ENGLISH = {
    "open": 'a new case: "open Luz, tomorrow at 10"',
    "consent": "what she agrees to share; it asks step by step",
    "refer": 'to another institution: "refer C-…"; first you see all that would leave',
    "list": "today's work and what waits for an answer",
    "set": 'a fact: "note C-… risk: high"',
    "checkin": 'a follow-up that rings: "check-in C-… in 3 days"',
    "show": 'her facts in your direct chat, for some minutes: "show C-…"',
    "whoknows": 'which institution holds which fact: "who knows C-…"; to give it to her: "who knows C-… for her"',
    "withdraw": 'what was shared, all or part: "withdraw C-…"',
    "close": 'the case, with its outcome: "close C-…"',
    "duty": 'whether you are on duty: "duty yes" or "duty no"',
    "say": 'to the other institution; without "say" it stays among you',
    "accept": "take the referral; her facts come afterwards",
    "decline": "do not take it; it asks for the reason",
    "progress": "tell that she is being attended, or that it is on hold",
    "finish": "finish, and tell how it turned out",
    "ask": "one more fact, and what for",
    "giveback": "give it back; her facts are destroyed here",
}
"""Verb key → what it is for."""


@dataclass(kw_only=True)
class Row:
    """One command: what to write, where help offers it, what help says of it first."""

    spanish: str
    verb: verbs.Verb
    what: str
    places: list[str] = field(default_factory=list)

    def cells(self, english: str) -> list[str]:
        """As the README shows it."""
        where = " · ".join(", ".join(PLACES[place][language] for place in self.places) for language in (0, 1))
        return [f"`{self.spanish}`", f"`{self.verb.en}`", where, self.what, english]


def rows() -> list[Row]:
    """Every command that help offers somewhere, in the order of the places; one row a verb."""
    found: dict[str, Row] = {}
    for place in PLACES:
        for spanish, what in getattr(helping, place):
            matched = verbs.match_verb(words(spanish.replace("C-…", "").replace("…", "").replace(":", "")))
            assert matched is not None, f"help offers `{spanish}`, which no verb reads"
            row = found.setdefault(matched[0].key, Row(spanish=spanish, verb=matched[0], what=what))
            row.places.append(place)
    return list(found.values())


def english_of(row: Row) -> str:
    """What it is for, in English."""
    translated = text("en", row.what)
    return translated if translated != row.what else ENGLISH[row.verb.key]


def made() -> str:
    """The table."""
    return HEAD + "".join("| " + " | ".join(row.cells(english_of(row))) + " |\n" for row in rows())


def main() -> None:
    """Write it into the README."""
    readme = read("README.md")
    start = readme.index("| escriba |", readme.index(MARK))
    end = readme.index("\n\n", start) + 1
    (ROOT / "README.md").write_text(readme[:start] + made() + readme[end:], encoding="utf-8")


if __name__ == "__main__":
    main()
