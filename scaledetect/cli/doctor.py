"""``scaledetect doctor``: versions, threads and kernels of this installation, and whether they work."""

from __future__ import annotations

import os
from typing import Any

import typer

from scaledetect.cli.options import AsJson, print_json

REFERENCE_CARD = "distance-1d-L64-xi16"


def doctor(as_json: AsJson = False) -> None:
    """Versions, threads, kernels (compiled or NumPy), their cache, and one digest; exit code 1 where that is wrong."""
    report = _report()
    if as_json:
        print_json(report)
    else:
        for key, value in report.items():
            typer.echo(f"{key:14} {value}")
    if report["stream"] != "verified":
        raise typer.Exit(1)


def _report() -> dict[str, Any]:
    import numba
    import torch

    from scaledetect._base.versions import versions
    from scaledetect._kernels.driver import thread_count
    from scaledetect._kernels.jit import cache_state
    from scaledetect.task.cards import load_card

    card = load_card(REFERENCE_CARD)
    current = card.current_digest()
    return versions() | {
        "cpu_cores": os.cpu_count(),
        "threads": thread_count(),
        "torch_threads": torch.get_num_threads(),
        "cuda": torch.cuda.is_available(),
        "kernels": "NumPy twin (the JIT is off)" if numba.config.DISABLE_JIT else "compiled by numba",
        "kernel_cache": cache_state(),
        "stream": "verified" if current == card.digest else f"differs on {card.name}: {current}",
    }
