"""The environment of a run: versions, processor, instruction sets, threads, and nothing that names anyone."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from scaledetect._base.versions import versions

__all__ = ["Environment"]

_NAMED = ("scaledetect", "python", "numpy", "numba", "scipy", "scikit-learn", "torch")
_CPU_FILE = Path("/proc/cpuinfo")
_Text = Annotated[str, Field(min_length=1, max_length=200)]
_LATER = ("instructions", "library_threads")
_VECTOR_SETS = (
    "sse4_2", "avx", "fma3", "avx2", "avx_vnni", "avx512_f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile",
    "amx_int8", "amx_bf16", "amx_fp16", "avx10_1", "avx10_2", "neon", "bf16", "sve", "sve2",
)  # fmt: skip
_SETTINGS = (
    "ATEN_CPU_CAPABILITY", "DNNL_MAX_CPU_ISA", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "NPY_DISABLE_CPU_FEATURES",
    "ONEDNN_MAX_CPU_ISA", "OPENBLAS_CORETYPE",
)  # fmt: skip


class Environment(BaseModel):
    """Versions, processor and threads of a run. Host and user names and paths are not part of it.

    Attributes
    ----------
    versions : dict
        Python, the package and the libraries that can change a number.
    system, machine : str
        As in ``Linux`` and ``x86_64``.
    cpu : str
        Model of the processor, which on a virtual machine may be a family of several.
    threads : int
        Threads a run may use.
    accelerator : str
        Name of the GPU that torch uses; empty where there is none.
    instructions : dict
        What decides which code of a library runs: the vector instructions of the processor (oneDNN takes the widest),
        those that NumPy, torch and each BLAS took, and the settings of the system that limit them. Empty in records of
        before it was written down.
    library_threads : dict
        Threads of torch, which oneDNN takes too, and of each BLAS and OpenMP library. Empty where `instructions` is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    versions: Annotated[dict[_Text, _Text], Field(min_length=1, max_length=50)]
    system: _Text
    machine: _Text
    cpu: _Text
    threads: Annotated[int, Field(ge=1)]
    accelerator: Annotated[str, Field(max_length=200)] = ""
    instructions: Annotated[dict[_Text, _Text], Field(max_length=50)] = {}
    library_threads: Annotated[dict[_Text, Annotated[int, Field(ge=1)]], Field(max_length=50)] = {}

    @model_serializer(mode="wrap")
    def _without_what_was_not_recorded(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # The hash of an older record is that of its content without these fields.
        found: dict[str, Any] = handler(self)
        return {name: value for name, value in found.items() if value or name not in _LATER}

    @classmethod
    def here(cls, threads: int) -> Environment:
        """The environment of this process."""
        found = versions()
        machine = platform.machine() or "unknown"
        system = platform.system() or "unknown"
        pools = _pools()
        return cls(
            versions={name: found[name] for name in _NAMED},
            system=system,
            machine=machine,
            cpu=cpu_model(),
            threads=threads,
            accelerator=accelerator(),
            instructions=_instructions(pools),
            library_threads=_library_threads(pools),
        )

    @property
    def says_all(self) -> bool:
        """Whether it names the instruction sets: without them a processor of the same name may be another."""
        return bool(self.instructions)

    def differences(self, other: Environment) -> list[str]:
        """What sets `other` apart, as ``name: mine, theirs``.

        A library that only one of them has loaded does not: the same run went without it.
        """
        mine, theirs = _flat(self, other), _flat(other, self)
        names = [name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)]
        return [f"{name}: {mine.get(name, 'missing')}, {theirs.get(name, 'missing')}" for name in names]


def _flat(one: Environment, other: Environment) -> dict[str, object]:
    """Every item of `one` under its name, of libraries those that `other` has loaded too."""
    found = {**one.versions, **one.model_dump(exclude={"versions", *_LATER})}
    found["instructions"] = _listed(one.instructions, other.instructions)
    return found | {"library threads": _listed(one.library_threads, other.library_threads)}


def _listed(mine: Mapping[str, object], theirs: Mapping[str, object]) -> str:
    common = [f"{name} {value}" for name, value in mine.items() if not theirs or name in theirs or name in _SETTINGS]
    return ", ".join(common) or "not recorded"


def accelerator() -> str:
    """Name of the GPU that torch uses; nothing where there is none, or torch has not been loaded."""
    torch = sys.modules.get("torch")
    return "" if torch is None or not torch.cuda.is_available() else torch.cuda.get_device_name()[:200]


def _instructions(pools: list[dict[str, Any]]) -> dict[str, str]:
    simd: dict[str, list[str]] = np.show_config(mode="dicts").get("SIMD Extensions", {})  # type: ignore[assignment]
    found = {"numpy": " ".join([*simd.get("baseline", []), *simd.get("found", [])]) or "none"}
    if (torch := sys.modules.get("torch")) is not None:
        # Early versions of torch do not know.
        if (capabilities := getattr(torch.cpu, "get_capabilities", None)) is not None:
            has = capabilities()
            found["processor"] = " ".join(name for name in _VECTOR_SETS if has.get(name) is True) or "none"
        found["torch"] = torch.backends.cpu.get_cpu_capability()
    found |= {_library(pool): pool["architecture"] for pool in pools if pool.get("architecture")}
    found |= {name: os.environ[name] for name in _SETTINGS if os.environ.get(name)}
    return {name: value[:200] for name, value in found.items()}


def _library_threads(pools: list[dict[str, Any]]) -> dict[str, int]:
    torch = sys.modules.get("torch")
    found = {} if torch is None else {"torch": int(torch.get_num_threads())}
    return found | {_library(pool): int(pool["num_threads"]) for pool in pools}


def _pools() -> list[dict[str, Any]]:
    """BLAS and OpenMP libraries that are loaded, each version once."""
    from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

    return sorted(threadpool_info(), key=_library)


def _library(pool: dict[str, Any]) -> str:
    return " ".join(str(pool[name]) for name in ("internal_api", "version") if pool.get(name))


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
