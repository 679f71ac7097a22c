"""Write stream_v1.json, test vectors for docs/data-spec.md: ``python tests/data/make_stream_vectors.py``.

They come from tests/naive, which shares no code with the package. Integers that can pass 2^53 are decimal strings.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import naive

PATH = Path(__file__).with_name("stream_v1.json")
SPLITS = (None, "train", "validation", "test")

# (task, seed): every labelling, border and norm in every dimension, gaps whole and half, the largest tables last.
CASES = (
    (naive.Spec(1, 64, 32), 0),
    (naive.Spec(1, 65, 33, 3, periodic=False), 1),
    (naive.Spec(1, 50, 16, labelling="block", balance="natural"), 2),
    (naive.Spec(2, 8, 7, 1, "distance", "linf", True), 3),
    (naive.Spec(2, 9, 8, 0, "distance", "l1", True, "natural"), 4),
    (naive.Spec(2, 28, 28, 4, "distance", "l2", False), 2**64 - 1),
    (naive.Spec(2, 7, 6, labelling="block"), 6),
    (naive.Spec(3, 6, 5, 0, "distance", "l2", True), 7),
    (naive.Spec(3, 5, 6, 2, "distance", "l1", False), 8),
    (naive.Spec(3, 5, 4, labelling="block", balance="natural"), 9),
    (naive.Spec(1, 2**20, 2**18), 10),
    (naive.Spec(1, 2**32 - 1, 2**31, 1, periodic=False), 11),
    (naive.Spec(2, 2**16, 40001, 3, "distance", "l2", False), 12),
    (naive.Spec(2, 2**16, 2002, labelling="block"), 13),
    # More near than far pairs: the far class ends the run, or the near one of the natural balance.
    (naive.Spec(1, 9, 8), 14),
    (naive.Spec(2, 5, 6, 0, "distance", "linf", False, "natural"), 15),
    (naive.Spec(1, 9, 16, labelling="block"), 16),
)

N_PAIRS = 6
N_DIGEST = 1000
LAST = 2**64 - 2
"""The largest number of a sample."""


def task_fields(task: naive.Spec) -> dict[str, Any]:
    return {
        "dim": task.dim,
        "size": task.size,
        "xi": task.xi2 / 2,
        "gap": task.gap2 / 2,
        "labelling": task.labelling,
        "norm": task.canonical_norm,
        "periodic": task.canonical_periodic,
        "balance": task.balance,
    }


def some_of(n: int) -> list[int]:
    """A few numbers of 0..n-1, the ends among them."""
    return sorted({x for x in (0, 1, n // 3, n // 2, n - 2, n - 1) if 0 <= x < n})


def keys(task: naive.Spec, seed: int) -> dict[str, str]:
    draws = ("draw", "draw/train", "draw/validation", "draw/test")
    found = {
        f"{purpose}, {cls}": naive.key(task, seed, cls, purpose).hex()
        for cls in ("near", "far")
        for purpose in ("permutation", *draws)
    }
    for purpose in ("background", "background/train", "background/test/replace", "shift", "noise"):
        found[purpose] = naive.key(task, seed, None, purpose).hex()
    return found


def run_length(task: naive.Spec, split: str | None) -> int:
    """The first sample that the split does not hold, or 1000."""
    for j in range(N_DIGEST):
        cls, c = naive.class_and_index(j, task)
        if c >= naive.values_of_index(naive.class_sizes(task)[cls == "far"], split):
            return j
    return N_DIGEST


def samples(task: naive.Spec, seed: int, split: str | None, replace: bool, start: int) -> dict[str, Any]:
    n = N_PAIRS if replace else min(N_PAIRS, run_length(task, split) - start)
    pairs, y = naive.sample(task, n, seed, split, replace, start)
    return {"split": split, "replace": replace, "start": str(start), "pairs": pairs, "y": y}


def perturbations(task: naive.Spec, seed: int) -> dict[str, Any]:
    """Shifts of the first samples, and the first values of the noise of two of them."""
    pairs, _ = naive.sample(task, N_PAIRS, seed)
    found: dict[str, Any] = {"shifted": [naive.shift(pair, j, task, seed) for j, pair in enumerate(pairs)]}
    if task.sites <= 1000:
        for purpose in ("noise", "background"):
            values = [naive.normals(task, j, naive.key(task, seed, None, purpose), 1.0)[:9] for j in (0, 3)]
            found[f"{purpose} of samples 0 and 3"] = [[round(v, 9) for v in row] for row in values]
    return found


def vector(task: naive.Spec, seed: int) -> dict[str, Any]:
    sizes = dict(zip(("near", "far"), naive.class_sizes(task), strict=True))
    classes = {}
    for cls, n in sizes.items():
        key = naive.key(task, seed, cls, "permutation")
        classes[cls] = {
            "size": str(n),
            "pi": {str(x): str(naive.permute(x, n, key)) for x in some_of(n)},
            "pair of rank": {str(x): naive.unrank(x, task, cls) for x in some_of(n)},
        }
    return {
        "task": task_fields(task),
        "seed": str(seed),
        "key text": naive.key_text(task, seed, "near", "permutation"),
        "keys": keys(task, seed),
        **classes,
        "samples": [samples(task, seed, split, False, start) for split in SPLITS for start in (0, 7)]
        + [samples(task, seed, split, True, start) for split in SPLITS for start in (0, 2**63, LAST - N_PAIRS + 1)],
        **perturbations(task, seed),
        "digest_length": run_length(task, None),
        "digest": naive.digest(task, run_length(task, None)),
    }


def as_text(vectors: list[dict[str, Any]]) -> str:
    """One line a field, and one a set of samples."""

    def lines(value: Any) -> str:
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return "[\n    " + ",\n    ".join(json.dumps(v, separators=(",", ":")) for v in value) + "\n   ]"
        return json.dumps(value, separators=(",", ":"))

    tasks = (",\n   ".join(f"{json.dumps(k)}: {lines(v)}" for k, v in vector.items()) for vector in vectors)
    return "[\n  {" + "},\n  {".join(tasks) + "}\n]\n"


def make() -> str:
    return as_text([vector(task, seed) for task, seed in CASES])


if __name__ == "__main__":
    PATH.write_text(make(), encoding="utf-8")
