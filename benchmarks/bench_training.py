"""Ten pooling nets trained together against the plain PyTorch loop over one net at its best number of threads.

Figures are member-steps per second of batch size 8 and their ratio. Limits: at least 6 for s = F = 2 at width 64,
1.5 for 3 x 3 filters without stride in 2-D, 1.8 for F = 3 without stride at width 256, and never slower elsewhere.
Run on a quiet machine: python benchmarks/bench_training.py

Where time goes at s = F = 2, width 64, profiled on two cores: one step of ten members takes about 2 ms, nine tenths of
it in products of matrices, three a layer. Plain descent adds each gradient to the weights within its product, so no
gradient is stored, and windows that do not overlap are views of the map. A plain step of one net takes 3 to 5 ms, most
of it the cost of some 150 small operations. Where filters overlap (s = 1) the windows of a few nets at a time are
gathered, by one selection of lines, and multiplied while the caches still have them: going forward, and again for the
gradient, which is faster than to fetch from memory what was kept. At width 256 the products decide: they take five
sixths of the time, at 189 GFLOP/s of the 196 that a large product of torch reaches on two cores of an AMD EPYC (Zen 4).
1.8, kept on an older processor where all was slower, is out of reach there: 1.10 to 1.36 from process to process, as
fast as the plain loop happens to be, 1.34 with AVX2 alone, and 1.6 if nothing but products took time. The case in 2-D
takes 1.74 to 2.26.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from timing import paired

import scaledetect as sd
from scaledetect.nets import PoolingNet
from scaledetect.training.stacked import StackedPoolingNets

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from helpers.plain_training import train_plainly  # the loop that the tests hold the trainer to

CASES = [  # filter side, stride, depth, width, dim, size, limit
    (2, 2, 6, 64, 1, 64, 6.0),
    (2, 2, 6, 256, 1, 64, 1.0),
    (3, 1, 6, 64, 1, 64, 1.0),
    (3, 1, 6, 256, 1, 64, 1.8),
    (4, 2, 5, 64, 1, 64, 1.0),
    (2, 2, 4, 32, 2, 16, 1.0),
    (3, 1, 3, 32, 2, 16, 1.5),
]
MEMBERS, BATCH, STEPS = 10, 8, 20
LR = 1e-4
"""Small, so that no margin closes during the benchmark and every step has a gradient."""


def main() -> None:
    print(f"{MEMBERS} members, batch {BATCH}, {os.cpu_count()} cores; member-steps per second")
    print("         F  s  K    H  d   L   together      plain (threads)   ratio [quartiles]        limit")
    for case in CASES:
        _compare(*case)


def _compare(side: int, stride: int, depth: int, width: int, dim: int, size: int, limit: float) -> None:
    task = sd.Task(dim=dim, size=size, xi=size // 4, labelling="block")
    nets = [PoolingNet(dim, side, stride, depth, width, seed=seed) for seed in range(MEMBERS)]
    X, y = sd.sample_images(task, BATCH * STEPS)
    images, labels = torch.from_numpy(X), torch.from_numpy(y).float()
    stacked = StackedPoolingNets(nets, size, dtype=torch.float32, device=torch.device("cpu"))
    all_images, all_labels = (part.expand(MEMBERS, *part.shape).contiguous() for part in (images, labels))
    order = torch.arange(BATCH * STEPS).numpy()

    def together() -> None:
        torch.set_num_threads(os.cpu_count() or 1)
        batches = zip(torch.split(all_images, BATCH, 1), torch.split(all_labels, BATCH, 1), strict=True)
        for batch, targets in batches:
            stacked.step(batch, targets, LR * width)

    def plain(threads: int) -> Callable[[], object]:
        def loop() -> None:
            torch.set_num_threads(threads)
            train_plainly(nets[0], images, labels, [order], batch_size=BATCH, lr=LR * width)

        return loop

    ratios = {threads: paired(together, plain(threads), repeats=5) for threads in sorted({1, os.cpu_count() or 1})}
    threads, ratio = min(ratios.items(), key=lambda item: item[1].rival)
    gain, low, high = (MEMBERS / value for value in (ratio.median, ratio.high, ratio.low))
    kept = "ok  " if gain >= limit else "OVER"
    ours, rival = MEMBERS * STEPS / ratio.ours, STEPS / ratio.rival
    print(
        f"{kept}    {side:2} {stride:2} {depth:2} {width:4} {dim:2} {size:3} {ours:10.0f} {rival:10.0f} ({threads})"
        f"   {gain:8.2f}x [{low:.2f}, {high:.2f}]   >= {limit:g}"
    )


if __name__ == "__main__":
    main()
