"""What every room may use: configuration, ids, clock, errors, logs, languages. Imports nothing of ours."""
