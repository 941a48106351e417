"""Whether the configuration speaks the words of its policies pack: a kind that no protocol names would start, and nothing would ever leave."""

from __future__ import annotations

from rapidfuzz import process

from hub.base.config import Config, ConfigError, Finding
from policies import packs
from policies.errors import PolicyError
from policies.packs import Pack


def pack_of(config: Config) -> Pack:
    """The pack, cut to the protocols that are active here. Raises ConfigError naming every word that the pack does not know."""
    try:
        pack = packs.load(config.institution.pack)
    except PolicyError:
        raise ConfigError((_finding("institution.pack", config.institution.pack, packs.shipped()),)) from None
    findings = tuple(_unknown_words(config, pack))
    if findings:
        raise ConfigError(findings)
    return pack.cut_to(config.protocols.active) if config.protocols.active else pack


def _unknown_words(config: Config, pack: Pack) -> list[Finding]:
    given = config.institution
    wanted = [("institution.kind", given.kind, tuple(pack.vocabulary.kinds))]
    wanted += [("institution.needs", need, tuple(pack.vocabulary.needs)) for need in given.needs]
    wanted += [("protocols.active", name, tuple(pack.protocols)) for name in config.protocols.active]
    return [_finding(key, word, known) for key, word, known in wanted if word not in known]


def _finding(key: str, word: str, known: tuple[str, ...]) -> Finding:
    near = process.extractOne(word, known)
    meant = near[0] if near else ""
    return Finding(
        key=key,
        code="config.unknown_word",
        es=f"`{key}`: el paquete no conoce `{word}`; ¿quiso decir `{meant}`? Hay: {', '.join(known)}",
        en=f"`{key}`: the pack does not know `{word}`; did you mean `{meant}`? There are: {', '.join(known)}",
    )
