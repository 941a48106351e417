"""Files named in the documents exist, links resolve, make targets and configuration keys are real, nothing of a machine slips in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from hub.base.config import PREFIX, Config
from tests.docs.pages import ROOT, markdown, read, shell_lines, spans, tables, tracked

PAGES = markdown(ours=True)
TARGETS = set(re.findall(r"^([a-z]+):", read("Makefile"), re.M))
ROOMS = ("adapters", "bench", "deploy", "docs", "hub", "keys", "policies", "requirements", "tests", ".ci")
MADE_BY_THE_DEMO = (".demo/", ".demo/access.json")
ids = [page.as_posix() for page in PAGES]


def test_there_is_something_to_check() -> None:
    names = {page.as_posix() for page in PAGES}
    assert {"README.md", "CONTRIBUTING.md", "deploy/runbook.md", "docs/limits.md", "docs/adr/README.md"} <= names
    assert len(names) >= 18


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_file_named_exists(page: Path) -> None:
    missing = []
    for span in spans(read(page)):
        name = span.split("::")[0].rstrip("/")
        is_path = re.fullmatch(r"[\w.@-]+(/[\w.@-]+)+", name) and name.split("/")[0] in ROOMS
        is_file = re.fullmatch(r"[A-Z]\w+\.md|pyproject\.toml|Makefile|\.pre-commit-config\.yaml|\.ci/run", name)
        if (is_path or is_file) and not (ROOT / name).exists():
            missing.append(span)
    assert missing == []


@pytest.mark.parametrize("page", markdown(), ids=[page.as_posix() for page in markdown()])
def test_every_link_resolves(page: Path) -> None:
    text = re.sub(r"```.*?```", "", read(page), flags=re.S)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (ROOT / page).parent / name if name else ROOT / page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


def anchors(path: Path) -> set[str]:
    """Anchors as a Markdown page shows them: of headings, and those set by hand."""
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.S), re.M)
    return {slug(h) for h in headings} | set(re.findall(r'<a id="([\w-]+)"></a>', text))


def slug(heading: str) -> str:
    """GitHub's rule: lower case, only letters, digits, `_`, `-` and spaces, spaces as hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_slugs_are_made_as_githubs() -> None:
    assert slug("Órdenes · Commands") == "órdenes--commands"
    assert slug("How to add…") == "how-to-add"


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_make_target_exists(page: Path) -> None:
    named = {m for line in (*shell_lines(read(page)), *spans(read(page))) for m in re.findall(r"^make ([a-z]+)", line)}
    assert named <= TARGETS


def test_readme_has_the_two_commands_and_one_apt_line() -> None:
    lines = list(shell_lines(read("README.md")))
    assert [line for line in lines if line.startswith("make")] == ["make demo", "make test"]
    assert [line for line in lines if "apt" in line] == ["sudo apt install make python3-venv git"]
    assert "`make demo ONCE=1`" in read("README.md")
    assert "ONCE=$(ONCE)" in read("Makefile")


def test_readme_says_in_both_languages_what_it_says_in_one() -> None:
    text = read("README.md")
    spanish, english = (text[text.index(f"\n## {name}\n") :] for name in ("Español", "English"))
    spanish = spanish[: spanish.index("\n## English")]
    english = english[: english.index("\n## Where")]
    mine = [h for h in re.findall(r"^### (.+)$", spanish, re.M) if "Commands" not in h]  # the table of commands is bilingual
    assert len(mine) == len(re.findall(r"^### ", english, re.M)) >= 4


def test_contributing_names_every_target_and_every_folder_of_tests() -> None:
    text = read("CONTRIBUTING.md")
    told = {m for row in tables(text, "| target | does |") for m in re.findall(r"make ([a-z]+)", row[0])}
    assert told == TARGETS - {"help"}
    folders = {name.parts[1] for name in tracked() if name.parts[0] == "tests" and len(name.parts) > 2}
    assert {folder for row in tables(text, "| folder | question |") for folder in re.findall(r"`tests/(\w+)/`", row[0])} >= folders


# --- configuration ---------------------------------------------------------------------------------------------------------

KEYS = {f"{s}.{k}" for s, f in Config.model_fields.items() for k in getattr(f.annotation, "model_fields", {})}


def test_the_reference_holds_exactly_the_keys_of_the_schema() -> None:
    text = read("docs/configuration.md")
    parts = re.split(r"^## \[(\w+)\]$", text, flags=re.M)
    told = {f"{section}.{key}" for section, body in zip(parts[1::2], parts[2::2], strict=True) for key in re.findall(r"^\| `(\w+)` \|", body, re.M)}
    assert told == KEYS
    assert len(KEYS) > 30


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_configuration_key_named_exists(page: Path) -> None:
    sections = "|".join(Config.model_fields)
    named = {span for span in spans(read(page)) if re.fullmatch(rf"({sections})\.[a-z_]+", span)}
    named |= {
        f"{section.lower()}.{key.lower()}" for section, key in re.findall(rf"\b{PREFIX}([A-Z]+)__([A-Z_]+)\b", read(page))
    }
    assert named <= KEYS | {"keys.db"}  # a file, not a key


# --- what must not be there ------------------------------------------------------------------------------------------------

_PARTS = (("/ho", "me/"), ("/Us", "ers/"), ("/ro", "ot/"), ("/wo", "rk/"), ("C:\\", "Users"))
_HOSTS = (
    ("py", "pi.org"), ("python", "hosted.org"), ("npm", "js.org"), ("npm", "js.com"), ("crates", ".io"), ("gh", "cr.io"), ("docker", ".io"),
    ("proxy.golang", ".org"), ("--extra-index", "-url"), ("--index", "-url"),
)  # fmt: skip
FORBIDDEN = tuple("".join(pair) for pair in (*_PARTS, *_HOSTS))
"""In two halves, so that this file may hold the list."""


def test_no_machine_path_and_no_registry_host_in_any_text() -> None:
    found = []
    for name in tracked():
        data = (ROOT / name).read_bytes()
        if b"\0" in data[:4096]:
            continue
        text = data.decode("utf-8", errors="replace")
        found += [f"{name}: {word}" for word in FORBIDDEN if word in text]
    assert found == []


def test_hooks_are_local_and_fetch_nothing() -> None:
    config = yaml.safe_load(read(".pre-commit-config.yaml"))
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert {repo["repo"] for repo in config["repos"]} == {"local"}
    assert {hook["language"] for hook in hooks} == {"system"}
    assert not any("additional_dependencies" in hook for hook in hooks)
    recipe = read("Makefile").replace("$(BIN)", ".venv/bin")
    check = recipe[recipe.index("\ncheck:") : recipe.index("\nbench:")]
    for hook in hooks:
        command = " ".join(hook["entry"].replace(" --force-exclude", "").split()[:4])
        assert command in check or "pytest" in command, f"{hook['id']} runs what `make check` does not"


def test_licence_and_its_neighbour_are_named() -> None:
    text = read("README.md")
    assert "Apache-2.0" in text
    assert "AGPL" in text
    assert "Apache License" in read("LICENSE")
