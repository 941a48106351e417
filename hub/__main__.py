"""`python -m hub` is `tinkuy`."""

from hub.cli import main

main()
