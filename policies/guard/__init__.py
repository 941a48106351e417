"""The language guard: what somebody is about to write, held against what should not stand there, and a kinder way to say it.

In: one text, the lexicon of a pack, the values of the case that its readers may not have. Out: a `Verdict` of classes and places, never the text.
No model, no network, no clock, no memory; one pass over the text, and nothing a person can type makes it fail. It gives advice and decides
nothing: who is asked, told or left alone is the hub's business (`hub/actions/guard.py`).
"""

from policies.guard.known import Known
from policies.guard.lexicon import Lexicon, load
from policies.guard.look import look
from policies.guard.verdict import Found, Verdict, without

__all__ = ["Found", "Known", "Lexicon", "Verdict", "load", "look", "without"]
