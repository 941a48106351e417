"""`python -m bench.guard`: how well the language guard sees, class by class, beside Presidio on the same texts in one run.

Sets of two kinds. `bench/data/chat_pe.jsonl`: chat-style Peruvian Spanish, written here by whoever wrote the rules, more than half of it hard
negatives. The first messages were parted by line before anything was tuned: the rules were written looking at `written`. `spent` was held out twice,
and looked at since; `held` was written after the rules and no rule was tuned on it: that is what to quote. `probe` was written before bare names,
blame and conciliation were mended, and they were mended by it.
MEDDOCAN (CC BY 4.0, © SEAD, corpus SPACCC_MEDDOCAN; 250 Spanish clinical texts): read where it lies, never copied. Its texts whose SHA-256 begins
with an even byte (`meddocan_tuned`) were looked at when addresses and names were mended, the others (`meddocan`) were not.
A span counts as found when one of its class covers half of it or more.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.rows import RESULTS, percentile
from policies.guard import load, look
from policies.guard.verdict import IDENTIFIERS, WORDS

ROOT = Path(__file__).parents[1]
CHAT = Path(__file__).parent / "data" / "chat_pe.jsonl"
MEDDOCAN = Path(os.environ.get("TINKUY_MEDDOCAN", ROOT.parent / "shared" / "data" / "meddocan" / "dev.jsonl"))
PRESIDIO = Path(os.environ.get("TINKUY_PRESIDIO", ROOT / ".presidio" / "bin" / "python"))
ROUNDS, ROUNDS_LONG = 20, 3
DIRECT = {
    "CORREO_ELECTRONICO": "email", "NUMERO_TELEFONO": "phone", "NUMERO_FAX": "phone", "CALLE": "address", "ID_SUJETO_ASISTENCIA": "record",
    "ID_ASEGURAMIENTO": "record", "NOMBRE_SUJETO_ASISTENCIA": "name",
}  # fmt: skip
"""MEDDOCAN's direct identifiers → our classes. Dates of birth are those whose line says so; other dates, places and staff are not the guard's."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """One labelled or found stretch."""

    of: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Text:
    """One text with what stands in it."""

    half: str
    text: str
    spans: tuple[Span, ...]


Seen = Sequence[tuple[Span, ...]]


def chat() -> list[Text]:
    """The chat set."""
    rows = [json.loads(line) for line in CHAT.read_text(encoding="utf-8").splitlines()]
    return [Text(half=row["half"], text=row["text"], spans=tuple(_span(one) for one in row["spans"])) for row in rows]


def meddocan(path: Path = MEDDOCAN) -> list[Text]:
    """The clinical set, or none when it is not there."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []
    return [Text(half=_half(row["text"]), text=row["text"], spans=tuple(_mapped(row))) for row in rows]


def _half(text: str) -> str:
    return "meddocan" if hashlib.sha256(text.encode()).digest()[0] % 2 else "meddocan_tuned"


def homes(texts: Sequence[Text], seen: Seen) -> dict[str, float | int | None]:
    """Recall of the addresses that are her own, «Domicilio: …»: most others of MEDDOCAN are hospitals', which the guard leaves alone on purpose."""
    found = [any(_covers(f, g) for f in those if f.of == g.of) for one, those in zip(texts, seen, strict=True) for g in one.spans if _is_home(one, g)]
    return {"there": len(found), "recall": _share(sum(found), len(found))}


def _is_home(text: Text, span: Span) -> bool:
    return span.of == "address" and "domicilio" in text.text[: span.start].rpartition("\n")[2].lower()


def _span(one: Mapping[str, Any]) -> Span:
    return Span(of=one["class"], start=one["start"], end=one["end"])


def _mapped(row: Mapping[str, Any]) -> Iterable[Span]:
    for one in row["spans"]:
        line = row["text"][: one["start"]].rpartition("\n")[2].lower()
        of = "birth_date" if one["label"] == "FECHAS" and "nac" in line else DIRECT.get(one["label"])
        if of:
            yield Span(of=of, start=one["start"], end=one["end"])


def ours(texts: Sequence[Text], rounds: int = ROUNDS) -> tuple[Seen, list[float]]:
    """What the guard sees, and the milliseconds of each text: the best of some rounds (three for long texts), for the machine is not ours alone."""
    lexicon, seen, times = load("pe"), [], []
    for one in texts:
        took = []
        for _ in range(rounds if len(one.text) < 500 else min(rounds, ROUNDS_LONG)):
            began = time.perf_counter()
            verdict = look(one.text, lexicon)
            took.append((time.perf_counter() - began) * 1000)
        times.append(min(took))
        seen.append(tuple(Span(of=found.what, start=found.start, end=found.end) for found in verdict.found))
    return seen, times


def presidio(texts: Sequence[Text]) -> tuple[Seen, list[float]] | None:
    """The same of Presidio; None, with a plain line, when its environment is not here."""
    if not PRESIDIO.is_file():
        print(f"Presidio skipped: no {PRESIDIO} (python3 -m venv .presidio && .presidio/bin/pip install --require-hashes -r "
              "requirements/bench-presidio.txt)")  # fmt: skip
        return None
    given = json.dumps([one.text for one in texts])
    done = subprocess.run([PRESIDIO, ROOT / "bench" / "guard_presidio.py"], input=given, capture_output=True, text=True, check=True, timeout=900)
    found = json.loads(done.stdout)
    return [tuple(_span(span) for span in one["spans"]) for one in found], [one["ms"] for one in found]


def score(texts: Sequence[Text], seen: Seen, classes: Iterable[str]) -> dict[str, dict[str, float | int | None]]:
    """Per class: how many there are, recall, precision. Precision is None when nothing was claimed."""
    rows: dict[str, dict[str, float | int | None]] = {}
    for of in classes:
        pairs = [([s for s in one.spans if s.of == of], [s for s in found if s.of == of]) for one, found in zip(texts, seen, strict=True)]
        there, claimed = sum(len(gold) for gold, _ in pairs), sum(len(found) for _, found in pairs)
        hit = sum(any(_covers(f, g) for f in found) for gold, found in pairs for g in gold)
        right = sum(any(_covers(f, g) for g in gold) for gold, found in pairs for f in found)
        if there or claimed:
            rows[of] = {"there": there, "claimed": claimed, "recall": _share(hit, there), "precision": _share(right, claimed)}
    return rows


def _covers(found: Span, gold: Span) -> bool:
    common = min(found.end, gold.end) - max(found.start, gold.start)
    return common > 0 if gold.of in WORDS else 2 * common >= gold.end - gold.start  # where a phrase begins and ends is anybody's guess


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None


def false_alarms(texts: Sequence[Text], seen: Seen) -> dict[str, int]:
    """Texts with nothing in them, and how many of those were cried at."""
    clean = [found for one, found in zip(texts, seen, strict=True) if not one.spans]
    return {"clean": len(clean), "alarms": sum(bool(found) for found in clean)}


def measured(name: str, texts: Sequence[Text], found: tuple[Seen, list[float]] | None, classes: Sequence[str]) -> dict[str, Any] | None:
    """Everything of one engine on one set."""
    if found is None or not texts:
        return None
    seen, times = found
    return {
        "set": name, "texts": len(texts), "classes": score(texts, seen, classes),
        "homes": homes(texts, seen), "false_alarms": false_alarms(texts, seen),
        "ms": {"p50": round(percentile(times, 0.5), 3), "p99": round(percentile(times, 0.99), 3), "most": round(max(times), 3)},
    }  # fmt: skip


def run(other: Callable[[Sequence[Text]], tuple[Seen, list[float]] | None] = presidio) -> dict[str, Any]:
    """Both engines on all sets, in one run."""
    sets = {half: [one for one in chat() if one.half == half] for half in ("held", "probe", "spent", "written")}
    sets |= {half: [one for one in meddocan() if one.half == half] for half in ("meddocan", "meddocan_tuned")}
    result: dict[str, Any] = {}
    for name, texts in sets.items():
        classes = sorted({*DIRECT.values(), "birth_date"}) if name.startswith("meddocan") else [*IDENTIFIERS, *WORDS]
        if not texts:
            print(f"{name} skipped: no {MEDDOCAN}")
            continue
        result[name] = {"tinkuy": measured(name, texts, ours(texts), classes), "presidio": measured(name, texts, other(texts), classes)}
    return result


def table(result: Mapping[str, Any]) -> str:
    """The figures as Markdown; `docs/governance/guard.md` holds exactly this."""
    lines: list[str] = []
    for name, engines in result.items():
        mine, theirs = engines["tinkuy"], engines["presidio"] or {"classes": {}, "false_alarms": {"alarms": "–"}, "ms": {"p50": "–", "p99": "–"}}
        lines += [f"| {name} ({mine['texts']}) | n | recall | precision | Presidio recall | Presidio precision |", "|---|---:|---:|---:|---:|---:|"]
        for of, row in mine["classes"].items():
            other = theirs["classes"].get(of, {})
            cells = (row["recall"], row["precision"], other.get("recall"), other.get("precision"))
            lines.append(f"| {of} | {row['there']} | " + " | ".join("–" if cell is None else f"{cell:.2f}" for cell in cells) + " |")
        if name.startswith("meddocan"):
            lines.append(f"| address, of them «Domicilio» | {mine['homes']['there']} | {mine['homes']['recall']:.2f} | | | |")
        alarms = mine["false_alarms"]
        lines.append(f"| false alarms, of {alarms['clean']} clean texts | | {alarms['alarms']} | | {theirs['false_alarms']['alarms']} | |")
        lines.append(f"| ms a text, p50 / p99 | | {mine['ms']['p50']} / {mine['ms']['p99']} | | {theirs['ms']['p50']} / {theirs['ms']['p99']} | |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Measure, show, keep in `bench/results/guard.json`."""
    result = run()
    RESULTS.joinpath("guard.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    print(table(result))


if __name__ == "__main__":
    main()
