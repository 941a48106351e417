"""From the configuration file to what actions read: who we are and the knobs."""

from __future__ import annotations

from hub.actions.ports import Institution, Rules
from hub.base.config import Config


def institution(config: Config) -> Institution:
    """Who we are."""
    given = config.institution
    return Institution(
        id=given.id, name=given.name, kind=given.kind, territory=given.territory, language=given.language, zone=given.zone, needs=given.needs
    )


def rules(config: Config) -> Rules:
    """How insistent, how patient, how long."""
    return Rules(
        undo_seconds=config.chat.undo_seconds,
        show_minutes=config.chat.show_minutes,
        checkin_grace_minutes=config.checkins.grace_minutes,
        checkin_ring_minutes=config.checkins.ring_minutes,
        checkin_days={str(k): v for k, v in config.checkins.days.items()},
        erasure_days=config.exchange.erasure_days,
        accept_automatically=config.exchange.accept_automatically,
        only_signed=config.protocols.only_signed,
        safe_from=config.chat.safe_from,
        safe_until=config.chat.safe_until,
    )
