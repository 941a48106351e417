"""The auditor: after everything came to rest it reads both databases and both signed ledgers from outside, beside the hubs' own code.

It trusts no count that a hub tells. What one side wrote is held against what the other side wrote, number by number.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row

from deploy.demo.network import HubProcess
from hub.base.config import load
from keys.ledger import verify_checkpoint
from keys.manifest import Manifest
from keys.primitives import VerifyKey
from keys.receipt import verify_receipt
from tests.attacks.soak.desk import DECLINED, SPOKEN, WITHDRAWN, fate

OWED = {
    "outbox": "SELECT count(*) FROM outbox WHERE state IN ('ready', 'dispatched')",
    "posts": "SELECT count(*) FROM posts WHERE state IN ('ready', 'sending')",
    "inbox": "SELECT count(*) FROM matrix_inbox",
    "batches": "SELECT count(*) FROM matrix_batch",
    "early": "SELECT count(*) FROM early_messages",
    "acks": "SELECT count(*) FROM links WHERE ack_due_at IS NOT NULL",
    "tombstones": "SELECT count(*) FROM tombstones WHERE confirmed_at IS NULL",
}
"""What a hub that is at rest has none of."""


class Reader:
    """Any hub's database, read only, whichever kind it is."""

    def __init__(self, hub: HubProcess) -> None:
        url = load(hub.config).database.url
        if url.startswith("sqlite"):
            self._sqlite = sqlite3.connect(f"file:{hub.folder / 's' / 'hub.db'}?mode=ro", uri=True, timeout=30)
            self._sqlite.row_factory = sqlite3.Row
            self._run: Any = self._sqlite.execute
            self.close: Any = self._sqlite.close
        else:
            plain = psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True, row_factory=dict_row)
            plain.read_only = True
            self._run, self.close = plain.execute, plain.close

    def all(self, query: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self._run(query).fetchall()]

    def one(self, query: str) -> Any:
        (row,) = self.all(query)
        return next(iter(row.values()))


def owed(hub: HubProcess) -> dict[str, int]:
    """What of `OWED` this hub still has."""
    reader = Reader(hub)
    try:
        counts = {name: int(reader.one(query)) for name, query in OWED.items()}
    finally:
        reader.close()
    return {name: count for name, count in counts.items() if count}


def unsigned(hub: HubProcess, since: float) -> int:
    """Records of this hub made before `since` (seconds since 1970) that their peer has not signed for."""
    reader = Reader(hub)
    try:
        return int(reader.one(f"SELECT count(*) FROM outbox WHERE state IN ('ready', 'dispatched') AND made_at < {int(since * 1_000_000)}"))
    finally:
        reader.close()


@dataclass(kw_only=True)
class Books:
    """One hub's tables, as far as the auditor needs them."""

    hub: HubProcess
    referrals: dict[str, dict[str, Any]]
    disclosures: dict[str, list[dict[str, Any]]]
    held: Counter[str]
    """Values per disclosure and field."""
    outbox: list[dict[str, Any]]
    seen: dict[str, list[dict[str, Any]]]
    links: dict[str, dict[str, Any]]
    logged: Counter[tuple[str, str]]
    ledger: list[dict[str, Any]]
    manifests: dict[str, bytes]
    """Of its peers, as it keeps them."""

    @classmethod
    def of(cls, hub: HubProcess) -> Books:
        reader = Reader(hub)
        try:
            disclosures, seen = defaultdict(list), defaultdict(list)
            for row in reader.all("SELECT * FROM disclosures"):
                disclosures[row["referral"]].append(row)
            for row in reader.all("SELECT * FROM seen_messages"):
                seen[row["link"]].append(row)
            return cls(
                hub=hub,
                referrals={row["id"]: row for row in reader.all("SELECT * FROM referrals WHERE state <> 'draft'")},
                disclosures=disclosures,
                held=Counter(f"{row['disclosure']} {row['field']}" for row in reader.all("SELECT disclosure, field FROM held_values")),
                outbox=reader.all("SELECT link, kind, ref, state, epoch, seq, digest FROM outbox ORDER BY link, epoch, seq"),
                seen=seen,
                links={row["id"]: row for row in reader.all("SELECT * FROM links")},
                logged=Counter((row["about"], row["what"]) for row in reader.all("SELECT about, what FROM log_lines")),
                ledger=reader.all("SELECT id, previous, hash, entry FROM ledger ORDER BY id"),
                manifests={row["id"]: bytes(row["manifest"]) for row in reader.all("SELECT id, manifest FROM peers")},
            )
        finally:
            reader.close()


@dataclass(kw_only=True)
class Verdict:
    """Everything that is not as it must be: a sentence each, with ids and no person."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unacked: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.unacked or self.wrong)

    def figures(self) -> dict[str, int]:
        return {name: len(found) for name, found in vars(self).items()}

    def say(self) -> str:
        return "\n".join(f"{name}: {line}" for name, found in vars(self).items() for line in found[:12]) or "nothing lost, nothing doubled"


def audit(hubs: Iterable[HubProcess], promised: dict[str, list[str]]) -> Verdict:
    """`promised`: per institution the referrals that its hub said it had sent; what a hub keeps is audited with or without.

    Call it when the hubs are at rest or stopped.
    """
    verdict = Verdict()
    books = {hub.plan.id: Books.of(hub) for hub in hubs}
    for name in books:
        _effects(verdict, books, name, set(promised.get(name, ())))
    for name, mine in books.items():
        for link in mine.links.values():
            _line(verdict, mine, books[link["peer"]], link)
        _ledger(verdict, name, mine, books)
    return verdict


def _effects(verdict: Verdict, books: dict[str, Books], name: str, promised: set[str]) -> None:
    """Every referral that a hub promised or keeps: once there, in the same state, disclosed once, with its receipts."""
    mine = books[name]
    kept = {id_ for id_, row in mine.referrals.items() if row["side"] == "sender"}
    verdict.lost += [f"{name} forgot {id_}" for id_ in promised - kept]
    for id_ in kept:
        row = mine.referrals[id_]
        _effect(verdict, id_, row, mine, books[row["peer"]])
    for peer, theirs in books.items():
        strange = [id_ for id_, row in theirs.referrals.items() if row["side"] == "recipient" and row["peer"] == name and id_ not in kept]
        verdict.doubled += [f"{peer} has {id_}, which {name} never sent" for id_ in strange]


def _effect(verdict: Verdict, id_: str, row: dict[str, Any], mine: Books, theirs: Books) -> None:
    there = theirs.referrals.get(id_)
    if there is None:
        verdict.lost.append(f"{id_} never took effect ({row['state']} at its sender)")
        return
    once = [
        (mine, row["case"], "referral.offered"), (mine, row["case"], "referral.delivered"), (theirs, id_, "referral.received"),
        (theirs, id_, "referral.declined" if fate(id_) == DECLINED else "referral.accepted"),
        *([(theirs, id_, "disclosure.received")] if fate(id_) != DECLINED else []),
        *([(theirs, id_, "message.sent"), (mine, row["case"], "message.received")] if fate(id_) == SPOKEN else []),
        *([(mine, row["case"], "erasure.confirmed")] if fate(id_) == WITHDRAWN else []),
    ]  # fmt: skip
    for books, about, what in once:
        count = books.logged[about, what]
        if count != 1:
            (verdict.lost if count == 0 else verdict.doubled).append(f"{id_}: {what} {count} times")
    state = {DECLINED: "rejected", WITHDRAWN: "cancelled"}.get(fate(id_), "accepted")
    if not row["state"] == there["state"] == state:
        verdict.wrong.append(f"{id_} is {row['state']} here, {there['state']} there, and should be {state}")
    _disclosed(verdict, id_, mine, theirs)


def _disclosed(verdict: Verdict, id_: str, mine: Books, theirs: Books) -> None:
    given, got = mine.disclosures[id_], theirs.disclosures[id_]
    wanted = 0 if fate(id_) == DECLINED else 1
    for rows in (given, got):
        if len(rows) != wanted:
            (verdict.lost if len(rows) < wanted else verdict.doubled).append(f"{id_}: {len(rows)} disclosures")
            return
    if not wanted:
        return
    ours, held = given[0], got[0]
    if (ours["id"], ours["fields"]) != (held["id"], held["fields"]):
        verdict.wrong.append(f"{id_}: another disclosure there than here")
    fields = json.loads(held["fields"])
    destroyed = fate(id_) == WITHDRAWN
    for name in fields:
        count = theirs.held[f"{held['id']} {name}"]
        if count != (not destroyed):
            (verdict.doubled if count > 1 else verdict.lost if not count else verdict.wrong).append(f"{id_}: {name} held {count} times")
    if destroyed:
        peer = theirs.hub.plan.id
        try:
            verify_receipt(bytes(ours["receipt"]), peer, _keys_of(peer, mine))
        except Exception as error:
            verdict.wrong.append(f"{id_}: its receipt of destruction does not hold ({type(error).__name__})")


def _line(verdict: Verdict, mine: Books, theirs: Books, link: dict[str, Any]) -> None:
    """One direction of a link: numbers without a gap, each seen once there with the digest that was signed here, both heads equal."""
    name = f"{mine.hub.plan.id} → {theirs.hub.plan.id}"
    sent = [row for row in mine.outbox if row["link"] == link["id"]]
    waiting = [row for row in sent if row["state"] in ("ready", "dispatched")]
    verdict.unacked += [f"{name}: {row['kind']} {row['seq'] or 'not numbered'}" for row in waiting]
    numbered = {(row["epoch"], row["seq"]): row for row in sent if row["seq"]}
    if [seq for _, seq in sorted(numbered)] != list(range(1, link["next_out"])):
        verdict.wrong.append(f"{name}: the numbers have gaps or twins")
    seen: dict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
    for row in theirs.seen[link["id"]]:
        seen[row["epoch"], row["seq"]].append(row)
    verdict.lost += [f"{name}: number {key[1]} ({row['kind']}) was never taken" for key, row in numbered.items() if key not in seen]
    verdict.doubled += [f"{name}: number {key[1]} was taken {len(rows)} times" for key, rows in seen.items() if len(rows) > 1 or key not in numbered]
    for key, row in numbered.items():
        signed = {bytes(row["digest"]), bytes.fromhex(json.loads(row["ref"]).get("was", ""))}
        if key in seen and bytes(seen[key][0]["digest"]) not in {*signed, b""}:
            verdict.wrong.append(f"{name}: number {key[1]} is another message there")
    there = theirs.links.get(link["id"])
    if there is None or (there["next_in"], bytes(there["head_in"])) != (link["next_out"], bytes(link["head_out"])):
        verdict.wrong.append(f"{name}: the two sides stand at different places")
    if link["frozen"]:
        verdict.wrong.append(f"{name}: frozen ({link['frozen']})")


def _ledger(verdict: Verdict, name: str, mine: Books, books: dict[str, Books]) -> None:
    """The chain by its published recipe alone (`keys.md` §4, vectors); and what a peer signed for of it lies on it."""
    heads = [_joined(b"TINKUY-v1 ledger genesis", name.encode())]
    for number, row in enumerate(mine.ledger, 1):
        digest = _joined(b"TINKUY-v1 entry", bytes(row["entry"]))
        heads.append(_joined(b"TINKUY-v1 ledger", heads[-1], number.to_bytes(8, "big"), digest))
        if (row["id"], bytes(row["previous"]), bytes(row["hash"])) != (number, heads[-2], heads[-1]):
            verdict.wrong.append(f"{name}: its ledger does not hold at row {number}")
            return
    said = Counter(json.loads(bytes(row["entry"]))["action"] for row in mine.ledger)
    sent = Counter(row["kind"] for row in mine.outbox if row["seq"] and row["kind"] != "chunk")
    if said != sent:
        verdict.wrong.append(f"{name}: its ledger tells of {dict(said - sent)} more and {dict(sent - said)} less than it sent")
    for peer, theirs in books.items():
        for link in theirs.links.values():
            if link["peer"] == name and link["checkpoint"]:
                told = verify_checkpoint(bytes(link["checkpoint"]), name, _keys_of(name, theirs)).head
                if told.size >= len(heads) or heads[told.size] != told.hash:
                    verdict.wrong.append(f"{peer} keeps a signed checkpoint that is not in the ledger of {name}")


def _keys_of(institution: str, keeper: Books) -> tuple[VerifyKey, ...]:
    """The keys with which an institution's hub signs, by the manifest that its peer was handed."""
    return Manifest.from_bytes(keeper.manifests[institution]).profile.hub_signing


def _joined(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()
