"""The command line: each command is a thin skin over one public function, in a file of its own."""

from scaledetect.cli.app import app, main

__all__ = ["app", "main"]
