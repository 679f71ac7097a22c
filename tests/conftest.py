"""What several test files use."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# They need Cosmic Ray, which `make mutants` installs, and have no doctests.
collect_ignore = ["mutants/__main__.py", "mutants/judging.py", "mutants/selecting.py"]

if TYPE_CHECKING:
    import torch

# Before torch is imported: test workers that each take all cores for small tensors slow one another down tenfold.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A million objects of libraries stay for ever: looking through them often takes a thirtieth of the suite's time.
gc.set_threshold(50_000, 20, 20)

ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_finish() -> None:
    """What is there before the first test is no garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> str:
    """Name of the floating type: a test that takes it runs in both."""
    name: str = request.param
    return name


@pytest.fixture
def torch_dtype(dtype: str) -> torch.dtype:
    """The same as a type of torch."""
    import torch

    found: torch.dtype = getattr(torch, dtype)
    return found
