"""A conversation as a person sees it in a browser: Hydrogen (Element's small web client) in Debian's chromium.

Hydrogen comes from npm as a library; `build.mjs` puts it together into `dist/`, `browser_person` serves it on
127.0.0.1, logs a person in by typing into the real log-in form, and takes pictures of a room on a desktop and on a
phone. Needs chromium from Debian: the target that installs it is named in the error when it is missing.
"""
