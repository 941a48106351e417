"""Why a request for data was refused: closed codes that travel between hubs, in three groups by who says no.

None of them tells a value, whether a value exists, or a fact of hers: `protocol` stands for whatever the protocol and its exclusions say, and
whether she was asked at all, took it back or her permission ran out is one and the same `consent`.
"""

from __future__ import annotations

from policies import emergency, onward

BY_PEOPLE = ("she_refuses", "not_needed", "not_safe", "refused")
"""What a caseworker of the owner may answer: one number."""
BY_HUB = ("protocol", "consent", "owner")
"""What a hub answers by itself to a request for one more field; `owner`: it is not ours to give."""
ASK_REASONS = (*BY_PEOPLE, *BY_HUB)
ONWARD_REASONS = (*BY_PEOPLE, *onward.REFUSALS)
GLASS_REASONS = emergency.REFUSALS

AGAIN_REASONS = ("she_asked", "authority_asks", "new_facts", "no_interpreter", "safety")
"""Why she is asked again for what she told once (R23). None of them is that somebody else's record was not read."""
TELLERS = ("herself", "representative", "witness")
VERDICTS = ("justified", "not_justified")
