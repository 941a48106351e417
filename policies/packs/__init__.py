"""Packs: one country's vocabulary, routing rules and sharing protocols, shipped as data.

`load("pe")` reads and checks everything once. A pack that has any error is never handed out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from hashlib import sha256
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType

from policies import conflict, document, engine, routes, routing, vocabulary
from policies.engine import Compiled
from policies.errors import PackError
from policies.in_force import SignedVersion, counting
from policies.protocol import Protocol
from policies.routes import Routes
from policies.routing import Route, RouteFacts
from policies.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class Pack:
    """A vocabulary with the protocols (by id) and the routes written in its words."""

    id: str
    vocabulary: Vocabulary
    protocols: Mapping[str, Protocol]
    compiled: Mapping[str, Compiled]
    routes: Routes
    signed: tuple[SignedVersion, ...] = ()
    """Every version that this institution has signed with others, whatever its date; `shipped` is the pack without them."""
    shipped: Pack | None = None
    today: date = date.min
    only_signed: bool = False

    def with_signed(self, signed: Iterable[SignedVersion], today: date, *, only_signed: bool = False) -> Pack:
        """This pack as it counts on `today`: for each id the newest signed version over the shipped one. Between two, see `between`."""
        whole = replace(self, signed=tuple(signed), shipped=self, today=today, only_signed=only_signed)
        return whole._view(None)

    def between(self, peer: str) -> Pack:
        """What counts between us and one institution: no version that it has not signed, but the shipped ones."""
        return self._view(peer) if self.signed else self

    def version(self, protocol_id: str, version: int) -> Protocol | None:
        """One version, of any age, as it was when it decided; None when it is not known here."""
        base = self.shipped or self
        known = [s.protocol for s in self.signed if s.protocol.id == protocol_id] + [p for p in base.protocols.values() if p.id == protocol_id]
        return next((protocol for protocol in known if protocol.version == version), None)

    def _view(self, peer: str | None) -> Pack:
        base = self.shipped or self
        over = counting(self.signed, self.today, peer)
        compiled = {} if self.only_signed else dict(base.compiled)
        protocols = {} if self.only_signed else dict(base.protocols)
        for protocol_id, each in over.items():
            protocols[protocol_id], compiled[protocol_id] = each.protocol, each.compiled
        return replace(self, protocols=MappingProxyType(protocols), compiled=MappingProxyType(compiled))

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

    def route(self, facts: RouteFacts) -> Route:
        """The competent institution kinds for these facts, in order, with times, laws and rights (R53, R61-R69)."""
        return routing.route(facts, self.routes, self.vocabulary)

    def alternatives(self, need: str, aggressor_affiliations: Iterable[str]) -> tuple[str, ...]:
        """The competent institution kinds for a need when the aggressor belongs to these bodies (R61-R63)."""
        words = self.vocabulary
        term = words.needs.get(need)
        out = conflict.excluded_kinds(aggressor_affiliations, words.bodies, words.kinds)
        return conflict.alternatives(term.served_by, out, words.bodies) if term else ()


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
    ways = routes.parse(_text(folder / "routes.yaml"), words, source=f"{name}/routes.yaml")
    compiled = {key: engine.compile(protocol) for key, protocol in protocols.items()}
    return Pack(
        id=name, vocabulary=words, protocols=MappingProxyType(protocols), compiled=MappingProxyType(compiled), routes=ways
    )


def shipped() -> tuple[str, ...]:
    """The names of all packs that come with this version, in order."""
    here = resources.files("policies.packs")
    return tuple(sorted(item.name for item in here.iterdir() if item.name.isidentifier() and (item / "vocabulary.yaml").is_file()))


def example_texts(name: str, protocol_id: str, expectation: str) -> dict[str, str]:
    """The examples of a protocol: file name -> YAML text. `expectation` is `RELEASE` or `WITHHOLD`."""
    folder = _folder(name) / "protocols" / protocol_id / expectation
    return {item.name: _text(item) for item in sorted(folder.iterdir(), key=lambda one: one.name) if item.name.endswith(".yaml")}


def protocol_text(name: str, protocol_id: str) -> str:
    """The text of a shipped protocol as its writers left it: what parties sign and administrators copy."""
    return _text(_folder(name) / "protocols" / protocol_id / "protocol.yaml")


@cache
def vocabulary_digest(name: str) -> str:
    """What parties name when they sign a protocol: the words it was read with."""
    return sha256(vocabulary_text(name).encode()).hexdigest()


def vocabulary_text(name: str) -> str:
    """The text of a pack's vocabulary."""
    return _text(_folder(name) / "vocabulary.yaml")


def routes_text(name: str) -> str:
    """The text of a pack's routing rules."""
    return _text(_folder(name) / "routes.yaml")


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
