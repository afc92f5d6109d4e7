"""`python -m gateway` is `pointsman`."""

from gateway.cli import main

main()
