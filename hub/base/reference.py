"""The configuration as pages: JSON Schema for editors, Markdown for people, and the values in force without their secrets."""

from __future__ import annotations

import json
import re
from typing import Any

from hub.base.config import Config, Section


def schema() -> dict[str, Any]:
    """JSON Schema of the file, for editors (`tinkuy config schema`)."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}


def reference() -> str:
    """The same as a Markdown page, which `docs/configuration.md` must equal."""
    lines = ["# tinkuy.toml", "", "Made by `tinkuy config reference`; a test holds the two equal.", ""]
    for name, field in Config.model_fields.items():
        section = field.annotation
        if not (isinstance(section, type) and issubclass(section, Section)):
            continue
        about = " ".join((section.__doc__ or "").split())
        lines += [f"## [{name}]", "", about, "", "| key | default | meaning |", "|---|---|---|"]
        for key, part in section.model_fields.items():
            default = "**required**" if part.is_required() else f"`{json.dumps(part.default, default=str)}`"
            lines.append(f"| `{key}` | {default} | {part.description or ''} |")
        lines.append("")
    return "\n".join(lines)


def redacted(config: Config) -> dict[str, Any]:
    """The settings as plain JSON values with every secret and every database password struck out."""
    shown = config.model_dump(mode="json")
    for key in ("url", "keys_url"):
        shown["database"][key] = re.sub(r"://.*@", "://***@", re.sub(r"\?.*", "?***", shown["database"][key]))
    return shown
