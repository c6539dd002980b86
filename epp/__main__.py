"""`python -m epp` is `epp`."""

from epp.cli.main import main

main()
