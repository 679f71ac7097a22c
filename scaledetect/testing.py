"""Public names for checking a leaderboard entry of one's own: ``python -m scaledetect.testing MODULE:CLASS``."""

from __future__ import annotations

import sys

from scaledetect.checks.entry import check_entry, main

__all__ = ["check_entry"]

if __name__ == "__main__":
    sys.exit(main())
