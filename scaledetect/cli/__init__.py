"""The command line: each command is a thin skin over one public function, in a file of its own."""

import gc

# A module that loads makes no garbage, yet the collector walks over all of them, again and again: a tenth of a command.
gc.set_threshold(100_000)

from scaledetect.cli.app import app, main  # noqa: E402

__all__ = ["app", "main"]
