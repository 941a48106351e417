"""A whole network on one machine, for looking and for testing: real homeservers, real people's clients.

`certificates` makes one throw-away authority, `synapse` starts homeservers that really federate over TLS on the
loopback address, `person` is a caseworker with an ordinary end-to-end-encrypted client, `progress` tells what is
going on. Everybody in it is invented; nothing in it ever leaves 127.0.0.1.
"""
