"""`python -m ocppcore.cli` is the command `ocppcore`."""

import sys

from . import main

sys.exit(main())
