"""When things are due. Due times are rows of the store; this room reckons with calendars and wakes the one who reads the rows.

A timer that kept state would be a second truth: after a crash the two would differ, and a check-in would be skipped, or rung
twice.
"""
