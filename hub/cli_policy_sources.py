"""Which protocol is meant: a file or folder, one that is shipped (`pe/shelter`, `shelter`), or a version the running hub knows (`shelter@2`)."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hub.cases.protocol_life import one_name
from hub.cli_base import Exit, ask, config_if_any, end_with, read_file, setting
from hub.web.control import ControlError, call
from policies import document, marked, packs
from policies.errors import DocumentError, PackError
from policies.findings import Finding
from policies.protocol import Protocol
from policies.readable import Reader
from policies.vocabulary import Vocabulary

DEFAULT_PACK = "pe"
NAME = "protocol.yaml"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,59}")
_FLAGS = frozenset({"--yes", "-y", "--json", "--text", "--without", "--as-it-is", "--audit"})
"""Options without a value: what follows them is an argument."""
_VERSION = re.compile(r"([a-z0-9-]{1,60})@([0-9]{1,6})")

Named = Annotated[
    str,
    typer.Argument(
        metavar="PROTOCOLO",
        help="Un archivo, uno que viene con Tinkuy (shelter, pe/shelter) o una versión del hub (shelter@2). · A file, a shipped one, or a version.",
    ),
]
PACK = typer.Option(None, "--pack", metavar="PAÍS", help="Las palabras con que se lee un archivo. · The words a file is read with.")


class Versions(TyperGroup):
    """Commands that take versions: `shelter 2` is as good as `shelter@2`. `answer` takes a comment's number, too, so there two numbers must stand."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # its signature is the library's own affair
        """Which command is meant, and its arguments."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command, joined(rest, numbers=2 if name == "answer" else 1)


def joined(args: list[str], *, numbers: int = 1) -> list[str]:
    """A name and the number after it as one word, where at least so many numbers follow; no other argument is touched, nor an option's value."""
    found: list[str] = []
    left = list(args)
    while left:
        word, *left = left
        after = next((place for place, each in enumerate(left) if not each.isdecimal()), len(left))
        value = bool(found) and found[-1].startswith("-") and found[-1] not in _FLAGS
        found.append(f"{word}@{left.pop(0)}" if _NAME.fullmatch(word) and after >= numbers and not value else word)
    return found


@dataclass(frozen=True, kw_only=True)
class Source:
    """A protocol's text, the words it is read with, and what it is called. `folder` is where its examples stand; None for a version."""

    name: str
    text: str
    pack: str
    vocabulary: Vocabulary
    folder: Path | None = None
    shipped: str = ""

    def reader(self) -> Reader:
        """Says things in the language of this run."""
        return Reader(self.vocabulary, "en" if setting.get().english else "es")

    def protocol(self, *, as_json: bool = False) -> Protocol:
        """The protocol; ends the command with 1 for one that has errors."""
        try:
            return document.parse(self.text, self.vocabulary, source=self.name)
        except DocumentError as error:
            first = next(finding for finding in error.findings if finding.is_error)
            end_with("policy.errors", as_json=as_json, file=self.name, place=_place(first), why_es=first.message_es, why_en=first.message_en)


def _place(finding: Finding) -> str:
    return f"{finding.line}:{finding.column}"


def resolve(named: str, pack: str | None = None, *, as_json: bool = False) -> Source:
    """What `named` means; ends the command with a sentence when it means nothing."""
    path = Path(named)
    if path.is_file() or (path / NAME).is_file():
        return _file(path, pack, as_json=as_json)
    version = _VERSION.fullmatch(one_name(named))
    if version:
        return _version(version[1], int(version[2]), pack, as_json=as_json)
    within, _, name = named.rpartition("/")
    if path.suffix in (".yaml", ".yml") or "/" in within or within.startswith("."):
        end_with("file.absent", Exit.USAGE, as_json=as_json, file=named)
    signed = _in_force(name) if not within and not pack else None
    return signed or _shipped(within or pack_named(pack), name, as_json=as_json)


def _in_force(name: str) -> Source | None:
    """The signed version that counts here by the word of the running hub: a bare name never means one that was replaced."""
    settings = config_if_any()
    if settings is None:
        return None
    try:
        answer = asyncio.run(call(settings.socket, "protocol.text", {"protocol": name}))
    except ControlError:  # no hub, or none of that name: the pack answers
        return None
    if not isinstance(answer, dict) or answer.get("state") != "active" or not answer.get("text"):
        return None
    chosen = settings.institution.pack
    return Source(name=f"{name}@{answer['version']}", text=str(answer["text"]), pack=chosen, vocabulary=words_of(chosen))


def pack_named(pack: str | None) -> str:
    """The pack of this run: the one named, else the institution's, else the one that comes with Tinkuy."""
    if pack:
        return pack
    settings = config_if_any()
    return settings.institution.pack if settings else DEFAULT_PACK


def words_of(pack: str, *, as_json: bool = False) -> Vocabulary:
    """The vocabulary of a pack."""
    try:
        return packs.load(pack).vocabulary
    except PackError:
        end_with("policy.no_pack", Exit.USAGE, as_json=as_json, pack=pack)


def _file(path: Path, pack: str | None, *, as_json: bool) -> Source:
    file = path / NAME if path.is_dir() else path
    data = read_file(file, marked.MAX_BYTES, as_json=as_json)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        end_with("policy.not_text", Exit.USAGE, as_json=as_json, file=str(file))
    chosen = pack_named(pack)
    return Source(name=str(file), text=text, pack=chosen, vocabulary=words_of(chosen, as_json=as_json), folder=file.parent)


def _shipped(pack: str, name: str, *, as_json: bool) -> Source:
    vocabulary = words_of(pack, as_json=as_json)
    known = packs.load(pack).protocols
    if name not in known:
        end_with("policy.unknown", Exit.USAGE, as_json=as_json, name=name, known=", ".join(sorted(known)))
    return Source(name=f"{pack}/{name}", text=packs.protocol_text(pack, name), pack=pack, vocabulary=vocabulary, shipped=name)


def _version(name: str, number: int, pack: str | None, *, as_json: bool) -> Source:
    answer = ask("protocol.text", {"protocol": name, "version": number}, as_json=as_json)
    text = answer.get("text") if isinstance(answer, dict) else None
    if not isinstance(text, str) or not text:
        end_with("policy.no_version", as_json=as_json, name=name, version=number)
    chosen = pack_named(pack)
    return Source(name=f"{name}@{number}", text=text, pack=chosen, vocabulary=words_of(chosen, as_json=as_json))
