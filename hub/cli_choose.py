"""A word of a list, as people say it: by its code, its label or another name for it, in either language, whatever the accents and case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from rapidfuzz import fuzz, process

from hub.cli_base import Exit, end_with, words
from policies.places import plain
from policies.vocabulary import Field, Term

SHORT = 14
"""A list of up to so many words is told whole where none is near."""
Names = Mapping[str, Sequence[str]]
"""Per code what it is called: Spanish first, then English, then other names."""


def names_of(terms: Iterable[Term | Field]) -> Names:
    """What the words of a vocabulary are called."""
    return {one.id: (one.label.es, one.label.en, *(one.synonyms if isinstance(one, Term) else ())) for one in terms}


def choose(what: str, said: str, known: Names, *, as_json: bool = False) -> str:
    """The code that was meant. What nobody calls so, or what two things are called, ends the command with 2 and names the nearest, to be copied."""
    if said in known:
        return said
    spoken = [(plain(word), code) for code, names in known.items() for word in (code, code.replace("_", " "), *names)]
    meant = dict.fromkeys(code for word, code in spoken if word == plain(said))
    if len(meant) == 1:
        return next(iter(meant))
    near = process.extract(plain(said), [word for word, _ in spoken], scorer=fuzz.WRatio, score_cutoff=75, limit=6)
    close = list(meant or dict.fromkeys(spoken[place][1] for _, _, place in near))[:3]
    code = "choice_of_several" if meant else "choice_near" if close else "choice_unknown"
    told = ", ".join(called(one, known) for one in close or list(known)[:SHORT]) + (", …" if not close and len(known) > SHORT else "")
    end_with(code, Exit.USAGE, as_json=as_json, what=what, word=said[:60], known=told)


def day(what: str, said: str, zone: str, *, as_json: bool = False) -> str:
    """A day as ISO writes it, from `2027-05-31` or `31/05/2027`; anything else ends the command with 2 and says whose midnight counts."""
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(said.strip(), form).date().isoformat()
        except ValueError:
            continue
    end_with("bad_day", Exit.USAGE, as_json=as_json, what=what, word=said[:30], zone=zone)


def called(code: str, known: Names) -> str:
    """The code, to be typed as it stands, and what it is called in the language of this run."""
    names = known.get(code, ())
    label = words(names[0], names[min(1, len(names) - 1)]) if names else ""
    return f"`{code}`" if plain(label) in ("", plain(code)) else f"`{code}` ({label})"

