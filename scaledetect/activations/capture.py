"""Forward hooks that hand over the activation of each layer of a network while it runs."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import fields, is_dataclass
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils.hooks import RemovableHandle

from scaledetect._base.errors import bad_type, bad_value
from scaledetect.activations.eager import plain_modules, unwrapped
from scaledetect.activations.functional import FunctionalActivations, is_activation_itself
from scaledetect.activations.layer_selection import OUTPUT, Selection

__all__ = ["OUTPUT", "Capture", "Function", "Receiver", "describe", "floating_parts", "skipped_text", "warn_of_skipped"]

TRIAL = 2
"""Images of a pass before the first: a layer with a row for each image has as many rows."""

Receiver = Callable[[str, Tensor], None]
Function = Callable[[Tensor], Mapping[str, Any]]


class Capture:
    """Forward hooks on the layers of a net, for the length of a ``with`` block.

    An activation is handed over the moment it exists, before a later module can overwrite it in place. Hooks of the
    net's own that replace an output have run by then.

    Parameters
    ----------
    net : torch.nn.Module or callable
        A compiled net is taken for the one it was compiled from. A callable maps images to a mapping of tensors, whose
        keys name the layers; or to one tensor, the layer "output".
    layers : iterable of str or "blocks", optional
        Names of modules as in ``net.named_modules()``, "output", or patterns; see `Selection`. By default those in
        ``net.sensitivity_layers``; where the net names none, every module that runs no other and returns a floating
        tensor (an attention module that uses its projections as mere weights is one), every functional activation that
        a module calls, and the output. "blocks" are the children of the net, those of a ModuleList or ModuleDict one by
        one, and the output.

    Attributes
    ----------
    net : torch.nn.Module or callable
        What runs: no longer compiled.
    module : torch.nn.Module
        The same; an empty module for a callable.
    skipped : dict of str to tuple of int
        Layers that nobody has named and that have no row for each image, with their shapes for the two images of the
        trial, or for the first pass where they had a row for each of those; known after the first pass.

    Raises
    ------
    TypeError, ValueError, KeyError
        When `net` is no module and cannot be called, its parameters are not yet there, or `layers` is empty or names no
        module of it.
    """

    def __init__(self, net: nn.Module | Function, layers: Iterable[str] | None = None) -> None:
        if isinstance(net, torch.export.ExportedProgram):
            way_out = "give net.module(), or the net that it was made from"
            raise bad_type("net", type(net).__name__, "is an exported program, no module", way_out)
        if not callable(net):
            raise bad_type("net", type(net).__name__, "must be a torch.nn.Module, or map images to a dict of tensors")
        self.net = unwrapped(net) if isinstance(net, nn.Module) else net
        self.module = self.net if isinstance(self.net, nn.Module) else nn.Module()
        chosen = getattr(net, "sensitivity_layers", None) if layers is None else layers
        self._selection = Selection(chosen, blocks=_blocks(self.module))
        if self.module is self.net:
            _check_ready(self.module)
            self._selection.check_names(name for name, _ in plain_modules(self.module) if name)
        self._receive: Receiver | None = None
        self._calls: Counter[str] = Counter()
        self._taken: dict[str, bool] | None = None
        self._seen: dict[str, bool] = {}
        self.skipped: dict[str, tuple[int, ...]] = {}
        # Known after the trial.
        self._without_rows: set[str] | None = None
        self._has_functional = False
        self._callers: dict[nn.Module, str] = {}
        self._names: set[str] = set()
        # The modules that run, outermost first, each with whether it has run another.
        self._running: list[tuple[nn.Module | None, bool]] = []
        self._handles: list[RemovableHandle] = []

    def __enter__(self) -> Self:
        named = self._named_modules()
        self._callers, self._names = {}, {name for name, _ in named}
        for name, module in named:
            first = self._callers.setdefault(module, name) == name
            if first:
                self._handles.append(module.register_forward_pre_hook(self._begin))
            # A module shared under several names answers to each that is asked for.
            if first or self._selection.mentions(name):
                self._handles.append(module.register_forward_hook(self._hook(name)))
            if first:
                self._handles.append(module.register_forward_hook(self._end))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        while self._handles:
            self._handles.pop().remove()

    def run(self, x: Tensor, receive: Receiver) -> None:
        """One forward pass on `x`, shape (n, ...): calls ``receive(label, activation)`` in the order of execution.

        The label is the module's name; ``name:2``, ``name:3`` and so on from its second call on; for a module that
        returns a tuple, mapping or dataclass followed by the path of each tensor, as in ``name.0`` or
        ``output.logits``. A functional activation is named after the module that calls it, as ``name.relu``, or
        ``name.relu()`` where that is a module. Layers that nobody has named count only if they have a row for each
        image; the first pass decides, and notes those without in `skipped`.

        Raises
        ------
        TypeError, ValueError
            When a layer named does not run, or returns no floating tensor, or one without a row for each of `x`.
        """
        first = self._taken is None
        if first and self._without_rows is None and len(x) > TRIAL:
            self.trial(x, lambda label, activation: None)
        self._pass(x, receive, seeing_functional=first or self._has_functional)
        if first:
            self._taken = self._seen
            self._selection.check_met(self._seen)

    def trial(self, x: Tensor, receive: Receiver) -> None:
        """A pass on the first few of `x` before the first `run`, which else makes it: finds layers without rows.

        A layer that has a row for each of these few and for each image of the first `run` counts, since other numbers
        of rows may be a layer's own by accident. Raises as `run`; leaves `x` and the random state of torch as they are.
        """
        # A copy, since a net may work in place; no gradients, since the images may want those of the first pass.
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            self._pass(x[:TRIAL].clone(), receive, seeing_functional=True)
        self._selection.check_met(self._seen)
        self._without_rows = set(self.skipped)

    def _pass(self, x: Tensor, receive: Receiver, *, seeing_functional: bool) -> None:
        def checked(label: str, activation: Tensor) -> None:
            _check_rows(label, activation, len(x))
            receive(label, activation)

        self._calls.clear()
        self._running, self._seen = [(None, False)], {}
        self._receive, self._rows = checked, len(x)
        try:
            # Every call of torch passes through it, the receiver's too: it is left out where it has nothing to see.
            with FunctionalActivations(self._functional) if seeing_functional else nullcontext():
                output = self.net(x)
            if self.module is not self.net:
                self._hand_over(None, output)
        finally:
            self._receive = None

    def _named_modules(self) -> list[tuple[str, nn.Module]]:
        named = [(name, module) for name, module in plain_modules(self.module) if name]
        if any(name == OUTPUT for name, _ in named):
            # A module of that name is meant when it is asked for, and the net by default.
            if not self._selection.is_default:
                return named
            named = [(name, module) for name, module in named if name != OUTPUT]
        return [(OUTPUT, self.module), *named]

    def _begin(self, module: nn.Module, args: Any) -> None:
        self._running[-1] = (self._running[-1][0], True)
        self._running.append((module, False))

    def _end(self, module: nn.Module, args: Any, output: Any) -> None:
        # Modules that failed, and whose error the net has caught, are still on top.
        while len(self._running) > 1 and self._running.pop()[0] is not module:
            pass

    def _hook(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, args: Any, output: Any) -> None:
            if self._receive is not None:
                self._hand_over(name, output)

        return hook

    def _functional(self, function: str, activation: Tensor) -> None:
        """Pass on a functional activation, if it counts; a callable has no module that it could be named after."""
        module = self._running[-1][0]
        if self._receive is None or module is None or is_activation_itself(module):
            return
        name = function if module is self.module else f"{self._callers[module]}.{function}"
        if name in self._names:
            name += "()"
        self._calls[name] += 1
        label = name if self._calls[name] == 1 else f"{name}:{self._calls[name]}"
        if self._takes(name, label, activation, is_part=False, is_leaf=True):
            self._has_functional = True
            self._receive(label, activation)

    def _hand_over(self, name: str | None, output: Any) -> None:
        """Pass on the parts that count of what module `name`, or a callable (None), has returned."""
        assert self._receive is not None
        prefix: tuple[str, ...] = ()
        if name is not None:
            self._calls[name] += 1
            prefix = (name if self._calls[name] == 1 else f"{name}:{self._calls[name]}",)
        parts = [(".".join((*prefix, *path)) or OUTPUT, bool(prefix and path), f) for path, f in floating_parts(output)]
        passed = [label for label, is_part, f in parts if self._takes(name or label, label, f, is_part)]
        if not passed and name is not None and self._selection.asks(name):
            if not parts:
                raise bad_type("layers", name, f"returns no floating tensor but {describe(output)}", "name others")
            passed = [parts[0][0]]
        for label, _, f in parts:
            if label in passed:
                self._receive(label, f)

    def _takes(self, name: str, label: str, activation: Tensor, is_part: bool, is_leaf: bool | None = None) -> bool:
        is_leaf = not self._running[-1][1] if is_leaf is None else is_leaf
        if self._taken is not None:
            # One that the first pass has not met is passed on all the same: whoever receives it can tell.
            known = self._taken.get(label)
            return self._selection.takes(name, label, is_leaf) if known is None else known
        if label in self._seen:
            raise bad_value("layers", label, "is the name of two activations of this net", "rename one of the modules")
        taken = self._selection.takes(name, label, is_leaf)
        named = self._selection.asks(label) or (self._selection.asks(name) and not is_part)
        has_rows = _has_rows(activation, self._rows) and label not in (self._without_rows or ())
        if taken and not named and not has_rows:
            taken = False
            if not is_part:
                self.skipped.setdefault(label, tuple(activation.shape))
        self._seen[label] = taken
        return taken


def _blocks(net: nn.Module) -> list[str]:
    """Names of the children of a net; in the place of a list or dictionary of modules, which never runs, its own."""
    found = []
    for name, child in net.named_children():
        if isinstance(child, nn.ModuleList | nn.ModuleDict):
            found += [f"{name}.{inner}" for inner in _blocks(child)]
        else:
            found.append(name)
    return found


def skipped_text(skipped: Mapping[str, tuple[int, ...]], most: int = 8) -> str:
    """The layers without a row for each image, in words; "" for none."""
    shown = ", ".join(f"{label} {shape}" for label, shape in list(skipped.items())[:most])
    more = f" and {len(skipped) - most} more" if len(skipped) > most else ""
    return f"no row for each image, so they are left out: {shown}{more}" if skipped else ""


def warn_of_skipped(skipped: Mapping[str, tuple[int, ...]], *, stacklevel: int = 2) -> None:
    """Warn of layers that were left out, `stacklevel` frames up as `warnings.warn` counts from here."""
    if skipped:
        warnings.warn(skipped_text(skipped), RuntimeWarning, stacklevel=stacklevel + 1)


def _check_ready(net: nn.Module) -> None:
    for name, module in net.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            text = "is TorchScript, whose modules run in one piece and cannot be read"
            way_out = "give the net that it was made from, or lambda x: net(x) to measure its output alone"
            raise bad_value("net", name or type(module).__name__, text, way_out)
    for name, parameter in net.named_parameters():
        if is_lazy(parameter):
            raise bad_value("net", name, "is a parameter without a shape yet", "run the net on one image first")


def _has_rows(output: Tensor, rows: int) -> bool:
    return output.ndim >= 1 and output.shape[0] == rows


def _check_rows(label: str, output: Tensor, rows: int) -> None:
    if not _has_rows(output, rows):
        raise bad_value(
            "layers",
            label,
            f"returned shape {tuple(output.shape)} for {rows} images: the first axis must be the image",
            "name the layers to measure, without this one",
        )


def floating_parts(output: Any) -> Iterator[tuple[tuple[str, ...], Tensor]]:
    """The floating tensors in nested tuples, lists, mappings and dataclasses, each with its path from outside in.

    Named tuples and dataclasses go by their fields, other sequences by position. A bare tensor has an empty path.
    """
    if isinstance(output, Tensor):
        if output.is_floating_point():
            yield (), output
        return
    for key, value in _entries(output):
        for path, tensor in floating_parts(value):
            yield (key, *path), tensor


def describe(output: object) -> str:
    """A word on an output that holds no floating tensor."""
    return f"a tensor of {output.dtype}" if isinstance(output, Tensor) else f"a {type(output).__name__}"


def _entries(output: Any) -> list[tuple[str, Any]]:
    if isinstance(output, Mapping):
        return [(str(key), value) for key, value in output.items()]
    if isinstance(output, tuple) and hasattr(output, "_fields"):
        return list(zip(output._fields, output, strict=True))
    if isinstance(output, tuple | list):
        return [(str(index), value) for index, value in enumerate(output)]
    if is_dataclass(output):
        return [(field.name, getattr(output, field.name)) for field in fields(output)]
    return []
