"""`python -m bench.plain_nio FOLDER`: plain matrix-nio restores a login and loads its store; nothing else is imported, nothing is asked.

Prints MB resident once it has them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from nio import AsyncClient, AsyncClientConfig


def restored(folder: Path) -> AsyncClient:
    """A client whose default store of this folder is loaded."""
    client = AsyncClient(
        "http://127.0.0.1:1", "@plain:example", store_path=str(folder), config=AsyncClientConfig(encryption_enabled=True, store_sync_tokens=False)
    )
    client.restore_login("@plain:example", "PLAINNIO", "token")
    return client


if __name__ == "__main__":
    restored(Path(sys.argv[1]))
    print(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6, flush=True)
