"""What a peer may choose: ids, versions and keys are checked here before anything of ours is named by them."""

from __future__ import annotations

import re
from collections.abc import Container

from keys import envelope
from keys.errors import KeysError
from keys.primitives import SealingKey

REFERRAL_ID = re.compile(r"ref_[0-9a-f]{24}")
DISCLOSURE_ID = re.compile(r"dis_[0-9a-f]{24}")
ASK_ID = re.compile(r"ask_[0-9a-f]{24}")
ONWARD_ID = re.compile(r"onw_[0-9a-f]{24}")
GLASS_ID = re.compile(r"gls_[0-9a-f]{24}")
INSTITUTION_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
"""A peer chooses these ids, and a disclosure id becomes the owner of a key here: it may name nothing else that owns one."""
FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
"""Names of fields are code, not prose: anything else a peer calls a field is not repeated to people."""
MAX_VERSION = 10**6


def is_key(raw: bytes) -> bool:
    """Whether something can be sealed to what a peer calls its key: better refused here than found out at dispatch."""
    try:
        envelope.seal_body(SealingKey(raw), ("check",), b"\0")
    except (KeysError, ValueError):
        return False
    return True


def known_words(items: tuple[str, ...], words: Container[str]) -> list[str]:
    """The codes we know among what a peer sent, each once: a list of codes is no place for words (P05)."""
    return [item for item in dict.fromkeys(items) if item in words]
