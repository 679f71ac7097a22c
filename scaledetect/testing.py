"""Public names for checking an entry or a theory of one's own: ``python -m scaledetect.testing MODULE:CLASS``."""

from __future__ import annotations

import sys

from scaledetect.checks.entry import check_entry
from scaledetect.checks.entry import main as check_entries
from scaledetect.experiments.check_theory import check_theory
from scaledetect.experiments.theories import is_theory

__all__ = ["check_entry", "check_theory"]


def main() -> int:
    """Run the contract suite of what the command line names; 0 where all checks are passed, 1 where one is not."""
    arguments = sys.argv[1:]
    if len(arguments) != 1 or not is_theory(arguments[0]):
        return check_entries(arguments)
    failed = total = 0
    for step in check_theory(arguments[0]):
        sys.stdout.write(f"{step}\n")
        total, failed = total + 1, failed + (not step.ok)
    sys.stdout.write(f"{total - failed} of {total} checks passed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
