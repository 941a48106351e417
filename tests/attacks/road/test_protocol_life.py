"""R55, R105, R106 on the running network: three hubs as processes, real homeservers, the administrators' own command line and rooms."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.demo.network import HubProcess, Network

CEM, COL, CSMC = "cem-lima", "colectiva-miluska", "csmc-comas"
NAME = "shelter@2"


async def until(hub: HubProcess, state: str, seconds: float = 30.0) -> Any:
    """The version as this hub shows it, once it is in this state."""
    async with asyncio.timeout(seconds):
        while True:
            rows = [row for row in (await hub.ask("protocol.list"))["proposals"] if f"{row['protocol']}@{row['version']}" == NAME]
            if rows and rows[0]["state"] == state and not (state == "proposed" and rows[0]["unanswered"]):
                return rows[0]
            await asyncio.sleep(0.2)


async def test_three_hubs_propose_consult_sign_and_follow_a_changed_protocol(network: Network, tmp_path: Path) -> None:
    cem, col, csmc = (network.hubs[name] for name in (CEM, COL, CSMC))
    draft = tmp_path / "refugio.yaml"
    await cem.command("protocol", "draft", "shelter", str(draft))
    draft.write_text(draft.read_text().replace("  support_network: presence", "  support_network: withhold"))
    assert "sin errores" in await cem.command("protocol", "check", str(draft))
    today = datetime.now(UTC).date().isoformat()
    await cem.command("protocol", "propose", str(draft), "--with", CSMC, "--seat", COL, "--why", "Para la prueba.", "--until", today)
    await asyncio.gather(until(col, "proposed"), until(csmc, "proposed"))
    await col.command("protocol", "comment", NAME, "Está bien así.")
    await network.people["admin-cem"].expect("Está bien así", room=await cem.room("admin"))
    await cem.command("protocol", "answer", NAME, "1", "Gracias.")
    await until(col, "proposed")
    assert "red de apoyo" in await col.command("protocol", "diff", NAME)
    await col.command("protocol", "sign", NAME, "--yes")
    room, admin = await csmc.room("admin"), network.people["admin-csmc"]
    await admin.expect("firmó .* Faltan", room=room)
    await admin.say(room, "protocolo firmar shelter 2")
    await admin.expect("1. sí, en nombre de la institución", room=room)
    await admin.say(room, "1")
    assert (await until(csmc, "proposed"))["state"] == "proposed"
    await cem.command("protocol", "sign", NAME, "--yes")
    rows = await asyncio.gather(*(until(hub, "active") for hub in (cem, col, csmc)))
    assert [row["missing"] for row in rows] == [[], [], []]
    await admin.expect("rige desde hoy entre", room=room)
    await csmc.command("protocol", "export", NAME, str(tmp_path / "prueba"))
    assert "PROBADO" in await csmc.command("protocol", "verify", str(tmp_path / "prueba"))
