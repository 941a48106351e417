"""A country's words for the guard, from `packs/<country>/guard.yaml`: cues, streets, institutions, names, phrases and their kinder form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from types import MappingProxyType
from typing import Any

from ruamel.yaml import YAML

from policies.errors import PackError
from policies.guard.folding import plain
from policies.guard.phrases import Phrases, phrases
from policies.guard.verdict import IDENTIFIERS, UNREAD, WORDS
from policies.vocabulary import Words


def _none() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Phrases of one class, what makes them harmless, and the kinder sentence."""

    id: str
    of: str
    any: Phrases
    unless: Phrases
    kinder: Words


@dataclass(frozen=True, kw_only=True)
class Lexicon:
    """The words of one country. An empty one still knows what has the same shape everywhere: e-mail, cards, links, +51…"""

    region: str = ""
    regions: tuple[str, ...] = ()
    """Whose telephones are told apart, by ISO code: here first."""
    fields: Mapping[str, str] = field(default_factory=_none)
    """Field → how its value is looked for: `name`, `digits`, `email`, `address`, `date`, `code`."""
    labels: Mapping[str, Words] = field(default_factory=_none)
    """Class → what it is called."""
    cues: Mapping[str, Phrases] = field(default_factory=_none)
    area_codes: frozenset[str] = frozenset()
    public_numbers: frozenset[str] = frozenset()
    streets: frozenset[str] = frozenset()
    ways: frozenset[str] = frozenset()
    """Words of every day that are streets too: in capitals, or where she lives."""
    settlements: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    """What goes on with an address after its number: block, lot, floor."""
    institutions: frozenset[str] = frozenset()
    offices: frozenset[str] = frozenset()
    """Words beside which a telephone is an institution's own."""
    ours: frozenset[str] = frozenset()
    """Words with which whoever writes gives the number of her own office."""
    personal: frozenset[str] = frozenset()
    """Words beside which it may be hers all the same."""
    public_domains: frozenset[str] = frozenset()
    """Whose e-mail addresses are an office's."""
    given: frozenset[str] = frozenset()
    surnames: frozenset[str] = frozenset()
    not_hers: frozenset[str] = frozenset()
    """Words after which a name is a place's or a colleague's."""
    greetings: frozenset[str] = frozenset()
    """Words right after which a name is of whoever is written to."""
    nobody: frozenset[str] = frozenset()
    """Words after a cue that say who she is and not what she is called."""
    namesakes: Phrases = field(default_factory=Phrases)
    ordinary: frozenset[str] = frozenset()
    """Names that are words of every day too: alone and in small letters they say nothing."""
    identity_hosts: frozenset[str] = frozenset()
    urgent: Phrases = field(default_factory=Phrases)
    cries: frozenset[str] = frozenset()
    """Words that say danger when they are called out."""
    calm: Phrases = field(default_factory=Phrases)
    rules: tuple[Rule, ...] = field(default=())

    @cached_property
    def names(self) -> frozenset[str]:
        """All of both."""
        return self.given | self.surnames

    def rule(self, id_: str) -> Rule | None:
        """The rule of that id."""
        return next((one for one in self.rules if one.id == id_), None)


@cache
def load(pack: str) -> Lexicon:
    """The lexicon of a pack; an empty one when the pack brings none. Raises PackError when its file is wrong."""
    file = resources.files("policies.packs") / pack / "guard.yaml"
    if not pack.isidentifier() or not file.is_file():
        return Lexicon()
    return parse(file.read_text(encoding="utf-8"))


def parse(text: str) -> Lexicon:
    """Read a lexicon. Raises PackError, naming what is wrong."""
    try:
        return _read(YAML(typ="safe", pure=True).load(text))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise PackError(f"the guard's words cannot be read: {type(error).__name__} {error}") from None


def _read(data: dict[str, Any]) -> Lexicon:
    called = {*IDENTIFIERS, *WORDS, UNREAD}
    unknown, missing = set(data["labels"]) - called, called - set(data["labels"])
    if unknown or missing:
        raise ValueError(f"labels {sorted(unknown | missing)}")
    return Lexicon(
        region=data["region"], regions=tuple(data["regions"]), fields=MappingProxyType(dict(data["fields"])),
        labels=MappingProxyType({key: Words(**said) for key, said in data["labels"].items()}),
        cues=MappingProxyType({key: phrases(said) for key, said in data["cues"].items()}),
        area_codes=frozenset(map(str, data["area_codes"])), public_numbers=frozenset(map(str, data["public_numbers"])),
        streets=_set(data["streets"]), ways=_set(data["ways"]), settlements=_set(data["settlements"]), parts=_set(data["parts"]),
        institutions=_set(data["institutions"]),
        given=_set(data["given"]), surnames=_set(data["surnames"]), not_hers=_set(data["not_hers"]),
        nobody=_set(data["nobody"]), greetings=_set(data["greetings"]),
        namesakes=phrases(data["namesakes"]), ordinary=_set(data["ordinary"]),
        offices=_set(data["offices"]), ours=_set(data["ours"]), personal=_set(data["personal"]),
        public_domains=frozenset(data["public_domains"]),
        identity_hosts=frozenset(data["identity_hosts"]), urgent=phrases(data["urgent"]), cries=_set(data["cries"]), calm=phrases(data["calm"]),
        rules=tuple(_rule(one) for one in data["rules"]),
    )  # fmt: skip


def _set(said: str | list[str]) -> frozenset[str]:
    words = said.split() if isinstance(said, str) else said
    return frozenset(plain(str(word)) for word in words)


def _rule(one: dict[str, Any]) -> Rule:
    if one["class"] not in WORDS:
        raise ValueError(f"class {one['class']}")
    return Rule(
        id=one["id"], of=one["class"], any=phrases(one["any"]), unless=phrases(one.get("unless", [])), kinder=Words(es=one["es"], en=one["en"]),
    )  # fmt: skip
