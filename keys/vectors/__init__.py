"""Published vectors: what another implementation must read and refuse exactly as this one does.

Each JSON file holds `about`, and `cases` whose `expect` is `ok` or the error code. `python -m keys.vectors.generate` makes
them again from fixed seeds; `--check` fails when a file would change. HPKE is randomised, so a sealed vector that still
opens is kept. Everybody in here is invented and every key is worthless.
"""
