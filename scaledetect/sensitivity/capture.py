"""Hand over the activation of each layer of a network while it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from scaledetect.errors import bad_type, bad_value, unknown_name

__all__ = ["OUTPUT", "Capture", "Receiver"]

OUTPUT = "output"
"""Name under which the output of the whole net is measured."""

Receiver = Callable[[str, Tensor], None]


class Capture:
    """Forward hooks on the layers of a net, for the length of a ``with`` block.

    An activation is handed over the moment it exists, before a later module can overwrite it in place. Hooks of the
    net's own that replace an output have run by then.

    Parameters
    ----------
    net : torch.nn.Module
    layers : iterable of str, optional
        Names of modules as in ``net.named_modules()``, or "output". By default those in ``net.sensitivity_layers``;
        where the net names none, every leaf module that returns a floating tensor, and the output.

    Raises
    ------
    TypeError, ValueError, KeyError
        When `net` is no module, or `layers` is empty or names no module of it.
    """

    def __init__(self, net: nn.Module, layers: Iterable[str] | None = None) -> None:
        if not isinstance(net, nn.Module):
            raise bad_type("net", type(net).__name__, "must be a torch.nn.Module")
        self._net = net
        if layers is None:
            layers = getattr(net, "sensitivity_layers", None)
        self._named = layers is not None
        self._modules = _leaves(net) if layers is None else _named(net, layers)
        self._receive: Receiver | None = None
        self._calls: Counter[str] = Counter()
        self._handles: list[RemovableHandle] = []

    def __enter__(self) -> Self:
        for name, module in self._modules.items():
            self._handles.append(module.register_forward_hook(self._hook(name)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        while self._handles:
            self._handles.pop().remove()

    def run(self, x: Tensor, receive: Receiver) -> None:
        """One forward pass on `x`, shape (n, ...): calls ``receive(name, activation)`` in the order of execution.

        A module called more than once is named ``name``, ``name:2``, ``name:3`` and so on.

        Raises
        ------
        TypeError, ValueError
            When a layer asked for by name does not run, or returns no floating tensor, or one without a row for each
            of `x`.
        """
        self._calls.clear()
        self._receive, self._rows = receive, len(x)
        try:
            self._net(x)
        finally:
            self._receive = None
        if self._named and (silent := [name for name in self._modules if not self._calls[name]]):
            raise bad_value("layers", silent, "did not run in a forward pass of this net", "leave them out")

    def _hook(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, args: Any, output: Any) -> None:
            if self._receive is None:
                return
            self._calls[name] += 1
            label = name if self._calls[name] == 1 else f"{name}:{self._calls[name]}"
            if isinstance(output, Tensor) and output.is_floating_point():
                _check_rows(label, output, self._rows)
                self._receive(label, output)
            elif self._named:
                raise bad_type("layers", label, f"returns no floating tensor but {_describe(output)}", "name others")

        return hook


def _leaves(net: nn.Module) -> Mapping[str, nn.Module]:
    leaves = {name: module for name, module in net.named_modules() if name and not any(module.children())}
    return {**leaves, OUTPUT: net}


def _named(net: nn.Module, layers: Iterable[str]) -> Mapping[str, nn.Module]:
    names = [layers] if isinstance(layers, str) else list(layers)
    if not names:
        raise bad_value("layers", layers, "names no layer", "leave it out to measure all")
    # A module shared under several names answers to each of them.
    known = dict(net.named_modules(remove_duplicate=False))
    known.setdefault(OUTPUT, net)
    for name in names:
        if name not in known:
            raise unknown_name("layer", name, [other for other in known if other])
    return {name: known[name] for name in names}


def _check_rows(label: str, output: Tensor, rows: int) -> None:
    if output.ndim < 1 or output.shape[0] != rows:
        raise bad_value(
            "layers",
            label,
            f"returned shape {tuple(output.shape)} for {rows} images: the first axis must be the image",
            "name the layers to measure, without this one",
        )


def _describe(output: object) -> str:
    return f"a tensor of {output.dtype}" if isinstance(output, Tensor) else f"a {type(output).__name__}"
