"""What several test files use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Before torch is imported: test workers that each take all cores for small tensors slow one another down tenfold.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT
