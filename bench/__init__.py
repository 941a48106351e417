"""Benchmarks: each sets one thing that Tinkuy does beside the fastest thing that could be done instead, in the same run.

Machines and homeservers swing, so the two are timed in turn, round after round, and only the median *ratio* means something.
Before a ratio is made, the answers of both sides are compared; a benchmark of wrong answers would be worth nothing.
What enters: nothing but this repository. What leaves: a table, and `results/<name>.json`, each a list of rows (`rows.Row`).
"""
