"""Keys, trust and shredding: the room where secrets live and promises are signed.

What it is for: one institution's own secrets (`identity`, `keyring`, `casekeys`), what it says about itself and believes
of others (`manifest`), what it says to them (`statement`, `envelope`, `receipt`) and what it can be held to
(`ledger`). `keys.md` is its page.

What may enter: bytes, a clock reading, and small Protocols for rows (`WrappedRows`, `KeyRows`) and for the wrapping key
(`KekProvider`). What leaves: bytes, frozen values, and errors of one family, `KeysError`, whose messages name what failed
and what to do, never a secret and never a person.

Nothing here talks to a network or a database, and only the file providers touch a disk. `primitives` is the only module
that imports `cryptography`; whoever reviews the arithmetic reads one file.
"""
