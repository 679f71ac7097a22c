"""Kernels by name, built from their options."""

from __future__ import annotations

import dataclasses
from typing import Any

from scaledetect._base.arguments import one_of
from scaledetect._base.errors import bad_value
from scaledetect.theory.kernels.kernel import Kernel
from scaledetect.theory.kernels.overlap_kernels import FullyConnectedKernel, GaussianKernel, LinearKernel
from scaledetect.theory.kernels.pooling_kernels import PoolingKernel, PoolingMeanKernel

__all__ = ["KERNELS", "build_kernel", "kernel_options"]

KERNELS: dict[str, type[Kernel]] = {
    "linear": LinearKernel,
    "gaussian": GaussianKernel,
    "nngp": FullyConnectedKernel,
    "nngp-pooling": PoolingKernel,
    "nngp-pooling-mean": PoolingMeanKernel,
}


def build_kernel(name: str, options: dict[str, Any]) -> Kernel:
    """The kernel of that name.

    Raises
    ------
    TypeError, ValueError
        For an unknown name, which lists the known ones, an option it does not take, or one out of range.
    """
    one_of("kernel", name, KERNELS)
    known = [field.name for field in dataclasses.fields(KERNELS[name])]  # type: ignore[arg-type]
    for option, value in options.items():
        if option not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise bad_value(option, value, f"kernel={name!r} takes no such option", takes)
    return KERNELS[name](**options)


def kernel_options(kernel: Kernel) -> dict[str, Any]:
    """All options of a kernel, defaults included, as plain data."""
    return dataclasses.asdict(kernel)  # type: ignore[call-overload, no-any-return]
