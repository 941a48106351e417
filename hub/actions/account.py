"""Tell it once (R23): her account is kept with who told it, to whom, when, how and in which language; a further conversation needs a reason.

The words are the case field `account`, the provenance becomes `account_source`, and both travel only as the protocol says: whoever receives
that it exists, and when and to whom it was told, has no reason to make her tell it again. Whoever does all the same says why, and it counts.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from hub.actions.common import find_case, find_referral, intend, note, open_case_of, value_of, write_field
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.i18n import long_day, mark, text
from hub.cases.answers import AGAIN_REASONS, TELLERS
from hub.cases.events import AskedAgain, CaseChanged
from hub.cases.lifecycle import WORKING, Side
from hub.cases.records import Account, Case, Referral

FIELD, SOURCE = "account", "account_source"
SAME_TALK = timedelta(hours=1)
"""Within it the person who heard her may put her words right: that is no second interview."""
AGAIN_FOR = timedelta(days=1)
MAX_ACCOUNT = 4000
WHO = {"herself": mark("ella misma"), "representative": mark("su representante"), "witness": mark("otra persona")}


def tell(unit: Unit, by: str, code: str | None, words: str, *, teller: str = "", mode: str = "", language: str = "") -> Account:
    """Keep what she told. Raises Refused `account_told`, `value_too_long`, `nothing_said`, `unknown_answer`."""
    case = open_case_of(unit, code)
    account = keep_account(unit, by, case, words, teller=teller, mode=mode, language=language)
    unit.announce(CaseChanged(case=case.id))
    return account


def keep_account(unit: Unit, by: str, case: Case, words: str, *, teller: str = "", mode: str = "", language: str = "") -> Account:
    """The one way in which an account is written, by the dialogue or by `anotar`."""
    lists = unit.pack.vocabulary.lists
    if not words.strip():
        raise Refused("nothing_said")
    if (teller and teller not in TELLERS) or (mode and mode not in MODES) or (language and language not in lists["languages"]):
        raise Refused("unknown_answer")
    before = unit.accounts.get(case.id)
    if before is not None and not _may_write(unit, by, before):
        raise Refused("account_told", code=case.code)
    again = before is not None and bool(before.again_until and before.again_until > unit.now)
    value = _together(unit, case, words) if again else words.strip()
    if len(value) > MAX_ACCOUNT:
        raise Refused("value_too_long", field=FIELD, limit=MAX_ACCOUNT)
    account = _next(unit, by, case, before, again=again, teller=teller, mode=mode, language=language)
    (unit.accounts.put if before else unit.accounts.add)(account)
    write_field(unit, case.id, FIELD, value, by)
    write_field(unit, case.id, SOURCE, source(unit, account), by)
    note(unit, case.id, by, "account.told", times=account.times, teller=account.teller)
    return account


MODES = ("in_person", "phone", "written")
HOW = {"in_person": mark("en persona"), "phone": mark("por teléfono"), "written": mark("por escrito")}


def source(unit: Unit, account: Account) -> str:
    """Who told it, when, to which institution, in which language and how: names of nobody who works here (R74)."""
    lang = unit.me.language
    parts = [text(lang, WHO[account.teller])] if account.teller else []
    parts += [long_day(lang, account.told_at, ZoneInfo(unit.me.zone)), text(lang, "a {institution}", institution=unit.me.name)]
    parts += [unit.pack.vocabulary.label("languages", account.language, lang)] if account.language else []
    parts += [text(lang, HOW[account.mode])] if account.mode else []
    return ", ".join(parts)


def ask_again(unit: Unit, by: str, code: str | None, reason: str) -> Case | Referral:
    """She is to be asked again: why is recorded and counted first. Of a referral, its sender is told.

    Raises Refused `unknown_reason`, `not_told_yet`, `not_working`.
    """
    if reason not in AGAIN_REASONS:
        raise Refused("unknown_reason")
    if code and (code.startswith(("R-", "ref_"))):
        return _again_there(unit, by, find_referral(unit, code, Side.RECIPIENT), reason)
    case = open_case_of(unit, code)
    account = unit.accounts.get(case.id)
    if account is None:
        raise Refused("not_told_yet", code=case.code)
    unit.accounts.put(replace(account, again=reason, again_until=unit.now + AGAIN_FOR))
    note(unit, case.id, by, "account.asked_again", reason=reason)
    unit.announce(AskedAgain(about=case.id, reason=reason))
    return case


def provenance(unit: Unit, code: str | None) -> tuple[Case, Account | None]:
    """What is known of the account of a case, without its words. Raises Refused `unknown_code`."""
    case = find_case(unit, code)
    return case, unit.accounts.get(case.id)


def _again_there(unit: Unit, by: str, referral: Referral, reason: str) -> Referral:
    if referral.state not in WORKING:
        raise Refused("not_working", code=referral.code)
    intend(unit, referral.peer, "told.again", referral=referral.id, reason=reason)
    note(unit, referral.id, by, "account.asked_again", reason=reason)
    unit.announce(AskedAgain(about=referral.id, reason=reason))
    return referral


def _may_write(unit: Unit, by: str, account: Account) -> bool:
    again = account.again_until is not None and account.again_until > unit.now
    return again or (account.heard_by == by and unit.now - account.told_at <= SAME_TALK)


def _next(unit: Unit, by: str, case: Case, before: Account | None, *, again: bool, teller: str, mode: str, language: str) -> Account:
    if before is None or again:
        return Account(
            id=case.id, teller=teller, heard_by=by, mode=mode, language=language, told_at=unit.now, times=before.times + 1 if before else 1
        )  # fmt: skip
    return replace(before, teller=teller or before.teller, mode=mode or before.mode, language=language or before.language)


def _together(unit: Unit, case: Case, words: str) -> str:
    """What she adds stands below what she told before: nothing of hers is lost."""
    earlier = value_of(unit, case.id, FIELD) or ""
    return f"{earlier}\n\n— {long_day(unit.me.language, unit.now, ZoneInfo(unit.me.zone))}:\n{words.strip()}"
