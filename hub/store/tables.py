"""Every table of the data database, one line each. Values of people are always in a `sealed` column; the rest are ids, codes and times.

What decides who is trusted, who consented and what must be kept is *vouched*: the hub seals the row, and stops when it reads another.
"""

from __future__ import annotations

from sqlalchemy import MetaData

from hub.cases import records as c
from hub.exchange import records as x
from hub.store.mapping import Mapping

metadata = MetaData()

CASES = Mapping(c.Case, "cases", metadata, indexes=[("unique", "code"), ("state", "next_contact_at")])
FIELDS = Mapping(c.CaseField, "case_fields", metadata, indexes=[("unique", "case", "field")])
CONSENTS = Mapping(c.Consent, "consents", metadata, indexes=[("case",)], vouched=True)
REFERRALS = Mapping(c.Referral, "referrals", metadata, indexes=[("unique", "code"), ("case",), ("state",)])
DISCLOSURES = Mapping(c.Disclosure, "disclosures", metadata, indexes=[("referral",), ("state", "until")])
HELD = Mapping(c.HeldValue, "held_values", metadata, indexes=[("disclosure",), ("referral",)])
BASES = Mapping(c.LegalBasis, "legal_bases", metadata, indexes=[("case",)], vouched=True)
HOLDS = Mapping(c.LegalHold, "legal_holds", metadata, vouched=True)
ASKS = Mapping(c.Ask, "asks", metadata, indexes=[("referral",)])
ONWARDS = Mapping(c.Onward, "onwards", metadata, indexes=[("referral",), ("child",)], vouched=True)
GLASSES = Mapping(c.Glass, "glasses", metadata, indexes=[("referral",), ("by", "at")], vouched=True)
ACCOUNTS = Mapping(c.Account, "accounts", metadata)
CHECKINS = Mapping(c.CheckIn, "checkins", metadata, indexes=[("case",), ("state", "next_ring_at")])
TIMERS = Mapping(c.Timer, "timers", metadata, indexes=[("done_at", "due_at"), ("ref",)])
STAFF = Mapping(c.Staff, "staff", metadata, vouched=True)
VERIFICATIONS = Mapping(c.Verification, "verifications", metadata, indexes=[("state",), ("user", "asked_at")], vouched=True)
ROOMS = Mapping(c.Room, "rooms", metadata, indexes=[("unique", "purpose")], vouched=True)
COORDINATIONS = Mapping(c.Coordination, "coordinations", metadata, indexes=[("unique", "code"), ("case",), ("state",)], vouched=True)
SEATS = Mapping(c.Seat, "seats", metadata, indexes=[("coordination",), ("institution", "state")], vouched=True)
ROOM_FINDINGS = Mapping(c.RoomFinding, "room_findings", metadata, indexes=[("purpose",)])
INVITATIONS = Mapping(c.Invitation, "invitations", metadata, indexes=[("last_at",)])
QUESTIONS = Mapping(c.Question, "questions", metadata, indexes=[("room", "state")])
DIALOGUES = Mapping(c.Dialogue, "dialogues", metadata, indexes=[("room", "user")])
POSTS = Mapping(c.Post, "posts", metadata, indexes=[("order",), ("state", "order"), ("key",), ("thread",), ("event",), ("owner",)])
LOG = Mapping(c.LogLine, "log_lines", metadata, indexes=[("about", "at")])
UNDOABLES = Mapping(c.Undoable, "undoables", metadata, indexes=[("user", "room")])
TOMBSTONES = Mapping(c.Tombstone, "tombstones", metadata, indexes=[("confirmed_at",)], vouched=True)
GUARD_MODES = Mapping(c.GuardMode, "guard_modes", metadata, vouched=True)
ADVICE = Mapping(c.Advice, "advice", metadata, indexes=[("at",)])
GUARD_COUNTS = Mapping(c.GuardCount, "guard_counts", metadata)
HANDLED = Mapping(c.Handled, "handled_events", metadata)
PEERS = Mapping(x.Peer, "peers", metadata, vouched=True)
HUB_DEVICES = Mapping(x.HubDevice, "hub_devices", metadata, vouched=True)
OWN_STATEMENTS = Mapping(x.OwnStatement, "own_statements", metadata, vouched=True)
LINKS = Mapping(x.Link, "links", metadata, indexes=[("unique", "peer")], vouched=True)
OUTBOX = Mapping(x.Outgoing, "outbox", metadata, indexes=[("order",), ("state", "order"), ("link", "epoch", "seq")])
SEEN = Mapping(x.Seen, "seen_messages", metadata, indexes=[("link", "epoch", "seq")])
EARLY = Mapping(x.Early, "early_messages", metadata, indexes=[("link", "epoch", "seq")])
MANIFESTS = Mapping(x.ManifestVersion, "manifest_versions", metadata, indexes=[("institution", "version")], vouched=True)
NETWORK_LISTS = Mapping(x.ListVersion, "network_lists", metadata, indexes=[("table", "version")], vouched=True)
LEDGER = Mapping(x.LedgerRow, "ledger", metadata)
PROPOSALS = Mapping(x.ProtocolProposal, "protocol_proposals", metadata, indexes=[("protocol", "version"), ("signed_at",)], vouched=True)
PAPERS = Mapping(x.ProtocolPaper, "protocol_papers", metadata, vouched=True)
PROTOCOL_WORDS = Mapping(x.ProtocolWord, "protocol_words", metadata, indexes=[("proposal", "kind")], vouched=True)
VOICE_CODES = Mapping(x.VoiceCode, "voice_codes", metadata, indexes=[("proposal",)], vouched=True)
