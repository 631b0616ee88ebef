"""``python -m adkit.batch PLAN``."""

import sys

from adkit.batch.command import main

if __name__ == "__main__":
    sys.exit(main())
