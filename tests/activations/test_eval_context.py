"""A measured net is left exactly as it was found."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import scaledetect as sd
from scaledetect.sensitivity import sensitivities

TASK = sd.Task(size=16, xi=4)


class Meddler(nn.Module):
    """Counts its calls in a buffer, draws random numbers, and fails when told to."""

    calls: Tensor

    def __init__(self, fail_after: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 2, 3, padding=1)
        self.norm = nn.BatchNorm1d(2)
        self.drop = nn.Dropout(0.5)
        self.register_buffer("calls", torch.zeros(()))
        self.fail_after, self.seen = fail_after, 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.seen += 1
        if self.seen > self.fail_after:
            raise RuntimeError("out of order")
        y: Tensor = self.drop(self.norm(self.conv(x)))
        return y + 0 * torch.rand(1, dtype=x.dtype)


def state(net: nn.Module) -> dict[str, Any]:
    tensors = {**dict(net.named_parameters()), **dict(net.named_buffers())}
    return {
        "modes": [module.training for module in net.modules()],
        "hooks": [list(module._forward_hooks) for module in net.modules()],
        "tensors": {name: (id(t), t.data_ptr(), t.dtype, t.requires_grad) for name, t in tensors.items()},
        "values": {name: t.tolist() for name, t in tensors.items()},
        "gradients": {name: (id(p.grad), None if p.grad is None else p.grad.tolist()) for name, p in tensors.items()},
        "random": torch.get_rng_state().tolist(),
        "grad_mode": torch.is_grad_enabled(),
    }


@pytest.mark.parametrize("fail_after", [10**6, 0, 1, 2, 3])
@pytest.mark.parametrize("move", [{}, {"dtype": torch.float32}, {"dtype": torch.float64}, {"device": "cpu"}], ids=str)
def test_left_as_found_also_when_it_raises(fail_after: int, move: dict[str, Any]) -> None:
    net = Meddler(fail_after).double()
    net.train()
    net.norm.eval()
    heard: list[int] = []
    net.conv.register_forward_hook(lambda *_: heard.append(1))
    with torch.enable_grad():
        net.conv(torch.rand(2, 1, 16, dtype=torch.float64)).sum().backward()
    before = state(net)
    if fail_after > 10:
        sensitivities(net, TASK, 100, batch_size=20, **move)
        assert len(heard) > 1, "the net's own hooks run"
    else:
        with pytest.raises(RuntimeError, match="out of order"):
            sensitivities(net, TASK, 100, batch_size=20, **move)
    assert state(net) == before


def test_a_coarser_type_loses_nothing() -> None:
    net = nn.Conv1d(1, 1, 1).double()
    with torch.no_grad():
        net.weight.fill_(1 / 3)
    sensitivities(net, TASK, 100, dtype=torch.float32)
    assert net.weight.item() == 1 / 3


def test_a_graph_through_the_net_stays_valid() -> None:
    net = Meddler(10**6).eval()
    loss = net(torch.rand(2, 1, 16)).sum()
    sensitivities(net, TASK, 100)
    loss.backward()
    assert net.conv.weight.grad is not None


def test_measured_in_eval_mode() -> None:
    net = Meddler(10**6).train()
    measured = sensitivities(net, TASK, 100, layers=["norm", "drop"])
    assert measured.D[0] == measured.D[1], "dropout is off"


def test_a_random_net_draws_the_same_numbers_each_time() -> None:
    class Random(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + torch.randn_like(x)

    one, other = (sensitivities(Random(), TASK, 100) for _ in range(2))
    assert one.D.tolist() == other.D.tolist()


@pytest.mark.parametrize("fails", [False, True])
def test_torch_and_compiled_modules_get_back_their_settings(fails: bool) -> None:
    compiled: Any = torch.compile(nn.ReLU(), backend="eager")
    net = nn.Sequential(compiled, Meddler(0 if fails else 10**6))
    net[1].compile(backend="eager")
    modules, call = dict(net._modules), net[1]._compiled_call_impl
    assert torch.backends.mha.get_fastpath_enabled()
    if fails:
        with pytest.raises(RuntimeError, match="out of order"):
            sensitivities(net, TASK, 100)
    else:
        assert sensitivities(net, TASK, 100).layers == ("0", "1.conv", "1.norm", "1.drop", "output")
    assert torch.backends.mha.get_fastpath_enabled()
    assert dict(net._modules) == modules
    assert net[1]._compiled_call_impl is call
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in net.modules())


def test_hooks_that_change_an_output_are_heard_first() -> None:
    net = nn.Sequential(nn.Identity())
    net[0].register_forward_hook(lambda module, args, output: output * 2)
    doubled, plain = sensitivities(net, TASK, 100), sensitivities(nn.Identity(), TASK, 100)
    assert doubled.Delta.tolist() == pytest.approx([4 * plain.Delta[0]] * 2, rel=1e-6)
    assert len(net[0]._forward_hooks) == 1
