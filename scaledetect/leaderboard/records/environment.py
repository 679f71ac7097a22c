"""The environment of a run: versions and processor, and nothing that names anyone."""

from __future__ import annotations

import platform
import sys
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from scaledetect._base.versions import versions

__all__ = ["Environment"]

_NAMED = ("scaledetect", "python", "numpy", "numba", "scipy", "scikit-learn", "torch")
_CPU_FILE = Path("/proc/cpuinfo")
_Text = Annotated[str, Field(min_length=1, max_length=200)]


class Environment(BaseModel):
    """Versions, processor and threads of a run. Host and user names and paths are not part of it.

    Attributes
    ----------
    versions : dict
        Python, the package and the libraries that can change a number.
    system, machine : str
        As in ``Linux`` and ``x86_64``.
    cpu : str
        Model of the processor.
    threads : int
        Threads a run may use.
    accelerator : str
        Name of the GPU that torch uses; empty where there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    versions: Annotated[dict[_Text, _Text], Field(min_length=1, max_length=50)]
    system: _Text
    machine: _Text
    cpu: _Text
    threads: Annotated[int, Field(ge=1)]
    accelerator: Annotated[str, Field(max_length=200)] = ""

    @classmethod
    def here(cls, threads: int) -> Environment:
        """The environment of this process."""
        found = versions()
        machine = platform.machine() or "unknown"
        system = platform.system() or "unknown"
        return cls(
            versions={name: found[name] for name in _NAMED},
            system=system,
            machine=machine,
            cpu=cpu_model(),
            threads=threads,
            accelerator=accelerator(),
        )

    def differences(self, other: Environment) -> list[str]:
        """What sets `other` apart, as ``name: mine, theirs``."""
        mine, theirs = ({**one.versions, **one.model_dump(exclude={"versions"})} for one in (self, other))
        names = [name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)]
        return [f"{name}: {mine.get(name, 'missing')}, {theirs.get(name, 'missing')}" for name in names]


def accelerator() -> str:
    """Name of the GPU that torch uses; nothing where there is none, or torch has not been loaded."""
    torch = sys.modules.get("torch")
    return "" if torch is None or not torch.cuda.is_available() else torch.cuda.get_device_name()[:200]


@cache
def cpu_model() -> str:
    """Model of the processor as the system calls it, or else the kind of machine."""
    try:
        text = _CPU_FILE.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name" and value.strip():
            return value.strip()[:200]
    return platform.processor() or platform.machine() or "unknown"
