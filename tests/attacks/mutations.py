"""The defences, by the id of the attack they stand against: what to disable, and the test that must then fail.

`make mutations` disables them one by one, in a copy of the tree, and fails when a test stays green. `test_mutations.py` keeps the list true.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """In `file`, `before` (it stands there once) is replaced by `after`; then `test` must go red."""

    id: str
    file: str
    before: str
    after: str
    test: str


def _m(id_: str, file: str, before: str, after: str, test: str) -> Mutation:
    return Mutation(id=id_, file=file, before=before, after=after, test=f"tests/{test}")


DEVICES, EVENTS, SECRECY = "attacks/matrix/test_devices.py::", "attacks/matrix/test_events.py::", "attacks/matrix/test_secrecy.py::"
ENVELOPES, PROMISES, ANSWERS = "attacks/twins/test_envelopes.py::", "attacks/twins/test_promises.py::", "attacks/twins/test_answers.py::"
LATE, WITHDRAW, HOLD = "actions/test_late_defences.py::", "actions/test_withdraw.py::", "actions/test_legal_hold.py::"
LEASE = "store/test_lease.py::"
STATED = "attacks/twins/test_devices.py::"
RULES = "homeserver/test_rules.py::"
WORKERS = "operation/test_operation_workers.py::"
RETURN = "operation/test_operation_return.py::"
SHREDDING, SPOILT = "attacks/backups/test_shredding.py::", "attacks/backups/test_spoilt.py::"
RESTART = "attacks/backups/test_restart.py::"
TURN = "attacks/twins/test_keys_turn.py::"
OUTAGES, LEDGERS = "attacks/twins/test_delivery.py::", "attacks/twins/test_ledgers.py::"

_CODE = """    if not same_code(short_code_with(unit, institution), code):
        raise Refused("wrong_pairing_code", institution=institution)
"""

EMOJI, EXCHANGE, STEPS = "verifying/test_emoji.py::", "verifying/test_exchange.py::", "verifying/test_steps.py::"

_LOCK = """    unit.referrals.put(referral)  # before the key: on PostgreSQL a second acceptance waits here, and may not replace the key of the first
"""
_KEEP = """    unit.vault.keep_secret(referral.id, key.reveal())
"""

MUTATIONS: tuple[Mutation, ...] = (
    # ---- verification by emoji
    _m("V01", "hub/matrix/sas.py",
       '        self._check(self.theirs.master, f"ed25519:{self.theirs.master}", macs.get(f"ed25519:{self.theirs.master}"))\n', "",
       EXCHANGE + "test_a_mac_over_other_keys_proves_nothing"),
    _m("V01", "hub/matrix/sas.py", '        self._check(_listed(macs), "KEY_IDS", _text(content, "keys"))\n', "",
       EXCHANGE + "test_keys_taken_from_the_list_are_noticed"),
    _m("V01", "hub/matrix/sas.py", "            self._check(self.theirs.ed25519, device, macs[device])\n", "            pass\n",
       EXCHANGE + "test_a_mac_over_other_keys_proves_nothing"),
    _m("V01", "hub/matrix/sas.py", "            matrixjson.from_unpadded(given)  # one spelling of a key: it goes into the emoji as text\n", "",
       EXCHANGE + "test_a_key_that_is_none_is_refused"),
    _m("V01", "hub/matrix/sas.py", "hashlib.sha256(self._own_key.encode() + _canonical(", "hashlib.sha256(_canonical(",
       EXCHANGE + "test_both_see_the_same_and_prove_their_master_keys"),
    _m("V02", "hub/actions/verify_staff.py", '    if row is None or row.state != "same":\n', "    if row is None:\n",
       STEPS + "test_only_a_yes_and_the_pinned_key_lift_the_pin"),
    _m("V02", "hub/actions/verify_staff.py", "if not master or person.master != master or row.master != master or person.refused_master is not None:",
       "if not master or person.master != master or row.master != master:", STEPS + "test_another_key_served_meanwhile_withholds_it"),
    _m("V02", "hub/actions/verify_staff.py", "if not master or person.master != master or row.master != master or person.refused_master is not None:",
       "if not master or person.master != master or person.refused_master is not None:",
       STEPS + "test_a_pin_that_was_exchanged_meanwhile_is_not_lifted"),
    _m("V02", "hub/actions/verify_staff.py", "row.state != state or row.expires_at <= unit.now:", "row.state != state:",
       STEPS + "test_after_ten_minutes_no_answer_counts"),
    _m("V03", "hub/actions/verify_staff.py", '    if by == row.user:\n        raise Refused("own_verification")\n', "",
       STEPS + "test_who_may_answer"),
    _m("V03", "hub/actions/verify_staff.py", " or voucher.level not in VOUCHERS", "", STEPS + "test_who_may_answer"),
    _m("V03", "hub/chat/options.py", ', "finish", *verifying.OPTIONS})', ', "finish"})', STEPS + "test_the_number_in_the_admin_room_answers_once"),
    _m("V04", "hub/actions/verify_staff.py",
       "    if unit.verifications.count(user=user, asked_at__ge=unit.now - LIFE) >= MOST_EACH:\n        return None\n", "",
       STEPS + "test_one_at_a_time_and_few_in_ten_minutes"),
    _m("V04", "hub/actions/verify_staff.py", '"busy" if busy else None', "None", STEPS + "test_the_whole_number_is_bounded"),
    _m("V05", "hub/app/verifier.py", "await self._matrix.serves_master(row.user, row.master)", "True",
       EMOJI + "test_x03_a_master_key_exchanged_meanwhile_is_not_verified"),
    _m("V05", "hub/app/verifier.py", "        trusted = self._matrix.trusts_device(inbound.sender, device)\n", "        trusted = True\n",
       EMOJI + "test_from_an_unverified_device_it_is_refused_and_said"),
    _m("V06", "hub/app/verifier.py", '        verify_staff.break_off(unit, row.id, "restart")\n', "        pass\n",
       EMOJI + "test_a_restart_in_the_middle_ends_it_kindly"),
    # ---- Matrix and the hostile homeserver
    _m("X01", "hub/matrix/trust.py", "for device in read_devices(pin.user_id, served) if _signed(served, device, signer))",
       "for device in read_devices(pin.user_id, served))", DEVICES + "test_x01_ghost_device_gets_no_key_and_an_alarm"),
    _m("X03", "hub/matrix/trust.py", "if pin.master_key is not None and master is not None and master != pin.master_key:", "if False:",
       DEVICES + "test_x03_exchanged_master_key_blocks_that_person_only"),
    _m("X06", "hub/matrix/machine.py",
       "if not signatures.verifies(one_time_key, user_id=device.user_id, key_id=device.device_id, key=device.ed25519):", "if False:",
       DEVICES + "test_x06_forged_one_time_key_makes_no_session"),
    _m("X07", "hub/matrix/carrier.py", "strangers = view.present - record.members - {self._client.user_id}", "strangers = frozenset[str]()",
       DEVICES + "test_x07_stranger_freezes_the_link"),
    _m("X08", "hub/matrix/carrier.py", "        if not view.encrypted:\n", "        if False:\n",
       DEVICES + "test_x08_room_shown_as_clear_gets_nothing_in_clear"),
    _m("X14", "hub/matrix/machine.py", "return guarded(lambda: self._open_to_device(raw))", "return self._open_to_device(raw)",
       EVENTS + "test_x14_malformed_olm_bodies_harm_nothing"),
    _m("X19", "hub/matrix/receiving.py", 'self._book.standing(raw["sender"]) == "staff" and sas.is_verification(raw["type"], raw["content"])', "True",
       EVENTS + "test_x19_clear_event_of_our_type_is_refused"),
    _m("X25", "hub/matrix/facade.py", "if any(pin.device_id == self._account.device_id for pin in self._trust_list.peers):", "if False:",
       DEVICES + "test_x25_equal_device_ids_are_refused"),
    _m("X27", "hub/matrix/machine.py", '            await self._to_device(dict.fromkeys(chunk, ("m.room_key", key)))\n',
       '            with contextlib.suppress(Exception):\n                await self._to_device(dict.fromkeys(chunk, ("m.room_key", key)))\n',
       SECRECY + "test_x27_a_failing_key_share_is_not_success"),
    _m("X34", "hub/matrix/receiving.py", "firm = isinstance(inner, dict)", "firm = True", EVENTS + "test_x34_repointed_relation_changes_no_answer"),
    _m("X34", "hub/chat/desk.py", "subject=subject if heard.firm else None", "subject=subject",
       ANSWERS + "test_x34_what_a_bent_pointer_names_is_never_acted_on"),
    _m("X34", "hub/chat/options.py", "if question.asked in asked and (about is None or question.code in about)", "if question.asked in asked",
       ANSWERS + "test_x34_words_in_the_thread_of_one_never_act_on_another"),
    _m("X34", "hub/chat/meant.py", "here.subject or here.replied or here.loose else", "here.subject or here.replied else",
       ANSWERS + "test_x34_words_in_the_thread_of_one_never_act_on_another"),
    _m("X34", "hub/chat/understand.py", "return BentPointer() if bent and command is not None and not _names(command) else command", "return command",
       ANSWERS + "test_x34_a_moved_message_answers_no_dialogue_and_acts_on_nobody"),
    _m("X34", "hub/chat/understand.py", "running = None if here.loose and here.place.thread else talk", "running = talk",
       ANSWERS + "test_x34_a_moved_message_answers_no_dialogue_and_acts_on_nobody"),
    _m("X34", "hub/chat/posting.py", 'state="closed", expires_at=unit.now + NUMBER_REST', 'state="closed", expires_at=unit.now',
       LATE + "test_the_numbers_of_an_answered_question_rest_x34"),
    # ---- device statements
    _m("N12", "keys/devices.py", "payload = verify(KIND, Statement.from_bytes(data, max_bytes=MAX_BYTES), manifest.profile.hub_signing)",
       "payload = Statement.from_bytes(data, max_bytes=MAX_BYTES).payload", STATED + "test_forged_old_and_foreign_statements_change_nothing"),
    _m("N12", "keys/devices.py", "if (stated.institution, stated.user) != (manifest.institution, manifest.profile.matrix_user):", "if False:",
       STATED + "test_forged_old_and_foreign_statements_change_nothing"),
    _m("N12", "keys/devices.py", "if before is not None and candidate != kept and found.number <= before.number:", "if False:",
       STATED + "test_two_servers_and_then_one"),
    _m("N12", "hub/actions/devices.py", 'unit.peers.all(state="confirmed") if Manifest', 'unit.peers.all() if Manifest',
       STATED + "test_an_unconfirmed_peer_states_nothing_to_us"),
    _m("N12", "hub/actions/devices.py", 'int.from_bytes(value or b"", "big") == row.number', "True",
       STATED + "test_only_the_present_number_proves_that_a_peer_knows"),
    _m("X25", "hub/actions/devices.py", "if any({one.device_id, one.ed25519, one.curve25519} & taken for one in stated.devices):", "if False:",
       STATED + "test_x25_a_device_that_somebody_else_has_is_not_taken_twice"),
    _m("N12", "hub/matrix/listener.py", "if user in self._peers()]", "]", DEVICES + "test_statements_are_heard_of_peers_only_and_bounded"),
    _m("X02", "hub/matrix/trust.py", "for device in known if device in others", "for device in known if others",
       DEVICES + "test_x02_a_second_device_of_ours_is_no_ghost_by_its_keys_alone"),
    # ---- two servers
    _m("D12", "hub/store/lease.py", 'connection.execute(_OURS, {"holder": self._holder, "token": self.token}).first() is None:', "False:",
       LEASE + "test_one_leads_and_the_other_waits_until_it_ran_out"),
    _m("D12", "hub/store/lease.py", "        if not self.valid:\n", "        if False:\n",
       LEASE + "test_one_leads_and_the_other_waits_until_it_ran_out"),
    _m("D12", "hub/store/lease.py", "if found.holder and found.holder != self._holder:", "if False:",
       LEASE + "test_a_process_stopped_inside_a_transaction_neither_blocks_nor_acts"),
    _m("D12", "hub/store/unit_of_work.py", "            self.given.fence.check(connection)\n", "            pass\n",
       LEASE + "test_a_server_that_stands_by_reads_and_changes_nothing"),
    _m("D12", "hub/store/unit_of_work.py", "self._before_write = fence.assert_valid if fence else lambda: None", "self._before_write = lambda: None",
       LEASE + "test_a_server_that_stands_by_reads_and_changes_nothing"),
    _m("D12", "hub/store/matrix_rows.py", "if not self._decides():", "if False:",
       "homeserver/test_rows.py::test_two_devices_of_one_hub_keep_their_own_rows_and_share_what_came"),
    _m("D02", "hub/app/posts.py", "        if self._look:\n", "        if False:\n",
       "store/test_standby.py::test_d02_a_post_that_was_put_and_not_marked_shows_once"),
    # ---- envelopes and the line between two hubs
    _m("X20", "hub/actions/receive.py", "if sender != manifest.profile.matrix_user:", "if False:",
       ENVELOPES + "test_x20_another_user_of_the_peers_homeserver_is_refused"),
    _m("X21", "hub/exchange/intake.py", "if (inner.sender, inner.recipient, inner.link) != (link.peer, me, link.id):", "if False:",
       ENVELOPES + "test_x21_the_recipient_stands_inside_the_signature"),
    _m("D08", "hub/actions/receive.py", "if not fresh and not _continues(unit, link, record):", "if False:", "exchange/test_chain.py"),
    _m("D08", "hub/actions/receive.py", "if seen is None or not _same(seen, record):", "if False:",
       ENVELOPES + "test_d08_a_changed_twin_freezes_the_link"),
    _m("D08", "hub/actions/receive.py", "if unit.early.count(link=link.id) >= 4 * WINDOW:", "if False:",
       LATE + "test_what_waits_for_its_turn_is_bounded"),
    _m("D08", "hub/exchange/intake.py", "if inner.epoch > link.epoch_in + MOST_EPOCHS:", "if False:", LATE + "test_an_invented_epoch_is_refused"),
    _m("D09", "hub/actions/receive.py", 'if last is None or ack.digest.hex() not in (last.digest.hex(), last.ref.get("was")):', "if last is None:",
       ENVELOPES + "test_d09_a_false_ack_is_refused"),
    _m("X12", "hub/exchange/pacing.py", "return row.sent_at is None or now - row.sent_at >= pause", "return row.sent_at is None",
       PROMISES + "test_x12_withheld_acks_are_retried_with_patience_and_never_double"),
    _m("X11", "hub/actions/receive.py", '            remind(unit, "gap", link.id, unit.now + SILENT_AFTER)\n', "            pass\n",
       OUTAGES + "test_x11_one_withheld_is_missed_asked_for_and_told"),
    _m("X10", "hub/actions/receive.py", "    while (following := _next_held(unit, _link(unit, link_id))) is not None:",
       "    while (following := None) is not None:",
       OUTAGES + "test_x10_reordered_doubled_and_two_days_late"),
    _m("X13", "hub/actions/watch_ledger.py", "forked = told.size == link.ledger_size and", "forked = False and",
       LEDGERS + "test_x13_a_ledger_rewritten_from_the_first_row_is_noticed_by_the_peer"),
    _m("C07", "hub/actions/watch_ledger.py", "shorter = told.size < link.ledger_size", "shorter = False",
       LEDGERS + "test_c07_cut_rows_are_noticed_by_the_peer"),
    _m("D03", "hub/app/inbox.py", "self._waited[event] <= MOST_WAITS and unit.posts", "False and unit.posts",
       WORKERS + "test_d03_an_answer_to_a_card_whose_event_is_not_noted_yet_waits_for_it"),
    _m("D02", "hub/actions/dispatch.py", 'first = f"{rows[0].id}.{rows[0].attempts}" if rows else', "first = random_bytes(12).hex() if rows else",
       RETURN + "test_d02_what_may_have_been_put_is_put_again_under_its_own_name"),
    _m("D04", "hub/exchange/pacing.py", "return max(0, window - (link.next_out - 1 - link.acked_out))", "return 4 * window",
       "attacks/soak/test_delivery.py::test_d04_a_burst_of_400_arrives_whole_and_in_order_within_the_window"),
    _m("D05", "hub/app/outbox.py", "if returns != self._returns:", "if False:",
       RETURN + "test_d05_back_from_an_outage_we_speak_first_and_once"),
    _m("D05", "hub/matrix/listener.py", "timeout = 0 if self._whole_state or self.heard.failures else", "timeout = 0 if self._whole_state else",
       "attacks/matrix/test_return.py::test_d05_a_homeserver_that_is_back_is_noticed_at_once"),
    _m("D05", "hub/matrix/listener.py", "if answers and silent:", "if False:",
       "attacks/matrix/test_return.py::test_d05_a_homeserver_that_is_back_is_noticed_at_once"),
    _m("D07", "hub/actions/receive.py", "            unit.outbox.put(replace(row, sent_at=None))\n", "            pass\n",
       OUTAGES + "test_d07_what_was_lost_on_the_way_is_asked_for_and_comes_within_seconds"),
    _m("D10", "hub/actions/receive.py", "    seen = unit.seen.get(_key(link, record))\n", "    seen = None\n",
       OUTAGES + "test_d10_a_homeserver_that_forgot_a_day"),
    _m("R02", "hub/store/database.py", "(not done and not broken and not self.sqlite and is_away(error))", "False",
       "store/test_broken_lines.py::test_r02_a_dropped_connection_is_tried_once_more_with_one_effect"),
    _m("R02", "hub/store/database.py", "(not done and not broken", "(not broken",
       "store/test_broken_lines.py::test_r02_a_connection_that_breaks_in_the_commit_is_never_tried_again"),
    _m("R02", "hub/app/inbox.py", "                if is_passing(error):\n", "                if False:\n",
       "store/test_broken_lines.py::test_r02_what_a_caseworker_said_is_not_given_up_because_the_database_was_away"),
    _m("R08", "hub/actions/answer.py", _LOCK + _KEEP, _KEEP + "    unit.referrals.put(referral)\n",
       "store/test_broken_lines.py::test_r08_two_who_accept_at_once_leave_one_key"),
    _m("X16", "hub/matrix/client.py", "return unpublished or self._fallback_spent or", "return unpublished or",
       "attacks/matrix/test_weekend.py::test_x16_a_weekend_without_keys"),
    _m("D12", "hub/app/facts.py", "            await self._check_lock()\n", "", WORKERS + "test_d12_a_lock_that_is_lost_stops_the_hub"),
    _m("R19", "hub/store/database.py", "return await asyncio.get_running_loop().run_in_executor(self._pool, self.run_now, fn)",
       "return self.run_now(fn)", "attacks/matrix/test_lag.py"),
    _m("D14", "hub/app/posts.py", "if error.status in (400, 413):", "if False:",
       WORKERS + "test_a_post_that_is_refused_for_good_is_dropped_and_told_and_the_next_one_goes"),
    # ---- what leaves, what is held, what dies
    _m("P06", "hub/actions/receive_offer.py", "profile.kind not in protocol.from_kinds or not", 'profile.kind == "" or not',
       LATE + "test_an_institution_may_only_send_what_the_protocol_lets_its_kind_send"),
    _m("P06", "hub/actions/receive_offer.py", " or not protocol.in_force(unit.now.date()):", ":",
       LATE + "test_a_protocol_that_is_not_in_force_takes_no_offer"),
    _m("P06", "hub/actions/receive_offer.py", "if body.purpose != protocol.purpose_of(body.need):", "if False:",
       ENVELOPES + "test_p06_an_offer_outside_the_contract_is_refused"),
    _m("P01", "hub/actions/receive_offer.py", "state=State.RECEIVED) >= MOST_WAITING", "state=State.RECEIVED) >= 10**9",
       LATE + "test_offers_that_nobody_answered_are_bounded"),
    _m("P12", "hub/actions/withdraw.py", "        shred(unit, referral.id, why)\n", "",
       WITHDRAW + "test_a_withdrawal_that_overtakes_the_disclosure_still_ends_the_key_that_would_open_it"),
    _m("P12", "hub/actions/withdraw.py", 'state="active") if disclosures else ():', 'state="active") if False else ():',
       LATE + "test_part_withdrawn_is_also_gone_from_the_card_drawn_with_the_rest"),
    _m("P12", "hub/actions/receipts.py", "unit.now < ends <= unit.now + LONGEST and asked", "unit.now < ends",
       HOLD + "test_retained_before_anybody_had_to_destroy_anything_is_not_believed"),
    _m("P12", "hub/actions/receipts.py", 'receipt.legal_basis in unit.pack.vocabulary.lists["retention_bases"] and', "True and",
       HOLD + "test_a_reason_that_is_none_of_the_law_is_not_believed"),
    _m("P13", "hub/actions/legal_hold.py", "return hold if hold and hold.until > unit.now else None", "return hold",
       HOLD + "test_the_day_after_it_is_destroyed_and_confirmed"),
    _m("P13", "hub/actions/legal_hold.py", "    for disclosure in kept:\n        keep(unit, disclosure, hold)\n", "",
       HOLD + "test_placed_again_it_moves_what_is_retained_already_and_tells_the_owner"),
    _m("P14", "hub/actions/receipts.py", "    if receipt.until:  #", "    if False:  #",
       HOLD + "test_not_confirmed_after_the_last_day_it_is_overdue"),
    _m("P02", "hub/actions/open_case.py", "        stop_excluded(unit, case)\n", "        pass\n",
       "actions/test_conflict.py::test_what_the_excluded_sector_holds_is_called_back_and_the_lead_is_rung"),
    _m("P03", "hub/chat/talk.py", 'state.step != "explained" or', "True or", LATE + "test_that_she_understood_is_never_taken_from_chatter"),
    _m("I02", "hub/chat/do_referral.py", "ask_relay(unit, here, referral, command.text)", "work.say(unit, here.person.id, referral.id, command.text)",
       ANSWERS + "test_a_reply_that_was_meant_for_a_colleague_stays_inside_and_its_words_die"),
    _m("pairing", "hub/actions/peers.py", _CODE + "    peer", "    peer",
       "actions/test_peers.py::test_nothing_goes_to_a_peer_before_the_code_was_compared"),
    _m("pairing", "hub/matrix/chores.py", "if who not in self._book.trust.awaited:", "if True:",
       RULES + "test_the_invitation_of_a_hub_whose_code_is_not_compared_yet_waits"),
    # ---- backups
    _m("R14", "hub/app/restore.py", "if owner not in buried]", "if owner]",
       SHREDDING + "test_r14_whatever_backup_is_restored_the_shredded_stay_dead"),
    _m("R14", "hub/store/unit_of_work.py", "        self._bury(owner, self._now)\n", "",
       "store/test_journal.py::test_the_line_is_on_both_disks_before_the_key_is_gone"),
    _m("R14", "hub/app/restore.py", " and graves.until >= lost_at.astimezone(UTC) - SLACK", "",
       SHREDDING + "test_r14_yesterdays_copy_of_the_backup_disk_is_not_taken_for_the_newest"),
    _m("R14", "hub/app/restore.py", "    _young(keys, now)\n", "",
       SHREDDING + "test_r14_a_key_part_older_than_seven_days_is_refused_even_if_somebody_kept_it"),
    _m("R14", "hub/actions/standing.py", "elif referral.state is State.CANCELLED and known", "elif False and known",
       RESTART + "test_r14_a_withdrawal_is_said_again_to_a_recipient_that_came_back_without_its_journal"),
    _m("R13", "hub/app/parts.py", "    _check(tar, names, index, part)\n", "", SPOILT + "test_only_the_hub_itself_makes_its_backups"),
    _m("N12", "hub/store/snapshot.py", "if not name.startswith(MATRIX))", "if name)",
       "store/test_snapshot.py::test_no_row_of_the_matrix_room_is_in_it"),
    _m("D11", "hub/actions/dispatch.py", "    if link.asking:\n", "    if False:\n",
       RESTART + "test_d11_an_offer_that_arrived_after_the_copy_was_made_is_not_said_again"),
    _m("D11", "hub/app/restore.py", "epoch=graves.epoch)", "epoch=0)", RESTART + "test_d11_the_same_copy_restored_twice_and_both_sides_at_once"),
    _m("D11", "hub/actions/standing.py", 'learned = _learn(unit, referral, told.get("held"))', "learned = 0",
       RESTART + "test_d11_a_partial_withdrawal_reaches_a_disclosure_that_the_copy_did_not_know"),
    _m("D11", "hub/actions/standing.py", "    if not link.asking or body.epoch != link.asking:\n", "    if False:\n",
       RESTART + "test_d11_an_answer_that_nobody_asked_for_changes_nothing"),
    # ---- keys that turn
    _m("X32", "keys/dailykeys.py", "        for owner in dead:\n            self._store.destroy(owner)\n", "",
       TURN + "test_x32_eight_days_later_no_stored_ciphertext_opens_with_any_living_key"),
    _m("X32", "hub/exchange/intake.py", "if long and inner.kind not in LONG_KEY_KINDS:", "if False:",
       TURN + "test_x32_the_long_key_opens_chores_only"),
    _m("R11", "hub/actions/dispatch.py",
       "return data if envelope.signed_by(data) in {key.keyid for key in known_to(unit, link)} else envelope.sign_again(data, road.signer)",
       "return data", TURN + "test_r11_what_waits_unacknowledged_is_signed_again_and_has_one_effect"),
    _m("R11", "keys/envelope.py", "return sha256(_DIGEST, _frame_of(signed)[0])", "return sha256(_DIGEST, signed)",
       TURN + "test_r11_what_waits_unacknowledged_is_signed_again_and_has_one_effect"),
    _m("R11", "hub/actions/hear_manifest.py", "opening=still_stated(peer, found)", "opening=peer.opening",
       TURN + "test_r11_a_key_of_the_day_that_the_stolen_key_stated_is_forgotten"),
    _m("R11", "hub/actions/manifest_versions.py", "held = ours if link.holds in (0, ours.version) else version_of(unit, unit.me.id, link.holds)",
       "held = ours", TURN + "test_r11_a_peer_that_missed_two_versions_catches_up_in_order"),
    _m("R12", "hub/actions/hear_manifest.py", "found = accept_one(pinned, body.data, unit.now)", "found = Manifest.from_bytes(body.data)",
       TURN + "test_r12_a_manifest_that_the_previous_roots_did_not_sign_is_refused_and_told"),
    _m("R10", "hub/app/house.py", "    if unfinished(config).exists():\n", "    if False:\n",
       "operation/test_r10_kek.py::test_a_turn_killed_in_the_middle_goes_on_where_it_stopped"),
    _m("R10", "hub/actions/receive.py",
       "    except ProviderError:  # the key-encryption key is away, no fault of the record's: nothing of it is taken (R10)\n        raise\n",
       "", TURN + "test_r10_while_the_kek_is_away_nothing_is_taken_and_nothing_is_lost"),
    _m("R10", "hub/actions/dispatch.py",
       "    except ProviderError:  # the key-encryption key is away: the intent waits for it (R10)\n        raise\n",
       "", TURN + "test_r10_while_the_kek_is_away_nothing_is_taken_and_nothing_is_lost"),
)  # fmt: skip
