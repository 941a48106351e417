"""The other server of a hub, set up as the runbook says."""

from __future__ import annotations

import shutil
from typing import TypeVar

from deploy.demo.network import HubProcess

H = TypeVar("H", bound=HubProcess)
MADE_HERE = ("output.txt", "hub.log")


def second(first: H, name: str) -> H:
    """The same KEK, keyring and password, a folder and a name of its own; not started. The first one is called `uno`."""
    folder = first.folder.with_name(f"{first.plan.id}-{name}")
    (folder / "s").mkdir(parents=True, mode=0o700)
    for file in (*first.folder.glob("*"), first.folder / "s" / "keyring.json"):
        if file.is_file() and file.name not in MADE_HERE:
            shutil.copy2(file, folder / file.relative_to(first.folder))
    short = first.short / name
    short.mkdir(exist_ok=True)
    other = type(first)(plan=first.plan, folder=folder, user_id=first.user_id, password=first.password, server=first.server, short=short)
    text = first.config.read_text().replace(str(first.folder), str(folder)).replace(str(first.socket), str(other.socket))
    other.config.write_text(text.replace('server = "uno"', f'server = "{name}"'))
    return other
