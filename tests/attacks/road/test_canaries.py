"""The promise of `attacks.md` T2, T6 and T10 on the running network: what is personal is nowhere in clear, and after a withdrawal nowhere at all."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.stage import until
from deploy.demo.network import HubProcess, Network
from hub.app.house import open_keyring
from hub.base.config import load
from hub.store.database import Database
from hub.store.key_rows import KeyTable
from hub.store.unit_of_work import Vault
from keys.casekeys import DataKeys
from keys.errors import KeysError
from keys.identity import load_identity
from keys.primitives import aead_open, join
from policies import packs
from policies.decision import Outcome
from policies.holding import ceiling
from tests.attacks.canaries import everything, found_in, hits, marker
from tests.attacks.road import facts
from tests.attacks.road.player import PATIENCE, ShortRoad

PACK = packs.load("pe")
TYPED = [f for f in PACK.vocabulary.fields.values() if f.type in ("text", "list") and not f.codes and f.id != "social_name"]
"""Every field into which a person's own words go. Codes and dates come from closed lists, which are no secret."""


class Thief:
    """Somebody with a copy of a hub's database *and* all of its keys, as they are now: everything that opens is opened."""

    def __init__(self, hub: HubProcess, folder: Path) -> None:
        folder.mkdir()
        for name in ("hub.db", "keys.db"):
            with sqlite3.connect(hub.folder / "s" / name) as source, sqlite3.connect(folder / name) as copy:
                source.backup(copy)
        self.data = sqlite3.connect(folder / "hub.db")
        self.data.row_factory = sqlite3.Row
        config = load(hub.config)
        kek, keyring = open_keyring(config)
        self.identity = load_identity(keyring)
        self.keys = KeyTable(Database(f"sqlite:///{folder / 'keys.db'}"))
        self.vault = Vault(DataKeys(kek, self.keys), facts_now())
        self.bound = (config.institution.id.encode(),)

    def read(self) -> str:
        """The plain text of everything that opens."""
        found = [*self._cells(), *self._matrix()]
        return "\n".join(found) + "\n" + "\n".join(self.data.iterdump())

    def _cells(self) -> Iterator[str]:
        for row in self.data.execute("SELECT * FROM held_values"):
            yield from self._open([row["disclosure"]], f"held_values|{row['referral']}|{row['field']}", row["sealed"])
        for row in self.data.execute("SELECT * FROM posts WHERE length(sealed) > 0"):
            yield from self._open([row["owner"]], f"posts|sealed|{row['id']}", row["sealed"])
        for table in ("outbox", "early_messages"):
            for row in self.data.execute(f"SELECT * FROM {table} WHERE length(sealed) > 0"):
                yield from self._open(self.keys.owners(), f"{table.split('_')[0]}|sealed", row["sealed"])
        for row in self.data.execute("SELECT ref FROM outbox WHERE ref LIKE '%words%'"):
            ref = json.loads(row["ref"])
            yield from self._open([ref["owner"]], "outbox|words", bytes.fromhex(ref["words"]))

    def _matrix(self) -> Iterator[str]:
        for table, key in (("matrix_inbox", "event_id"), ("matrix_batch", "id"), ("matrix_waiting", "event_id")):
            for row in self.data.execute(f"SELECT * FROM {table}"):
                place = join(*self.bound, f"{table}|{row[key]}".encode())
                yield aead_open(self.identity.olm_rows, row["sealed"], place).decode(errors="replace")

    def _open(self, owners: Any, place: str, sealed: bytes) -> Iterator[str]:
        for owner in owners:
            try:
                yield self.vault.open(owner, place, sealed).decode(errors="replace")
            except KeysError:
                continue


def facts_now() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)


async def test_x08_p12_r13_r16_canaries(network: Network, tmp_path: Path) -> None:
    """A marker in every personal field, typed by a caseworker; disclosed, shown, talked about; then taken back."""
    road = ShortRoad(network=network)
    await road.begin()
    words = {"social_name": marker(), "said": marker(), "answered": marker(), "asked for": marker(), "internal note": marker()}
    await opened_with_markers(road, words)
    await road.refer()
    await road.accept()
    await spoken_of(road, words)
    await facts.at_rest(network)

    assert found_in(everything(network), words) == {}, "personal words stand in clear"

    allowed = released()
    readable = set(hits(Thief(network.hubs["csmc-comas"], tmp_path / "before").read().encode(), words))
    assert {"social_name", "phone", "mental_health_summary"} <= readable, "the thief's tools work"
    assert readable <= allowed | {"said", "answered", "asked for"}, "the recipient holds what the protocol does not release"
    withheld = {"legal_name", "document_number", "address", "notes", "account", "occupation", "migration_status", "hiv_status", "internal note"}
    assert not readable & withheld

    await road.withdraw()
    await facts.at_rest(network)
    left = hits(Thief(network.hubs["csmc-comas"], tmp_path / "after").read().encode(), words)
    assert left == [], "readable after the withdrawal with every key that the hub has"
    assert hits(Thief(network.hubs["colectiva-miluska"], tmp_path / "third").read().encode(), words) == []
    assert found_in(everything(network), words) == {}

    def shown() -> list[str]:
        return [m.body for m in road.bea.transcript if m.sender != road.bea.user_id and hits(m.body.encode(), words)]

    await until(lambda: not shown(), "every message at the recipient that shows her redacted, also on the client's side", 30)


async def opened_with_markers(road: ShortRoad, words: dict[str, str]) -> None:
    """Open a case under a marker for a name, and write one into every other field."""
    said = await road._say(road.ana, road.desk, f"!tk abrir {words['social_name']}, mañana a las 10", r"Listo: C-")
    road.code = said.body.split("Listo: ")[1][:7]
    road.card = await road._hear(road.ana, f"{road.code} · {words['social_name']}", road.desk)
    for field in TYPED:
        words[field.id] = marker()
        await road.ana.say(road.desk, f"anotar {field.label.es}: {words[field.id]}", thread=road.card)
    await road._hear(road.ana, rf"Anotado en {road.code}: {TYPED[-1].label.es}", road.desk)
    written = facts.rows(road.cem, "SELECT f.field FROM case_fields f JOIN cases c ON f.\"case\" = c.id WHERE c.code = ?", road.code)
    assert {row["field"] for row in written} == {"social_name", *(f.id for f in TYPED)}
    await road.ana.say(road.desk, f"nota interna: {words['internal note']}", thread=road.card)
    await road.consent()


async def spoken_of(road: ShortRoad, words: dict[str, str]) -> None:
    """Her data are shown at the recipient; the caseworkers talk, and one more field is asked for."""
    await road.bea.say(road.there, "ver", thread=road.offer)
    road.shown = await road._hear(road.bea, words["mental_health_summary"], road.direct)
    await road.bea.say(road.there, f"decir: {words['said']}", thread=road.offer)
    await road._hear(road.ana, words["said"], road.desk)
    await road.ana.say(road.desk, f"decir: {words['answered']}", thread=road.card)
    await road._hear(road.bea, words["answered"], road.there)
    await road.bea.say(road.there, f"pedir medicinas que toma para {words['asked for']}", thread=road.offer)
    asked = await road._hear(road.ana, words["asked for"], road.desk)
    await road.ana.say(road.desk, asked.choice("no darlo"), thread=asked.thread)
    await road.bea.expect("no da «", room=road.there, within=PATIENCE)


def released() -> set[str]:
    """The fields whose value the protocol could ever let out to the recipient."""
    protocol = PACK.protocols["mental-health"]
    widest = ceiling(protocol, "mental_health_centre", purpose="mental_health_care")
    return {field for field, outcome in widest.items() if outcome is Outcome.RELEASE}
