"""What an institution needs around the hub: the demonstration, the compose file, the unit, the runbook.

It may look at every other room; nobody looks at it.
"""
