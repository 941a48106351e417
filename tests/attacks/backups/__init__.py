"""Backups under attack: shredding that must hold in every copy (R14), restores (D11), stolen and spoilt archives (R13)."""
