"""Any network: classification nets of torchvision and timm, random weights, measured untouched on 50 small images.

Run it in an environment of its own, since torchvision needs its own torch:
    pip install "torch==2.14.1" "torchvision==0.29.1" timm . && python benchmarks/any_net.py --output benchmarks/any-net
It writes any-net.csv as it goes (a run goes on where it was broken off) and any-net.md in the end.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import math
import platform
import re
import signal
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

import scaledetect as sd

IMAGES = 50
SIDES = (64, 96, 128, 160, 192, 224, 256, 288, 299, 384)
MOST_TIMM = 30e6
NAMED = ("resnet26", "vit_tiny_patch16_224", "mixer_s16_224", "convnext_atto", "efficientvit_b0", "efficientvit_m0",
         "mobilenetv3_large_100", "swin_tiny_patch4_window7_224")  # fmt: skip
NAMED_TORCHVISION = ("resnet18", "efficientnet_b0", "convnext_tiny", "vit_b_16", "densenet121", "swin_t", "googlenet")
SMALL = re.compile(
    r"tiny|small|nano|atto|pico|femto|mini|micro|_b0|_s0|_m0|_xs|_xxs|18|26|_s_|_t_|test|_050|_075|10t|_s$|_t$"
)
FIELDS = ("source", "net", "parameters", "side", "layers", "functional", "nan", "skipped", "three_passes", "seconds",
          "outcome", "remarks")  # fmt: skip


class TooLongError(Exception):
    """A net has used up its time."""


def torchvision_nets() -> Iterator[tuple[str, str]]:
    """Those named, then all from the smallest on."""
    import torchvision

    def size(name: str) -> int:
        weights = torchvision.models.get_model_weights(name)
        return int(next(iter(weights)).meta["num_params"])

    yield from (("torchvision", name) for name in NAMED_TORCHVISION)
    for name in sorted(torchvision.models.list_models(module=torchvision.models), key=size):
        yield "torchvision", name


def timm_nets(per_family: int) -> Iterator[tuple[str, str]]:
    """Those named, and of each family the smallest of a few, below thirty million parameters."""
    import timm

    yield from (("timm", name) for name in NAMED)
    for family in timm.list_modules():
        names = [name for name in timm.list_models(module=family) if name not in NAMED]
        names.sort(key=lambda name: (SMALL.search(name) is None, len(name), name))
        sizes = []
        for name in names[: 3 * per_family]:
            try:
                with torch.device("meta"):
                    sizes.append((sum(p.numel() for p in timm.create_model(name).parameters()), name))
            except Exception:  # some read numbers of their own weights when they are built
                continue
        yield from (("timm", name) for size, name in sorted(sizes)[:per_family] if size < MOST_TIMM)


def build(source: str, name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    if source == "timm":
        import timm

        return timm.create_model(name, pretrained=False)
    import torchvision

    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return torchvision.models.get_model(name, weights=None, **options)


def smallest_side(net: torch.nn.Module) -> int:
    """Side of the smallest images that the net takes."""
    net.eval()
    for side in SIDES:
        try:
            with torch.no_grad():
                net(torch.rand(2, 3, side, side))
        except Exception:  # whatever a net says of images that are too small
            continue
        return side
    raise ValueError("takes none of the sides tried")


def measured(source: str, name: str) -> dict[str, Any]:
    net = build(source, name)
    row: dict[str, Any] = {"parameters": sum(p.numel() for p in net.parameters()), "side": smallest_side(net)}
    images = torch.rand(IMAGES, 3, row["side"], row["side"], generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        start = time.process_time()
        for batch in torch.cat([images] * 3).split(64):
            net(batch)
        row["three_passes"] = time.process_time() - start
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = time.process_time()
        s = sd.image_sensitivities(net, images)
        row["seconds"] = time.process_time() - start
    modules = {name for name, _ in net.named_modules()}
    bare = [re.sub(r":\d+$", "", layer) for layer in s.layers]
    functional = sum(layer not in modules and layer.rsplit(".", 1)[-1].rstrip("()") in FUNCTIONS for layer in bare)
    remarks = [str(one.message) for one in caught if issubclass(one.category, RuntimeWarning)]
    nan = int((s.D != s.D).sum())
    assert not nan or any("so D and G are NaN" in text for text in remarks), "a layer of NaN without its reason"
    skipped = len(s.config.get("skipped", {}))
    return row | {
        "layers": len(s), "functional": functional, "nan": nan, "skipped": skipped, "outcome": "measured",
        "remarks": "; ".join(text[:160] for text in remarks),
    }  # fmt: skip


FUNCTIONS = __import__("scaledetect.activations.functional", fromlist=["ACTIVATIONS"]).ACTIVATIONS


def tried(source: str, name: str, limit: int) -> dict[str, Any]:
    def stop(number: int, frame: object) -> None:
        raise TooLongError

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(limit)
    try:
        return measured(source, name)
    except TooLongError:
        return {"outcome": f"not done in {limit} s"}
    except Exception as error:
        return {"outcome": "error", "remarks": f"{type(error).__name__}: {error}"[:300]}
    finally:
        signal.alarm(0)


def as_markdown(rows: list[dict[str, str]]) -> str:
    done = [row for row in rows if row["outcome"] == "measured"]
    ratios = sorted(float(row["seconds"]) / float(row["three_passes"]) for row in done)
    count = {source: sum(row["source"] == source for row in done) for source in ("torchvision", "timm")}
    lines = [
        "# Any network",
        "",
        f"`any_net.py`: {count['torchvision']} nets of torchvision and {count['timm']} of timm, random weights,",
        f"measured untouched by `image_sensitivities` on {IMAGES} images of the smallest side that each takes, on one",
        "core. *Functional* are rows of functional activations; *skipped* layers have no row for each image",
        "(windows, tokens first) and are left out with a warning; *NaN* layers are constant over the images, and the",
        f"warning says so. Processor time over that of three bare passes: median {ratios[len(ratios) // 2]:.2f},",
        f"largest {ratios[-1]:.2f}.",
        "",
        "| | net | parameters (M) | side | layers | functional | NaN | skipped | three passes (s) | all (s) | ratio |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in done:
        passes, seconds = float(row["three_passes"]), float(row["seconds"])
        counts = [row[name] for name in ("side", "layers", "functional", "nan", "skipped")]
        cells = [row["source"], row["net"], f"{int(row['parameters']) / 1e6:.1f}", *counts]
        lines.append("| " + " | ".join([*cells, f"{passes:.2f}", f"{seconds:.2f}", f"{seconds / passes:.2f}"]) + " |")
    others = [row for row in rows if row["outcome"] != "measured"]
    lines += ["", "Not measured:" if others else "None failed.", ""]
    lines += [f"- {row['source']} {row['net']}: {row['outcome']} {row['remarks']}".rstrip() for row in others]
    reasons = [f"- {row['net']}: {row['remarks']}" for row in done if row["remarks"]]
    lines += ["", "## What was left out, and why", "", *reasons]
    return "\n".join([*lines, "", f"{platform.machine()}, torch {torch.__version__}", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("any-net"))
    parser.add_argument("--per-family", type=int, default=2)
    parser.add_argument("--limit", type=int, default=300, help="seconds for a net")
    parser.add_argument("--minutes", type=float, default=math.inf, help="no net is begun after so many")
    parser.add_argument("--named", action="store_true", help="only the nets that are named in this file")
    parser.add_argument("--only", help="source, timm or torchvision")
    options = parser.parse_args()
    torch.set_num_threads(1)
    started = time.monotonic()
    table = options.output.with_suffix(".csv")
    rows = list(csv.DictReader(table.open())) if table.exists() else []
    known = {(row["source"], row["net"]) for row in rows}
    sources = {"torchvision": torchvision_nets(), "timm": timm_nets(options.per_family)}
    if options.named:
        sources = {"torchvision": (("torchvision", name) for name in NAMED_TORCHVISION)}
        sources["timm"] = (("timm", name) for name in NAMED)
    if options.only is not None:
        sources = {options.only: sources[options.only]}
    # In turn: a run that is broken off has some of each.
    nets = (net for both in itertools.zip_longest(*sources.values()) for net in both if net is not None)
    with table.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if not rows:
            writer.writeheader()
        for number, (source, name) in enumerate(dict.fromkeys(nets), start=1):
            if (source, name) in known or time.monotonic() - started > 60 * options.minutes:
                continue
            row = {"source": source, "net": name, **tried(source, name, options.limit)}
            print(f"{number} {source} {name}: {row['outcome']}", row.get("remarks", "")[:100], flush=True)
            writer.writerow(row)
            file.flush()
    options.output.with_suffix(".md").write_text(as_markdown(list(csv.DictReader(table.open()))), encoding="utf-8")


if __name__ == "__main__":
    main()
