"""Compilation of kernels: one decorator, and an on-disk cache that notices an edit in any kernel file.

Numba's own cache watches only the file a function stands in, so an edited helper in another file would leave stale
machine code in use. Here the stamp is a hash of every file of this package. Where no folder can be written, kernels are
compiled anew in each process. `cache_state` tells which it is.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numba
from numba import types
from numba.core import caching
from numba.extending import intrinsic

__all__ = [
    "cache_folder", "cache_state", "inlined", "kernel", "mulhi", "mulhilo", "stream_copy", "stream_zeros", "udiv",
    "write_fence",
]  # fmt: skip


@lru_cache(maxsize=1)
def source_stamp() -> str:
    """SHA-256 over the names and contents of all kernel files."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@lru_cache(maxsize=1)
def cache_folder() -> Path | None:
    """The first folder of these that can be written: NUMBA_CACHE_DIR, beside the sources, the user's cache folder."""
    candidates = []
    if numba.config.CACHE_DIR:
        candidates.append(Path(numba.config.CACHE_DIR) / "scaledetect")
    candidates.append(Path(__file__).parent / "__pycache__")
    if "XDG_CACHE_HOME" in os.environ or "HOME" in os.environ:
        caches = os.environ.get("XDG_CACHE_HOME") or Path(os.environ["HOME"]) / ".cache"
        candidates.append(Path(caches) / "scaledetect")
    return next((folder for folder in candidates if _writable(folder)), None)


def cache_state() -> str:
    """One line for a person: where compiled kernels are kept, or why they are not."""
    if numba.config.DISABLE_JIT:
        return "not used: the JIT is off"
    folder = cache_folder()
    return str(folder) if folder else "none: no folder can be written, kernels are compiled in every process"


class _KernelLocator(caching._CacheLocator):
    def __init__(self, line: int, folder: Path) -> None:
        self._line = line
        self._folder = folder

    def get_cache_path(self) -> str:
        return str(self._folder)

    def get_source_stamp(self) -> str:
        return source_stamp()

    def get_disambiguator(self) -> str:
        # Two versions of the package may share one folder, and never a file.
        return f"{self._line}-{source_stamp()[:16]}"

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> _KernelLocator | None:
        folder = cache_folder()
        return cls(py_func.__code__.co_firstlineno, folder) if folder else None


class _KernelCacheImpl(caching.CompileResultCacheImpl):
    _locator_classes: ClassVar = [_KernelLocator]


class _KernelCache(caching.FunctionCache):
    _impl_class = _KernelCacheImpl


def kernel(function: Callable[..., Any]) -> Any:
    """Compile `function`: no GIL held, no bounds or zero-division checks, no reordered floating-point sums."""
    compiled = numba.njit(nogil=True, error_model="numpy")(function)
    if not numba.config.DISABLE_JIT and cache_folder() is not None:
        compiled._cache = _KernelCache(compiled.py_func)
    return compiled


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a helper of kernels into each place that calls it: loops around it can become vector instructions."""
    return numba.njit(error_model="numpy", forceinline=True)(function)


def _writable(folder: Path) -> bool:
    probe = folder / f".probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True


@intrinsic
def mulhi(typingctx: Any, x: Any, y: Any) -> Any:
    """High 64 bits of the 128-bit product of two uint64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = _int_type(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        return builder.trunc(builder.lshr(product, wide(64)), _int_type(64))

    return types.uint64(types.uint64, types.uint64), codegen


@intrinsic
def mulhilo(typingctx: Any, x: Any, y: Any) -> Any:
    """High and low 64 bits of the 128-bit product of two uint64, by one multiplication."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide, word = _int_type(128), _int_type(64)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        high = builder.trunc(builder.lshr(product, wide(64)), word)
        return context.make_tuple(builder, signature.return_type, (high, builder.trunc(product, word)))

    return types.UniTuple(types.uint64, 2)(types.uint64, types.uint64), codegen


@intrinsic
def udiv(typingctx: Any, x: Any, y: Any) -> Any:
    """Quotient of two non-negative int64, without the sign and zero checks of Python's ``//``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.udiv(args[0], args[1])

    return types.int64(types.int64, types.int64), codegen


@intrinsic
def stream_zeros(typingctx: Any, address: Any) -> Any:
    """Write 32 bytes of zeros at an address that is a multiple of 32, past the caches: no line is read before."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _stream(builder, None, args[0])
        return context.get_dummy_value()

    return types.void(types.uint64), codegen


@intrinsic
def stream_copy(typingctx: Any, source: Any, address: Any) -> Any:
    """The same with the 32 bytes that stand at `source`, of whatever alignment."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _stream(builder, args[0], args[1])
        return context.get_dummy_value()

    return types.void(types.uint64, types.uint64), codegen


def _stream(builder: Any, source: Any, address: Any) -> None:
    from llvmlite import ir

    words = ir.VectorType(_int_type(64), 4)
    pointer = words.as_pointer()
    zeros = ir.Constant(words, None)
    found = zeros if source is None else builder.load(builder.inttoptr(source, pointer), align=1)
    store = builder.store(found, builder.inttoptr(address, pointer), align=32)
    store.set_metadata("nontemporal", builder.module.add_metadata([_int_type(32)(1)]))


@intrinsic
def write_fence(typingctx: Any) -> Any:
    """All that was written before is seen before all written after, past the caches too."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), codegen


def _int_type(bits: int) -> Any:
    from llvmlite import ir

    return ir.IntType(bits)
