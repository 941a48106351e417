"""Where the key-encryption key lives: `file` (0600 or a systemd credential) and `memory` (the fake that ships with the product).

What enters: small secrets to wrap. What leaves: wrapped bytes. PKCS#11 and Vault come as further modules of the same
Protocol (`keys.kek.KekProvider`) and must pass the same contract suite.
"""
