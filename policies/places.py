"""Where a district lies and who is a national: the country of a pack, enough to say less than a district and still be useful.

The table is the pack's data. A district that is not in it cannot be generalised, so it is withheld. Several districts share a name
("Miraflores" is in Lima and in Arequipa): write `Miraflores, Arequipa` and the province or region named last decides.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class Place:
    """The province and region a district belongs to."""

    province: str
    region: str


def plain(text: str) -> str:
    """Lower case, without accents, single spaces: the form in which words are compared."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in folded if not unicodedata.combining(c)).split())


@dataclass(frozen=True, kw_only=True)
class Country:
    """A pack's table of places and its words for its own nationality, all in plain form."""

    districts: Mapping[Place, frozenset[str]]
    first: Mapping[str, Place]
    nationals: frozenset[str]

    def place_of(self, district: str) -> Place | None:
        """Where a district lies, written as `Comas` or as `Miraflores, Arequipa`; None when the table does not know."""
        name, _, within = (part.strip() for part in plain(district).partition(","))
        if within:
            named = [place for place in self.districts if within in (plain(place.province), plain(place.region))]
            return next((place for place in named if name in self.districts[place]), None)
        return self.first.get(name)


def country(districts: Iterable[tuple[Place, Iterable[str]]], nationals: Iterable[str]) -> Country:
    """A country from its rows. A bare name means the first place of the table that has it: the larger city."""
    rows = [(place, frozenset(plain(name) for name in names)) for place, names in districts]
    return Country(
        districts=MappingProxyType(dict(rows)),
        first=MappingProxyType({name: place for place, names in reversed(rows) for name in names}),
        nationals=frozenset(plain(word) for word in nationals),
    )


NOWHERE = country((), ())
"""Knows no place and no nationality: every generalisation that would need one withholds."""
