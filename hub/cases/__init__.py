"""The domain, pure: cases, consents, referrals, disclosures, check-ins, and the one table of states. No I/O, no clock."""
