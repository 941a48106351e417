"""The asynchronous service that one institution runs beside its own Matrix homeserver.

Rooms of this house, from the outside in (nobody imports upwards, import-linter holds it):
`cli` → `app` → `chat | matrix | store | schedule | web` → `actions` → `exchange` → `cases` → `base`.
"""
