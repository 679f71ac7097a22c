"""``python -m scaledetect`` is the command ``scaledetect``."""

from scaledetect.cli import main

main()
