"""Nothing lost, nothing doubled (T1): hubs, homeservers, a database and the lines between them fail at random under steady referrals.

`proxy` breaks lines, `stage` runs everything as processes and kills it, `desk` plays the caseworkers inside a hub, `faults` is the
menu, `audit` reads the truth from outside afterwards, `campaign` plays it all. Short in `make test`, long as `make soak`.
"""
