"""Every `tinkuy …` in any document parses: groups, options and arguments are those of the real command tree."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.main

from hub.cli import app
from tests.docs.pages import markdown, read, shell_lines, spans

TREE: Any = typer.main.get_command(app)


def parse(words: list[str], *, whole: bool) -> None:
    """Parse as the command line would, without running anything or touching a file. Raises AssertionError.

    `whole` commands must end at a leaf with all its arguments; others may name a group, or leave arguments out.
    """
    command, rest = TREE, words
    while hasattr(command, "commands"):
        _, rest = parsed(command, rest, group=True)
        if not rest:
            assert not whole, f"`tinkuy {' '.join(words)}` stops half-way"
            return
        assert rest[0] in command.commands, f"`tinkuy {' '.join(words)}`: there is no `{rest[0]}`"
        command, rest = command.commands[rest[0]], rest[1:]
    if whole or any(word.startswith("-") for word in rest):
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        options = [word for word in rest if word.startswith("-")]
        given = rest if whole else [*options, *("x" for _ in arguments)]
        opts, left = parsed(command, given)
        assert not left, f"`tinkuy {' '.join(words)}`: too many arguments"
        missing = [p.name for p in arguments if p.required and opts.get(str(p.name)) is None]
        assert not missing, f"`tinkuy {' '.join(words)}` lacks {missing}"


def parsed(command: Any, words: list[str], *, group: bool = False) -> tuple[dict[str, Any], list[str]]:
    """What the command's own parser makes of the words: values by name, and what is left."""
    context = typer.Context(command)
    context.allow_interspersed_args = not group
    try:
        opts, left, _ = command.make_parser(context).parse_args(list(words))
    except Exception as error:  # a UsageError of whichever click typer brings
        raise AssertionError(f"`{command.name} {' '.join(words)}`: {error}") from error
    return opts, left


def told() -> Iterator[tuple[Path, str, bool]]:
    """(page, command line, whole): shell blocks hold whole commands, running text may hold parts."""
    for page in markdown():
        text = read(page)
        yield from ((page, line, True) for line in shell_lines(text) if line.startswith("tinkuy "))
        yield from ((page, span, False) for span in spans(text) if span.startswith("tinkuy ") and "…" not in span)


def test_every_command_in_the_documents_parses() -> None:
    lines = list(told())
    assert {page.as_posix() for page, _, _ in lines} >= {"README.md", "CONTRIBUTING.md", "deploy/runbook.md"}
    assert len(lines) > 60
    for _, line, whole in lines:
        parse(shlex.split(re.sub(r"[.,;:]$", "", line))[1:], whole=whole)


@pytest.mark.parametrize(
    "line", ["backup", "staff", "staff promote @x:y", "staff add", "staff add @x:y --rank 3", "peer confirm cem", "doctor now", "--verbose run"]
)
def test_the_parser_can_say_no(line: str) -> None:
    with pytest.raises(AssertionError):
        parse(shlex.split(line), whole=True)


def test_readme_shows_what_a_real_institution_needs() -> None:
    shown = {" ".join(line.split()[1:3]) for line in shell_lines(read("README.md")) if line.startswith("tinkuy ")}
    assert {"init", "run", "doctor", "staff add", "manifest export", "peer add", "peer code", "peer confirm"} <= shown
