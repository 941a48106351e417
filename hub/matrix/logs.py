"""nio logs whole decrypted events at WARNING and tokens at DEBUG (N34). Its loggers are pinned where no configuration reaches."""

from __future__ import annotations

import logging


class _Nothing(logging.Filter):
    """Lets no record of nio pass, whatever level somebody sets later."""

    def filter(self, record: logging.LogRecord) -> bool:
        return False


_NOTHING = _Nothing()


class _Pinned(logging.Logger):
    """A logger whose level can be raised but not lowered."""

    def setLevel(self, level: int | str) -> None:
        super().setLevel(logging.CRITICAL)

    def removeFilter(self, filter: object) -> None:
        """The filter stays."""

    def isEnabledFor(self, level: int) -> bool:
        return False

    def handle(self, record: logging.LogRecord) -> None:
        """Nothing is handed on, to no handler and no parent."""


def pin() -> None:
    """Silence `nio` and every logger below it, those that exist and those to come. Call before the first client is made."""
    names = {"nio", *(name for name in logging.root.manager.loggerDict if name.startswith("nio."))}
    for name in names:
        _silence(logging.getLogger(name))


def _silence(logger: logging.Logger) -> None:
    # The class is exchanged in place, because nio's modules hold references to these very objects.
    logger.__class__ = _Pinned
    logger.setLevel(logging.CRITICAL)
    logger.propagate = False
    if _NOTHING not in logger.filters:
        logger.addFilter(_NOTHING)
