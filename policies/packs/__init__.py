"""Packs: one country's vocabulary and sharing protocols, shipped as data.

`load("pe")` reads and checks everything once. A pack that has any error is never handed out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType

from policies import conflict, document, engine, vocabulary
from policies.engine import Compiled
from policies.errors import PackError
from policies.protocol import Protocol
from policies.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class Pack:
    """A vocabulary with the protocols written in its words, by protocol id."""

    id: str
    vocabulary: Vocabulary
    protocols: Mapping[str, Protocol]
    compiled: Mapping[str, Compiled]

    def protocol_for(self, need: str, from_kind: str, to_kind: str, today: date | None = None) -> Protocol | None:
        """The protocol for this need between these kinds, in force on `today` when given; None when there is none (then
        nothing leaves)."""
        fitting = [
            protocol
            for protocol in self.protocols.values()
            if need in protocol.needs and from_kind in protocol.from_kinds and to_kind in protocol.to_kinds
            and (today is None or protocol.in_force(today))
        ]  # fmt: skip
        # The one that speaks about fewer needs is the more specific one.
        return min(fitting, key=lambda protocol: (len(protocol.needs), protocol.id), default=None)

    def cut_to(self, ids: Iterable[str]) -> Pack:
        """The same words with only these protocols: what no active protocol covers, nothing leaves for."""
        kept = frozenset(ids)
        return replace(
            self,
            protocols=MappingProxyType({k: v for k, v in self.protocols.items() if k in kept}),
            compiled=MappingProxyType({k: v for k, v in self.compiled.items() if k in kept}),
        )

    def alternatives(self, need: str, aggressor_affiliations: Iterable[str]) -> tuple[str, ...]:
        """The competent institution kinds for a need when the aggressor belongs to these bodies (R61-R63)."""
        term = self.vocabulary.needs.get(need)
        return conflict.alternatives(term, conflict.excluded_kinds(aggressor_affiliations)) if term else ()


@cache
def load(name: str) -> Pack:
    """Load a shipped pack. Raises PackError when there is none of that name, DocumentError when a file in it is wrong."""
    folder = _folder(name)
    words = vocabulary.parse(_text(folder / "vocabulary.yaml"), source=f"{name}/vocabulary.yaml")
    protocols = {}
    for item in _protocol_folders(folder):
        protocol = document.parse(_text(item / "protocol.yaml"), words, source=f"{name}/protocols/{item.name}/protocol.yaml")
        if protocol.id != item.name:
            raise PackError(f"the protocol in the folder `{item.name}` calls itself `{protocol.id}`; give both the same name")
        protocols[protocol.id] = protocol
    compiled = {key: engine.compile(protocol) for key, protocol in protocols.items()}
    return Pack(id=name, vocabulary=words, protocols=MappingProxyType(protocols), compiled=MappingProxyType(compiled))


def example_texts(name: str, protocol_id: str, expectation: str) -> dict[str, str]:
    """The examples of a protocol: file name -> YAML text. `expectation` is `RELEASE` or `WITHHOLD`."""
    folder = _folder(name) / "protocols" / protocol_id / expectation
    return {item.name: _text(item) for item in sorted(folder.iterdir(), key=lambda one: one.name) if item.name.endswith(".yaml")}


def protocol_text(name: str, protocol_id: str) -> str:
    """The text of a shipped protocol as its writers left it: what parties sign and administrators copy."""
    return _text(_folder(name) / "protocols" / protocol_id / "protocol.yaml")


def vocabulary_text(name: str) -> str:
    """The text of a pack's vocabulary."""
    return _text(_folder(name) / "vocabulary.yaml")


def _folder(name: str) -> Traversable:
    folder = resources.files("policies.packs") / name
    if not name.isidentifier() or not folder.is_dir():
        raise PackError(f"no pack named `{name}` is shipped")
    return folder


def _protocol_folders(folder: Traversable) -> Iterator[Traversable]:
    yield from (
        item for item in sorted((folder / "protocols").iterdir(), key=lambda one: one.name) if (item / "protocol.yaml").is_file()
    )


def _text(item: Traversable) -> str:
    return item.read_text(encoding="utf-8")
