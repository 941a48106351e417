"""The language guard on real homeservers: from what she types to the advice in her direct chat, and a message taken out of the room."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from deploy.demo.network import Network
from deploy.demo.person import Person

CARD, DNI, PHONE, EMAIL = "4111 1111 1111 1111", "40000917", "900 111 917", "canario.inventado@gmail.com"
TYPED = {
    "una tarjeta de banco": f"su tarjeta {CARD}", "un número de DNI": f"su dni es {DNI}", "un teléfono": f"su cel {PHONE}",
    "un correo": f"su correo {EMAIL}",
    "una dirección": "vive en Jr. Inventado 345", "una cuenta de Matrix": "es @canaria:inventada.example", "hiere o estigmatiza": "llegó un travelo",
}  # fmt: skip


async def test_what_she_types_is_advised_in_private_and_redacted_where_it_is_set_so(network: Network) -> None:
    """`GUARD_TIMES=file` keeps the seconds from her sending to her reading."""
    hub, ana, sofia = network.hubs["cem-lima"], network.people["ana"], network.people["sofia"]
    desk, direct = await hub.room("desk"), await hub.room(f"direct:{ana.user_id}")
    seconds = [await _advised(ana, desk, direct, words, said) for said, words in TYPED.items()]
    assert not ana.seen("Solo para usted", room=desk), "her colleagues read nothing of it"
    if os.environ.get("GUARD_TIMES"):
        Path(os.environ["GUARD_TIMES"]).write_text(json.dumps({"seconds_from_message_to_advice": [round(one, 3) for one in sorted(seconds)]}) + "\n")

    assert "retira el mensaje" in await hub.command("guard", "set", "desk", "redact")
    await ana.say(desk, f"otra vez, su dni es {DNI}")
    told = await sofia.expect("otra vez, su dni es", room=desk)
    await sofia.expect_redacted(told)
    await ana.expect("Retiré de la mesa su mensaje: tenía un número de DNI", room=direct)

    shown = await hub.command("guard", "show")
    assert "retira el mensaje" in shown
    assert "DNI" in shown
    assert "advise" in await hub.command("guard", "set", "desk", "advise", "--json")
    log = hub.log.read_text(errors="replace")
    assert not any(word in log + shown for word in (CARD, DNI, PHONE, EMAIL, "travelo", "canaria"))


async def _advised(ana: Person, desk: str, direct: str, words: str, said: str) -> float:
    began = time.monotonic()
    await ana.say(desk, words)
    await ana.expect(f"Solo para usted: en la mesa escribió.*{said}", room=direct)
    return time.monotonic() - began
