"""Can a caseworker do her work by typing? The desk as people meet it: through Element's own crypto, on a screen, and word by word."""
