"""One use case a file. Each is a plain function over one unit of work: it checks, changes rows, announces events and returns an outcome.

Nothing here awaits, sends or renders. What must leave the house is written as an intent and decided again at dispatch.
"""
