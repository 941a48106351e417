"""Where a district lies: a small table of Peru's larger cities, enough to say less than a district and still be useful.

A district that is not here cannot be generalised, so it is withheld. Several districts share a name ("Miraflores" is in Lima
and in Arequipa): write `Miraflores, Arequipa` and the province or region named last decides.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Place:
    """The province and region a district belongs to."""

    province: str
    region: str


def plain(text: str) -> str:
    """Lower case, without accents, single spaces: the form in which words are compared."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in folded if not unicodedata.combining(c)).split())


def place_of(district: str) -> Place | None:
    """Where a district lies, written as `Comas` or as `Miraflores, Arequipa`; None when the table does not know."""
    name, _, within = (part.strip() for part in plain(district).partition(","))
    if within:
        named = [place for place in _DISTRICTS if within in (plain(place.province), plain(place.region))]
        return next((place for place in named if name in _DISTRICTS[place]), None)
    return _FIRST.get(name)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


_DISTRICTS: dict[Place, tuple[str, ...]] = {
    Place(province="Lima", region="Lima Metropolitana"): _split(
        "ancon, ate, barranco, brena, carabayllo, chaclacayo, chorrillos, cieneguilla, comas, el agustino, "
        "independencia, jesus maria, la molina, la victoria, lima, cercado de lima, lima cercado, lince, los olivos, "
        "lurigancho, chosica, lurin, magdalena del mar, magdalena, miraflores, pachacamac, pucusana, pueblo libre, "
        "puente piedra, punta hermosa, punta negra, rimac, san bartolo, san borja, san isidro, san juan de lurigancho, "
        "san juan de miraflores, san luis, san martin de porres, san miguel, santa anita, santa maria del mar, santa "
        "rosa, santiago de surco, surco, surquillo, villa el salvador, villa maria del triunfo"
    ),
    Place(province="Callao", region="Callao"): _split(
        "callao, bellavista, carmen de la legua, carmen de la legua reynoso, la perla, la punta, ventanilla, mi peru"
    ),
    Place(province="Arequipa", region="Arequipa"): _split(
        "arequipa, alto selva alegre, cayma, cerro colorado, characato, jacobo hunter, jose luis bustamante y rivero, "
        "mariano melgar, paucarpata, sachaca, socabaya, tiabaya, yanahuara, miraflores, hunter"
    ),
    Place(province="Cusco", region="Cusco"): _split("cusco, san jeronimo, san sebastian, santiago, wanchaq"),
    Place(province="Trujillo", region="La Libertad"): _split(
        "trujillo, el porvenir, florencia de mora, huanchaco, la esperanza, laredo, moche, salaverry, victor larco herrera"
    ),
    Place(province="Piura", region="Piura"): _split("piura, castilla, catacaos, veintiseis de octubre"),
    Place(province="Chiclayo", region="Lambayeque"): _split("chiclayo, jose leonardo ortiz, pimentel"),
    Place(province="Maynas", region="Loreto"): _split("iquitos, belen, punchana"),
    Place(province="Tacna", region="Tacna"): _split("tacna, alto de la alianza, ciudad nueva, pocollay"),
    Place(province="Tumbes", region="Tumbes"): _split("tumbes, corrales"),
    Place(province="Zarumilla", region="Tumbes"): _split("zarumilla, aguas verdes"),
    Place(province="Tambopata", region="Madre de Dios"): _split("tambopata, puerto maldonado"),
    Place(province="Coronel Portillo", region="Ucayali"): _split("calleria, pucallpa, yarinacocha"),
    Place(province="Huamanga", region="Ayacucho"): _split("ayacucho"),
    Place(province="Huancayo", region="Junín"): _split("huancayo, chilca, el tambo"),
    Place(province="Puno", region="Puno"): _split("puno"),
    Place(province="San Román", region="Puno"): _split("juliaca"),
}
_FIRST = {name: place for place, names in reversed(_DISTRICTS.items()) for name in names}
"""A bare name means the first place of the table that has it: the larger city."""
