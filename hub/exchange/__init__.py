"""The pure hub-to-hub protocol: what a body looks like, what the numbered steps of acceptance are, when to ask again. No I/O."""
