"""The 64 emoji of Matrix's short authentication string, with the names that Element shows for them in Spanish and in English.

The order is the specification's (`sas-emoji.json`): an index is six bits of what both sides computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

EMOJI: Final[tuple[tuple[str, str, str], ...]] = (
    ("🐶", "Perro", "Dog"),
    ("🐱", "Gato", "Cat"),
    ("🦁", "León", "Lion"),
    ("🐎", "Caballo", "Horse"),
    ("🦄", "Unicornio", "Unicorn"),
    ("🐷", "Cerdo", "Pig"),
    ("🐘", "Elefante", "Elephant"),
    ("🐰", "Conejo", "Rabbit"),
    ("🐼", "Panda", "Panda"),
    ("🐓", "Gallo", "Rooster"),
    ("🐧", "Pingüino", "Penguin"),
    ("🐢", "Tortuga", "Turtle"),
    ("🐟", "Pez", "Fish"),
    ("🐙", "Pulpo", "Octopus"),
    ("🦋", "Mariposa", "Butterfly"),
    ("🌷", "Flor", "Flower"),
    ("🌳", "Árbol", "Tree"),
    ("🌵", "Cactus", "Cactus"),
    ("🍄", "Seta", "Mushroom"),
    ("🌏", "Globo", "Globe"),
    ("🌙", "Luna", "Moon"),
    ("☁️", "Nube", "Cloud"),
    ("🔥", "Fuego", "Fire"),
    ("🍌", "Plátano", "Banana"),
    ("🍎", "Manzana", "Apple"),
    ("🍓", "Fresa", "Strawberry"),
    ("🌽", "Maíz", "Corn"),
    ("🍕", "Pizza", "Pizza"),
    ("🎂", "Tarta", "Cake"),
    ("❤️", "Corazón", "Heart"),
    ("😀", "Emoticono", "Smiley"),
    ("🤖", "Robot", "Robot"),
    ("🎩", "Sombrero", "Hat"),
    ("👓", "Gafas", "Glasses"),
    ("🔧", "Llave inglesa", "Spanner"),
    ("🎅", "Papá Noel", "Santa"),
    ("👍", "Pulgar arriba", "Thumbs Up"),
    ("☂️", "Paraguas", "Umbrella"),
    ("⌛", "Reloj de arena", "Hourglass"),
    ("⏰", "Reloj", "Clock"),
    ("🎁", "Regalo", "Gift"),
    ("💡", "Bombilla", "Light Bulb"),
    ("📕", "Libro", "Book"),
    ("✏️", "Lápiz", "Pencil"),
    ("📎", "Clip", "Paperclip"),
    ("✂️", "Tijeras", "Scissors"),
    ("🔒", "Candado", "Lock"),
    ("🔑", "Llave", "Key"),
    ("🔨", "Martillo", "Hammer"),
    ("☎️", "Teléfono", "Telephone"),
    ("🏁", "Bandera", "Flag"),
    ("🚂", "Tren", "Train"),
    ("🚲", "Bicicleta", "Bicycle"),
    ("✈️", "Avión", "Aeroplane"),
    ("🚀", "Cohete", "Rocket"),
    ("🏆", "Trofeo", "Trophy"),
    ("⚽", "Bola", "Ball"),
    ("🎸", "Guitarra", "Guitar"),
    ("🎺", "Trompeta", "Trumpet"),
    ("🔔", "Campana", "Bell"),
    ("⚓", "Ancla", "Anchor"),
    ("🎧", "Cascos", "Headphones"),
    ("📁", "Carpeta", "Folder"),
    ("📌", "Alfiler", "Pin"),
)
"""Symbol, Spanish name, English name."""


def named(indices: Sequence[int], lang: str) -> list[str]:
    """`🐶 Perro` for each index."""
    return [f"{EMOJI[i][0]} {EMOJI[i][2] if lang == 'en' else EMOJI[i][1]}" for i in indices]
