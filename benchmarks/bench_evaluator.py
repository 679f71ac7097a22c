"""The evaluator against three bare forward passes of the same images on VGG11.

Limit: 1.3 times as long. Run on a quiet machine: python benchmarks/bench_evaluator.py

Where the rest goes, profiled on two cores with three bare passes in 1.9 s: 0.15 s copying each clean activation,
shifting it and adding it to the block sums; 0.10 s the norms of the two differences; 0.06 s the estimate and its 50
leave-one-out values at the end, which do not depend on n; 0.02 s the images, and the first pass that finds the layers.
The hooks themselves cost microseconds. What remains is in the net: activations that are kept displace its own from the
caches. Nearly all of it is memory traffic. So the rows of a block stand together in a batch: the sums, in float64 and
as large as 100 images' activations, are written once for several rows; one row at a time they took 0.12 s more.
"""

from __future__ import annotations

import torch
from timing import paired, report

import scaledetect as sd
from scaledetect.sensitivity import image_sensitivities, sensitivities

LIMIT = 1.3
N, BATCH = 500, 64


def main() -> None:
    net = sd.nets.get("vgg11", in_channels=1).eval()
    task = sd.Task(dim=2, size=32, xi=14, gap=2)
    images = torch.from_numpy(sd.sample_images(task, N, replace=True)[0])

    def bare() -> None:
        with torch.no_grad():
            for _ in range(3):
                for batch in images.split(BATCH):
                    net(batch)

    runs = {
        "sensitivities on a task": lambda: sensitivities(net, task, N, batch_size=BATCH),
        "image_sensitivities, sigma given": lambda: image_sensitivities(
            net, images, noise=sd.Noise(sigma=0.1), batch_size=BATCH
        ),
        "image_sensitivities, sigma matched": lambda: image_sensitivities(net, images, batch_size=BATCH),
    }
    for name, run in runs.items():
        report(name, paired(run, bare, repeats=5), limit=LIMIT, unit=f"3 forward passes of {N} images")


if __name__ == "__main__":
    main()
