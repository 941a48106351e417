"""What the machine's own operator may ask a running hub: is it well (health, metrics), and please do this (control socket).

Nothing here is reachable from another machine: HTTP listens on loopback, the control socket belongs to the hub's own user.
Facts come in through one callable that the composition root gives; ids, counts and ages leave, never a value of a case. The
console, the public interface and anonymous intake come to live in this room.
"""
