"""What follows a verb, and how it is cut up: shared by the readers of arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from hub.cases import commands as c
from hub.chat import names
from hub.chat.context import Context
from hub.chat.fold import clean, fold
from hub.chat.names import Names
from hub.chat.when import Misread

SHOWN = 80
"""Characters of what was not understood that are shown again."""


@dataclass(frozen=True, kw_only=True)
class Rest:
    """What follows the verb: `head` (its first line, without thanks) for arguments, `tail` (every line) for free text."""

    verb: str
    said: str
    """The form of the verb that was written, folded."""
    head: str
    tail: str
    code: str | None = None

    def bad(self, what: str, given: str, suggestions: tuple[str, ...] = ()) -> c.BadArgument:
        """This verb was understood, that argument was not."""
        return c.BadArgument(verb=self.verb, what=what, given=clean(given).strip()[:SHOWN], suggestions=suggestions)


Reader = Callable[[Rest, Context], c.Command]

Readers = Mapping[str, tuple[Reader, str]]
"""Verb key → its reader, and where its code may stand: `first`, `anywhere` or nowhere."""


def first_line(text: str) -> str:
    """Up to the first line end of any kind."""
    return re.split(r"[\n\r\v\f\x85\u2028\u2029]", text, maxsplit=1)[0]


def trim(text: str) -> str:
    """Without white space around and one separator in front; nothing else of a free text is touched."""
    return re.sub(r"^\s*[:,]?\s*", "", text, count=1).rstrip()


def cuts(text: str, joints: str) -> Iterator[tuple[str, str]]:
    """Every way to cut `text` at one of the joint words (`por|para`), leftmost first; the joint goes."""
    for match in re.finditer(rf"(?i)(?:^|(?<=[\s,;:]))(?:{joints})(?=[\s:]|$)[\s:]*", text):
        yield text[: match.start()].strip(" ,;:"), text[match.end() :].strip()


def chosen(rest: Rest, table: Names) -> str | None:
    """The entry of `table` that all of `rest` names, or none."""
    lead = r"^(?:(?:por|porque|motivo|razon|con|como|because|for|reason|with|as|resultado|outcome) )+"
    bare = re.sub(lead, "", fold(rest.head))
    return names.find(bare, table, forgive=True).id


def nothing_more(rest: Rest, command: c.Command) -> c.Command:
    """`command`, unless words were left over that we would be ignoring."""
    return rest.bad("extra", rest.head) if rest.head else command


def date_problem(reading: Misread) -> str:
    """The `what` of a time that gave no instant: `date`, `date_past` or `date_far`."""
    return "date" if reading is Misread.UNKNOWN else f"date_{reading.value}"


def single(context: Context) -> Names:
    """The fields without the groups of fields: a group can be agreed to or withdrawn, but not written, asked for or shown."""
    return {name: known for name, known in context.fields.items() if not name.startswith("group:")}


def alone(command: c.Command) -> Reader:
    """The reader of a verb that takes nothing."""
    return lambda rest, _context: nothing_more(rest, command)
