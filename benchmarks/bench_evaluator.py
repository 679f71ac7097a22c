"""The evaluator against bare forward passes of the images, clean, clean and noisy: time, and memory beyond theirs.

Limits: VGG11, its own layers at 32 x 32, 1.1 times as long; ResNet18, all 61 layers at 112 x 112, 1.3 times as long and
200 MB more. Run on a quiet machine: python benchmarks/bench_evaluator.py

On two quiet cores of an AMD EPYC with AVX-512, medians of five processes, ResNet18 takes 1.25 (1.20 to 1.39: two of
them over the limit, by .00 and .09) and 1.21 (1.17 to 1.30) times as long, VGG11 1.07 and 1.04, with 13 to 117 MB more;
with AVX2 alone 1.18 and 1.15, 1.08 and 1.08. Most of what is added are the sums, which read every activation once, by
one core at 19 GB/s: memory gives it no more, and a second thread, even one of torch's own, gains little. Then come the
estimates, the draws, and the pass that finds the layers. The versions of a batch run in one pass, so that none of its
activations is kept for another; batches are small enough for a layer's input and output to stay in the last of the
caches, where a bare pass too is faster by some percent. Page faults, of which fresh memory has thousands a layer, make
both sides slower by up to a fifth, now and then: MALLOC_MMAP_MAX_=0 with MALLOC_TRIM_THRESHOLD_=8589934592 in the
environment takes them away.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from nets import ResNet18
from timing import paired, report
from torch import Tensor, nn

import scaledetect as sd
from scaledetect.sensitivity import image_sensitivities, sensitivities


class Case(NamedTuple):
    """A net on a task, and what it may take."""

    net: Callable[[], nn.Module]
    task: sd.Task
    n: int
    batch: int
    slower: float
    megabytes: float


CASES = {
    "VGG11": Case(
        lambda: sd.nets.get("vgg11", in_channels=1), sd.Task(dim=2, size=32, xi=14, gap=2), 500, 64, 1.1, 200
    ),
    "ResNet18": Case(lambda: ResNet18(1), sd.Task(dim=2, size=112, xi=14, gap=2), 100, 50, 1.3, 200),
}


def runs_of(case: Case) -> tuple[dict[str, Callable[[], object]], Callable[[], None]]:
    """The measurements to time, and the three bare passes."""
    net = case.net().eval()
    images: Tensor = torch.from_numpy(sd.sample_images(case.task, case.n, replace=True)[0])
    # A deformed image has as many zeros as a clean one; a noisy one, which has none, takes longer in ReLU and pooling.
    versions = images, images, images + torch.randn_like(images)

    def bare() -> None:
        with torch.no_grad():
            for version in versions:
                for batch in version.split(case.batch):
                    net(batch)

    runs: dict[str, Callable[[], object]] = {
        "sensitivities": lambda: sensitivities(net, case.task, case.n),
        "image_sensitivities, sigma given": lambda: image_sensitivities(net, images, noise=sd.Noise(sigma=0.1)),
    }
    return runs, bare


def extra_memory(name: str, label: str) -> float:
    """Megabytes by which a measurement raises the peak of a process that has made three bare passes."""
    runs, bare = runs_of(CASES[name])
    # What loads and compiles on first use is no part of it.
    small = sd.nets.get("fc2", in_channels=1, width=8)
    sensitivities(small, sd.Task(dim=2, size=32, xi=14, gap=2), 100)
    image_sensitivities(small, torch.rand(50, 1, 32, 32), noise=sd.Noise(sigma=0.1))
    bare()
    before = peak()
    runs[label]()
    return (peak() - before) / 1e6


def peak() -> int:
    """Bytes this process has taken at most."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return 1024 * int(status["VmHWM"].split()[0])


def main() -> None:
    for name, case in CASES.items():
        runs, bare = runs_of(case)
        for label, run in runs.items():
            ratio = paired(run, bare, repeats=5)
            report(f"{name}, {label}", ratio, limit=case.slower, unit=f"3 forward passes of {case.n} images")
        for label in runs:
            # A process of its own: the allocator keeps what others before have used, in pieces.
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                megabytes = pool.apply(extra_memory, (name, label))
            kept = "ok  " if megabytes <= case.megabytes else "OVER"
            print(f"{kept} {f'{name}, {label}: extra memory':<58} {megabytes:5.0f} MB limit {case.megabytes:.0f} MB")


if __name__ == "__main__":
    main()
