"""The composition root: the only room that knows all others. `house` builds it once, runs its workers, stops it gracefully.

Nothing is imported here: a command that only asks the running hub must not wait for the whole house.
"""
