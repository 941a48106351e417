"""Our manifests beside the backups: public files, so that a restore from a copy older than a turn of keys knows of that turn at once (D11).

A peer gives a newer manifest back too (`hub/actions/own_manifest.py`), but not when the signing key in the copy was withdrawn meanwhile: it hears
nothing from such a hub. Nothing here is believed for where it lies: each version follows the one before, by our roots' signatures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from hub.base import logs
from hub.base.config import Config
from keys.errors import KeysError
from keys.manifest import MAX_BYTES, Manifest, accept_one

_log = logs.get("manifest")
_NAME = re.compile(r"manifest-(?P<institution>[a-z0-9._-]+)-v(?P<version>\d{1,9})\.json")


def lay_beside(config: Config, manifest: Manifest, folder: Path | None = None) -> None:
    """Beside the backups, when their disk is here; the next backup makes up for it when it is not."""
    folder = folder or config.paths.backups
    if folder is None or not folder.is_dir():
        return
    path = folder / f"manifest-{manifest.institution}-v{manifest.version}.json"
    try:
        if not path.exists() or path.read_bytes() != manifest.raw:
            fresh = path.with_name(f".{path.name}.new")
            fresh.write_bytes(manifest.raw)
            fresh.replace(path)
    except OSError as error:
        _log.warning("manifest.not_beside", error=error)


def newer_than(manifest: Manifest, places: Iterable[Path], now: datetime) -> list[Manifest]:
    """The versions in these folders that follow `manifest` one after another, in order. What does not follow is passed by."""
    found: list[Manifest] = []
    last = manifest
    for version, path in sorted(_files(manifest.institution, places)):
        try:
            if version <= last.version or path.stat().st_size > MAX_BYTES:
                continue
            following = accept_one(last, path.read_bytes(), now)
        except (KeysError, OSError) as error:
            _log.warning("manifest.passed_by", error=error)
            continue
        found.append(following)
        last = following
    return found


def _files(institution: str, places: Iterable[Path]) -> Iterable[tuple[int, Path]]:
    for place in places:
        for path in place.iterdir() if place.is_dir() else ():
            name = _NAME.fullmatch(path.name)
            if name and name["institution"] == institution:
                yield int(name["version"]), path
