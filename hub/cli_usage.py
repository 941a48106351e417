"""A command that was typed wrongly, told in the language of this run: the library that reads command lines speaks English only.

And the last net: what a command refuses with a code of ours ends with its sentence, wherever it comes from, and never as a fault.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from hub.base.config import LANGUAGE_VARIABLE
from hub.base.errors import TinkuyError
from hub.cli_base import Exit, setting, tell_refusal, words
from hub.cli_words import sentence, shown_code
from keys.errors import KeysError

_NAMED = re.compile(r"'([^']*)'")


class Speaking(TyperGroup):
    """The root of all commands, which ends by exit statuses and sentences."""

    def main(self, *args: Any, **how: Any) -> Any:  # its signature is the library's own affair
        """Run one command line."""
        try:
            done = super().main(*args, **(how | {"standalone_mode": False}))
        except TyperException as error:
            _tell_usage(error)
            sys.exit(error.exit_code)
        except typer.Abort:
            typer.echo(words("\nCancelado: no se hizo nada más.", "\nCancelled: nothing more was done."), err=True)
            sys.exit(Exit.REFUSED)
        except (TinkuyError, KeysError) as error:
            params = getattr(error, "params", {})
            known = sentence(error.code, params)
            tell_refusal(words(*known[:2]), words(*known[2:]), shown_code(error.code, params))
            sys.exit(Exit.REFUSED)
        sys.exit(done if isinstance(done, int) else Exit.DONE)


def _tell_usage(error: TyperException) -> None:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":  # a group that was named alone: its help is the answer
        return typer.echo(error.format_message(), err=True)
    english = setting.get().english or os.environ.get(LANGUAGE_VARIABLE) == "en"
    where = getattr(context, "command_path", "tinkuy")
    typer.echo(error.format_message() if english else _spanish(error), err=True)
    return typer.echo(f"→ {'See' if english else 'Vea'}: {where} --help", err=True)


def _spanish(error: TyperException) -> str:
    """What is wrong with the line. The library's own words are never shown: they would be the only English in the answer."""
    text, kind = error.format_message(), type(error).__name__
    named = ", ".join(f"`{each}`" for each in _NAMED.findall(text.split(". ")[0]))
    if kind == "MissingParameter":
        return f"Falta {named or 'un dato'}."
    if kind == "NoSuchOption":
        guesses = ", ".join(f"`{each}`" for each in getattr(error, "possibilities", None) or ())
        return f"La opción `{getattr(error, 'option_name', '')}` no existe." + (f" ¿Quiso decir {guesses}?" if guesses else "")
    if kind == "BadOptionUsage":
        return f"La opción `{getattr(error, 'option_name', '')}` está incompleta o le sobra algo."
    if kind == "BadParameter":
        hint = getattr(error, "param", None)
        return f"El valor de {hint.get_error_hint() if hint is not None else 'un dato'} no es válido.".replace("'", "`")
    if text.startswith("No such command"):
        meant = [f"`{each}`" for each in _NAMED.findall(text.partition(". ")[2])]
        return f"La orden {named} no existe." + (f" ¿Quiso decir {' o '.join(meant)}?" if meant else "")
    if text.startswith("Got unexpected extra argument"):
        return f"Sobra algo al final: {named or '`' + text.rpartition('(')[2].rstrip(').') + '`'}."
    return "La orden no se entiende."
