"""Do the documents tell the truth? Files, commands, links, verbs, keys and stations named in them are held to the code."""
