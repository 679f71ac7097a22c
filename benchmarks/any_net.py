"""Any network: classification nets of torchvision and timm, random weights, measured untouched on 50 small images.

Run it in an environment of its own, since torchvision needs its own torch:
    pip install "torch==2.14.1" "torchvision==0.29.1" timm .
    python benchmarks/any_net.py --output benchmarks/any-net --page docs/measure/any-net.md
It writes any-net.csv as it goes (a run goes on where it was broken off): of the nets that any-net.plan.json lists, all
of torchvision before those of timm; each runs in a process of its own with a limit of time and memory. The page is
written in the end, or alone by `--page PAGE --minutes 0`.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import multiprocessing
import platform
import re
import resource
import textwrap
import time
import warnings
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import timm
import torch
import torchvision

import scaledetect as sd
from scaledetect.activations.functional import ACTIVATIONS

IMAGES = 50
SIDES = (64, 96, 128, 160, 192, 224, 256, 288, 299, 384, 448, 518)
RESIZED = (64, 56, 96, 112, 128)
"""Sides tried for nets that are built for images of one size and can be built for others."""

MOST_TIMM = 30e6
NAMED = {
    "timm": ("resnet26", "vit_tiny_patch16_224", "mixer_s16_224", "convnext_atto", "efficientvit_b0", "efficientvit_m0",
             "mobilenetv3_large_100", "swin_tiny_patch4_window7_224"),
    "torchvision": ("resnet18", "efficientnet_b0", "convnext_tiny", "vit_b_16", "densenet121", "swin_t", "googlenet"),
}  # fmt: skip
SMALL = re.compile(
    r"tiny|small|nano|atto|pico|femto|mini|micro|_b0|_s0|_m0|_xs|_xxs|18|26|_s_|_t_|test|_050|_075|10t|_s$|_t$"
)
FIELDS = ("source", "net", "parameters", "side", "layers", "functional", "nan", "skipped", "three_passes", "seconds",
          "peak_mb", "outcome", "remarks")  # fmt: skip

Net = tuple[str, str, int]
"""Source, name, number of parameters."""


def planned(per_family: int) -> Iterator[Net]:
    """All nets of torchvision, and of each family of timm the smallest of a few, below thirty million parameters."""
    for name in torchvision.models.list_models(module=torchvision.models):
        weights = torchvision.models.get_model_weights(name)
        yield "torchvision", name, int(next(iter(weights)).meta["num_params"])
    for family in timm.list_modules():
        names = timm.list_models(module=family)
        names.sort(key=lambda name: (name not in NAMED["timm"], SMALL.search(name) is None, len(name), name))
        sizes = []
        for name in names[: 3 * per_family]:
            try:
                with torch.device("meta"):
                    sizes.append((name not in NAMED["timm"], count(timm.create_model(name)), name))
            except Exception as error:  # some read numbers of their own weights when they are built
                print(f"timm {name} is not planned: {type(error).__name__}: {error}"[:150], flush=True)
        yield from (("timm", name, size) for _, size, name in sorted(sizes)[:per_family] if size < MOST_TIMM)


def plan(path: Path, per_family: int) -> list[Net]:
    """The nets of a run: those named first, then all of torchvision, then of timm, each from the smallest on."""
    if not path.exists():
        path.write_text(json.dumps(sorted(planned(per_family), key=lambda net: net[2])))
    nets: list[Net] = [(source, name, size) for source, name, size in json.loads(path.read_text())]
    return sorted(nets, key=lambda net: (net[1] not in NAMED[net[0]], net[0] != "torchvision"))


def count(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def build(source: str, name: str, **options: Any) -> torch.nn.Module:
    torch.manual_seed(0)
    if source == "timm":
        return timm.create_model(name, pretrained=False, **options)
    if name in ("googlenet", "inception_v3"):
        options["init_weights"] = False
    return torchvision.models.get_model(name, weights=None, **options)


def takes(net: torch.nn.Module, side: int) -> bool:
    try:
        with torch.no_grad():
            net(torch.rand(2, 3, side, side))
    except Exception:  # whatever a net says of images of another size
        return False
    return True


def small(source: str, name: str) -> tuple[torch.nn.Module, int]:
    """A net, and the smallest side of the images that it takes; built for small images where it can be."""
    net = build(source, name).eval()
    if takes(net, SIDES[0]):
        return net, SIDES[0]
    for side in RESIZED:
        try:
            other = build(source, name, **{"img_size" if source == "timm" else "image_size": side}).eval()
        except Exception:  # an option that this net does not have, or a size that does not suit it
            continue
        if takes(other, side):
            return other, side
    for side in SIDES[1:]:
        if takes(net, side):
            return net, side
    raise ValueError("takes none of the sides tried")


def measured(source: str, name: str) -> dict[str, Any]:
    net, side = small(source, name)
    images = torch.rand(IMAGES, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        start = time.process_time()
        for batch in torch.cat([images] * 3).split(64):
            net(batch)
        three_passes = time.process_time() - start
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = time.process_time()
        s = sd.image_sensitivities(net, images)
        seconds = time.process_time() - start
    remarks = [str(one.message) for one in caught if issubclass(one.category, RuntimeWarning)]
    nan = [layer for layer, d, g in zip(s.layers, s.D, s.G, strict=True) if math.isnan(d) or math.isnan(g)]
    reasons = {layer for text in remarks for layer in text.partition("so D and G are NaN: ")[2].split(", ")}
    if unexplained := set(nan) - reasons:
        raise AssertionError(f"layers of NaN without a reason: {sorted(unexplained)}")
    modules = {name for name, _ in net.named_modules()}
    bare = [re.sub(r":\d+$", "", layer) for layer in s.layers]
    functional = sum(layer not in modules and layer.rsplit(".", 1)[-1].rstrip("()") in ACTIVATIONS for layer in bare)
    return {
        "parameters": count(net), "side": side, "layers": len(s), "functional": functional, "nan": len(nan),
        "skipped": len(s.config.get("skipped", {})), "three_passes": f"{three_passes:.3f}", "seconds": f"{seconds:.3f}",
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "outcome": "measured",
        "remarks": "; ".join(shortened(text) for text in remarks),
    }  # fmt: skip


def shortened(text: str) -> str:
    """A warning with the first of the layers that it names."""
    names = text.split(", ")
    return text if len(names) < 4 else f"{', '.join(names[:3])}, ..."[:400]


def child(source: str, name: str, memory: float, answer: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (int(memory * 2**30),) * 2)
    try:
        answer.send(measured(source, name))
    except Exception as error:
        text = f"{type(error).__name__}: {error}"[:300]
        short = isinstance(error, MemoryError) or "can't allocate memory" in text
        answer.send({"outcome": f"does not fit {memory:g} GiB" if short else "error", "remarks": text})


def tried(source: str, name: str, limit: float, memory: float) -> dict[str, Any]:
    """The row of a net, measured in a process of its own."""
    mine, its = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=child, args=(source, name, memory, its), daemon=True)
    process.start()
    its.close()
    try:
        return mine.recv() if mine.poll(limit) else {"outcome": f"not done in {limit:g} s"}
    except EOFError:
        process.join()
        return {"outcome": "died", "remarks": f"exit code {process.exitcode}"}
    finally:
        process.kill()
        process.join()


def as_page(rows: list[dict[str, str]], waiting: list[str]) -> str:
    done = [row for row in rows if row["outcome"] == "measured"]
    others = [row for row in rows if row["outcome"] != "measured"]
    ratios = sorted(float(row["seconds"]) / float(row["three_passes"]) for row in done)
    number = {source: sum(row["source"] == source for row in done) for source in ("torchvision", "timm")}
    layers = {key: sum(int(row[key]) for row in done) for key in ("layers", "functional", "nan", "skipped")}
    lines = [
        "# Any network",
        "",
        *textwrap.fill(
            f"{number['torchvision']} nets of torchvision and {number['timm']} of timm, random weights, measured "
            f"untouched by {{func}}`scaledetect.image_sensitivities` on {IMAGES} images of the smallest side that "
            f"each takes (or can be built for): {layers['layers']} layers, of which {layers['functional']} are "
            "functional activations. *NaN*: layers that do not vary over the images beyond rounding, as a warning "
            "says; many are the last batch norm of residual branches, which some nets begin with at zero. *Skipped*: "
            "layers without a row for each image (windows, tokens first), left out with a warning. Seconds are of the "
            "processor, beside those of three bare passes over the images: the ratio is "
            f"{ratios[len(ratios) // 2]:.2f} in the median, {ratios[int(0.9 * len(ratios))]:.2f} at the ninth decile, "
            f"{ratios[-1]:.2f} at most. Small nets of many layers have the largest: each layer costs some "
            "milliseconds, however small it is.",
            width=120,
            break_on_hyphens=False,
        ).splitlines(),
        "",
        "## Not measured",
        "",
        *(f"- {row['source']} {row['net']}: {row['outcome']} {escaped(row['remarks'])}".rstrip() for row in others),
        *([] if others else ["None failed."]),
        *(["", "Not run yet, for lack of time: " + ", ".join(waiting) + "."] if waiting else []),
        "",
        "## Measured",
        "",
        "| | net | parameters (M) | side | layers | functional | NaN | skipped | three passes (s) | all (s) | ratio |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
        *map(table_line, sorted(done, key=lambda row: (row["source"], row["net"]))),
        "",
        "## Warnings",
        "",
        *(f"- {row['net']}: {escaped(row['remarks'])}" for row in done if row["remarks"]),
        "",
        f"{platform.machine()}, torch {short(torch)}, torchvision {short(torchvision)}, timm {short(timm)}, one core.",
        "`benchmarks/any_net.py` makes this page.",
    ]  # fmt: skip
    return "\n".join([*lines, ""])


def short(library: Any) -> str:
    return str(library.__version__).partition("+")[0]


def escaped(text: str) -> str:
    return re.sub(r"([*_|<>\[\]`$])", r"\\\1", " ".join(text.split()))


def table_line(row: dict[str, str]) -> str:
    passes, seconds = float(row["three_passes"]), float(row["seconds"])
    counts = [row[name] for name in ("side", "layers", "functional", "nan", "skipped")]
    cells = [row["source"], row["net"], f"{int(row['parameters']) / 1e6:.1f}", *counts]
    return "| " + " | ".join([*cells, f"{passes:.2f}", f"{seconds:.2f}", f"{seconds / passes:.2f}"]) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("any-net"))
    parser.add_argument("--page", type=Path, help="a page of the documentation to write")
    parser.add_argument("--per-family", type=int, default=2)
    parser.add_argument("--limit", type=float, default=300, help="seconds for a net")
    parser.add_argument("--memory", type=float, default=10, help="GiB for a net")
    parser.add_argument("--minutes", type=float, default=math.inf, help="no net is begun after so many")
    options = parser.parse_args()
    torch.set_num_threads(1)
    started = time.monotonic()
    table = options.output.with_suffix(".csv")
    rows = list(csv.DictReader(table.open())) if table.exists() else []
    known = {(row["source"], row["net"]) for row in rows}
    nets = plan(options.output.with_suffix(".plan.json"), options.per_family)
    # What is compiled on the way is compiled once, before the first net.
    sd.image_sensitivities(torch.nn.Flatten(), torch.rand(IMAGES, 3, 64, 64))
    with table.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if not rows:
            writer.writeheader()
        for number, (source, name, _) in enumerate(nets, start=1):
            if (source, name) in known or time.monotonic() - started >= 60 * options.minutes:
                continue
            row = {"source": source, "net": name, **tried(source, name, options.limit, options.memory)}
            said = row if row["outcome"] != "measured" else {k: row[k] for k in ("side", "three_passes", "seconds")}
            print(f"{number}/{len(nets)}", source, name, said, flush=True)
            writer.writerow(row)
            file.flush()
    if options.page is not None:
        rows = list(csv.DictReader(table.open()))
        measured_or_tried = {(row["source"], row["net"]) for row in rows}
        waiting = [f"{source} {name}" for source, name, _ in nets if (source, name) not in measured_or_tried]
        options.page.write_text(as_page(rows, waiting), encoding="utf-8")


if __name__ == "__main__":
    main()
