"""Memory grows neither with the number of draws nor with that of batches."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="reads the peak memory of a process from /proc"
)

PROGRAM = """
import sys
from pathlib import Path
import torch
from torch import nn
import scaledetect as sd

# What loads and compiles on first use is no part of it.
sd.sensitivities(sd.nets.get("fc2", in_channels=1, width=8), sd.Task(dim=2, size=32, xi=14, gap=2), 100)

def peak():
    # Not ru_maxrss, which begins at the size of the process that started this one.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return 1024 * int(status["VmHWM"].split()[0])

before = peak()
net = sd.nets.get("lenet", in_channels=1)
for n in (900, 2400):
    assert sd.sensitivities(net, sd.Task(dim=2, size=32, xi=14, gap=2), n).n == n
    print(peak() - before)

wide = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU())
for blocks in (50, 200):
    s = sd.sensitivities(wide, sd.Task(dim=2, size=64, xi=14, gap=2), 400, blocks=blocks, batch_size=24)
    assert s.n_blocks == blocks
    print(peak() - before)
"""


@pytest.fixture(scope="module")
def peaks() -> list[int]:
    """Bytes that the program prints, none less than the one before it: a peak never falls."""
    # Large arrays straight from the operating system and back: the peak is that of what is in use at one time, and not
    # of what the allocator keeps.
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "1048576", "MALLOC_TRIM_THRESHOLD_": "131072"}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return [int(line) for line in done.stdout.split()]


def test_the_peak_does_not_grow_with_n(peaks: list[int]) -> None:
    """The images of 1,500 more draws alone would be 18 MB; 5 MB are allowed, of 32."""
    few, many, *_ = peaks
    assert many - few < 5e6, peaks


def test_the_peak_does_not_grow_with_the_number_of_blocks(peaks: list[int]) -> None:
    """Three layers of 2^16 numbers: 150 more vectors for each block and class would be 0.5 GB; 20 MB are allowed."""
    *_, few, many = peaks
    assert many - few < 20e6, peaks
