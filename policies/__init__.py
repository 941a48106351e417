"""Policies: what may leave an institution, decided from signed documents.

Enters: a sharing protocol (YAML text), a vocabulary, and one question (`Request`) about one recipient, purpose and consent.
Leaves: a `Decision` with one outcome and one reason per field, a `Preview` for people, and the view that travels.

This room is pure. It opens no socket, reads no clock and keeps no case: callers pass `today`, and the only reading it does is
its own package data. It returns reason *codes with parameters*; the sentences for people stand in `explain` as Spanish and
English data.

The road: `vocabulary` -> `document` (-> `protocol`) -> `validator` -> `engine` (or `meaning`, its referee) -> `preview` ->
`explain`. `conflict` stands above all rules.
"""
