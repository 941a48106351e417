"""Languages: the source strings are Spanish, the English catalogue is complete, nothing is compiled.

`text("en", "Caso {code} abierto", code=…)` looks the Spanish sentence up in `locale/en/LC_MESSAGES/tinkuy.po`.
A language that we do not know, or a sentence that nobody translated yet, is Spanish: a person is never left without words.
Only our own sentences are format strings; values are parameters, so braces that a person typed stay braces (I06).

`python -m hub.base.i18n extract` adds the sentences of `hub/` that the catalogue lacks; an empty translation fails the tests.
"""

from __future__ import annotations

import ast
import string
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

Language = Literal["es", "en"]
LANGUAGES: tuple[Language, ...] = ("es", "en")
SOURCE: Language = "es"

_LOCALE = Path(__file__).parent / "locale"
_DATE_LOCALES: dict[Language, str] = {"es": "es_PE", "en": "en_GB"}

MessageId = str | tuple[str, str]
"""A sentence, or its singular and plural."""


def language(name: str | None) -> Language:
    """The language meant by `name` (`es-PE`, `EN`, …); Spanish when unknown."""
    return "en" if (name or "").lower().replace("_", "-").split("-")[0] == "en" else SOURCE


def text(lang: str, msgid: str, **params: object) -> str:
    """The sentence `msgid` (Spanish) in `lang`, with its named parameters filled in.

    Raises `KeyError` when a placeholder has no parameter: that is our mistake, and a test finds it.
    """
    message = None if language(lang) == SOURCE else _message(language(lang), msgid)
    return _filled(_first(message) or msgid, params)


def plural(lang: str, one: str, many: str, n: int, **params: object) -> str:
    """`one` or `many` (Spanish) by the number `n`, in `lang`; `{n}` is filled in by itself."""
    message = None if language(lang) == SOURCE else _message(language(lang), one)
    forms = message.string if message is not None and isinstance(message.string, tuple | list) else ()
    chosen = 0 if n == 1 else 1
    found = forms[chosen] if len(forms) > chosen and forms[chosen] else (one, many)[chosen]
    return _filled(found, {"n": n, **params})


def mark(msgid: str) -> str:
    """Names a sentence kept as data, so that `extract` finds it; it is translated where it is shown."""
    return msgid


def city(zone: ZoneInfo) -> str:
    """The city that a zone is named after, as people say it: `Lima`."""
    return str(zone).rsplit("/", 1)[-1].replace("_", " ")


def long_day(language_: str, at: datetime, zone: ZoneInfo) -> str:
    """A day in words, without a time: `23 de noviembre de 2026`."""
    return format_date(at.astimezone(zone).date(), format="long", locale=_DATE_LOCALES[language(language_)])


def date(lang: str, moment: datetime, zone: ZoneInfo, *, now: datetime | None = None) -> str:
    """Weekday, day, time and the zone's city: `lun 23 nov 10:00 (Lima)`.

    The year is left out only when `now` is given and falls in the same local year. Where a clock change makes the
    wall time happen twice, the offset stands beside the city, so that the reading stays unique.
    """
    local = moment.astimezone(zone)
    same_year = now is not None and now.astimezone(zone).year == local.year
    pattern = "EEE d MMM HH:mm" if same_year else "EEE d MMM y HH:mm"
    shown = format_datetime(local, pattern, tzinfo=zone, locale=_DATE_LOCALES[language(lang)])
    return f"{shown.replace('.', '').replace('Sept ', 'Sep ')} ({city(zone)}{_offset_if_twice(local)})"


NEVER = ("nunca", "never")
"""A time that never was, in both languages."""


def stamped(iso: str, zone: str) -> str | tuple[str, str]:
    """A time that programs write (ISO, aware), as people read it beside any language: `2026-11-22 09:30 (Lima)`. The beginning of time is never."""
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    if moment.year <= 1970:
        return NEVER
    where = ZoneInfo(zone)
    local = moment.astimezone(where) if moment.tzinfo else moment.replace(tzinfo=where)
    return f"{local:%Y-%m-%d %H:%M} ({city(where)}{_offset_if_twice(local)})"


def _offset_if_twice(local: datetime) -> str:
    if local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset():
        return ""
    minutes = int((local.utcoffset() or local - local).total_seconds()) // 60
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return f", UTC{sign}{minutes // 60:02d}:{minutes % 60:02d}"


def _filled(sentence: str, params: dict[str, object]) -> str:
    return sentence.format(**params) if params or "{" in sentence or "}" in sentence else sentence


def _first(message: Message | None) -> str:
    found = message.string if message is not None else ""
    return found if isinstance(found, str) else found[0] if found else ""


def catalogue_path(lang: Language) -> Path:
    """Where the catalogue of `lang` stands."""
    return _LOCALE / lang / "LC_MESSAGES" / "tinkuy.po"


@cache
def catalogue(lang: Language) -> Catalog:
    """The catalogue of `lang`, read once from its `.po` file."""
    with catalogue_path(lang).open("rb") as file:
        return read_po(file, locale=lang, domain="tinkuy")


def _message(lang: Language, msgid: str) -> Message | None:
    found: Message | None = catalogue(lang).get(msgid)
    return found


# --- what the tests and `extract` ask: which sentences does the code speak?


def used_messages(root: Path | None = None) -> dict[MessageId, str]:
    """Every sentence under `root` (default `hub/`), with the place where it stands first (`file:line`).

    Found by reading the syntax tree: `t("…")`, `text(lang, "…")`, `mark("…")`, `plural(lang, "…", "…", n)`, and the
    same names as attributes. A sentence may also stand in either branch of a conditional expression.
    """
    base = root or Path(__file__).parents[1]
    found: dict[MessageId, str] = {}
    for path in sorted(base.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                for msgid in _messages_of(node):
                    found.setdefault(msgid, f"{path.relative_to(base).as_posix()}:{node.lineno}")
    return found


def _messages_of(call: ast.Call) -> Iterator[MessageId]:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    if name in ("t", "mark") and call.args:
        yield from _constants(call.args[0])
    elif name == "text" and len(call.args) > 1:
        yield from _constants(call.args[1])
    elif name in ("plural", "tn"):
        strings = [value for arg in call.args for value in _constants(arg)]
        if len(strings) >= 2:
            yield (strings[-2], strings[-1])


def _constants(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _constants(node.body)
        yield from _constants(node.orelse)


def placeholders(sentence: str) -> frozenset[str]:
    """The names in braces. Raises `ValueError` for anything but a plain name (`{0}`, `{a.b}`, `{a!r}`)."""
    names = set()
    for _, name, spec, conversion in string.Formatter().parse(sentence):
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise ValueError(f"placeholder `{name}` is not a plain name")
        names.add(name)
    return frozenset(names)


def gaps(lang: Language, used: Iterable[MessageId]) -> list[str]:
    """What keeps the catalogue of `lang` from being complete, one sentence each; empty when it is."""
    found = []
    for msgid in used:
        wanted = (msgid,) if isinstance(msgid, str) else msgid
        message = _message(lang, wanted[0])
        given = () if message is None else (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
        if len(given) < len(wanted) or not all(given[: len(wanted)]):
            found.append(f"no translation: {wanted[0]!r}")
        elif any(placeholders(a) != placeholders(b) for a, b in zip(wanted, given, strict=False)):
            found.append(f"placeholders differ: {wanted[0]!r}")
    return found


def extract(lang: Language = "en") -> list[MessageId]:
    """Adds every sentence that the catalogue lacks, with an empty translation; returns what was added.

    Sentences that the code no longer speaks are dropped, so the file never grows stale.
    """
    old, used = catalogue(lang), used_messages()
    fresh = Catalog(locale=lang, domain="tinkuy", project="tinkuy", fuzzy=False, header_comment=_HEADER)
    added: list[MessageId] = []
    for msgid in sorted(used, key=str):
        before = old.get(msgid[0] if isinstance(msgid, tuple) else msgid)
        if before is None or not before.string:
            added.append(msgid)
        fresh.add(msgid, string=before.string if before is not None else None)
    with catalogue_path(lang).open("wb") as file:
        write_po(file, fresh, width=0, sort_output=True, omit_header=False, no_location=True)
    _settle_header(catalogue_path(lang))
    catalogue.cache_clear()
    return added


_HEADER = "# English sentences of Tinkuy. The source strings are Spanish. Written by `python -m hub.base.i18n extract`."


def _settle_header(path: Path) -> None:
    """Leaves out dates, tool versions and addresses, so that the same sentences give the same bytes."""
    kept = ('"Content-', '"MIME-', '"Plural-Forms', '"Language:', '"Project-Id')
    lines, in_header = [], True
    for line in path.read_text(encoding="utf-8").splitlines():
        in_header = in_header and bool(line.strip())
        if in_header and line.startswith('"') and not line.startswith(kept):
            continue
        lines.append(line)
    path.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def main(arguments: list[str]) -> int:
    """`extract` or `check`; the exit status says whether English is complete."""
    if arguments not in (["extract"], ["check"]):
        print("usage: python -m hub.base.i18n extract|check")
        return 2
    if arguments == ["extract"]:
        extract()
    missing = gaps("en", used_messages())
    print("\n".join([*missing, f"{len(used_messages())} sentences, {len(missing)} without a complete translation"]))
    return 1 if missing and arguments == ["check"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
