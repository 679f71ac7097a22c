"""Agreement of two records: one net on two processors is consistent, and no forgery is."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.record_samples import ELSEWHERE, sample_record, sample_scores

from scaledetect.leaderboard.records import Environment, Record, read_record, unique_records, write_record
from scaledetect.leaderboard.records.agreement import _joint_errors, agreement

MEASURED = {"D": 0.5, "D_stderr": 0.02, "G": 0.25, "G_stderr": 0.01, "R": 2.0, "R_stderr": 0.1}
SILENT = Environment(versions={"python": "3.11.0"}, system="Linux", machine="x86_64", cpu="AMD EPYC", threads=1)
OTHER = ELSEWHERE.model_copy(update={"instructions": {"torch": "AVX512"}})


def net(n_wrong: int = 64, environment: Environment = ELSEWHERE, **changes: Any) -> Record:
    scores = sample_scores(n_wrong, **(MEASURED | {"train_error": 0.0, "validation_error": 0.25} | changes))
    return sample_record(scores, exact=False, environment=environment)


def test_joint_errors_are_four_at_most() -> None:
    # 0 of 256 against n: the joint error is about sqrt((1 + n) / 256^2) for small n.
    kinds = [agreement(net(0), net(n, OTHER))[0] for n in range(40)]
    assert kinds[0] == "verified"
    last = max(n for n, kind in enumerate(kinds) if kind == "consistent")
    assert kinds[1 : last + 1] == ["consistent"] * last
    assert set(kinds[last + 1 :]) == {"differs"}
    assert 16 <= last <= 20
    n = last + 1
    z = (n / 256) / math.sqrt(((1 / 258) * (257 / 258) + ((n + 1) / 258) * ((257 - n) / 258)) / 256)
    assert agreement(net(0), net(n, OTHER))[1].endswith(f"in a rerun {n / 256:.4f}: {z:.1f} joint errors")


@pytest.mark.parametrize("environment", [ELSEWHERE, OTHER, SILENT])
def test_sums_in_another_order_are_consistent(environment: Environment) -> None:
    """D moved by a thousandth of its standard error, all decisions equal: as oneDNN does on other processors."""
    kind, why = agreement(net(), net(environment=environment, D=0.50002, G_stderr=0.0100001))
    assert (kind, why) == ("consistent", "equal decisions; D, G and R at most 0.001 of their standard errors apart")


@pytest.mark.parametrize(
    "changes",
    [
        {"D": 0.50021}, {"G": 0.2502}, {"R": 1.99}, {"D_stderr": 0.0205}, {"D_stderr": 2000.0}, {"G": None},
        {"train_error": 0.03125}, {"validation_error": 0.0}, {"n_wrong": 65},
    ],
)  # fmt: skip
def test_on_one_machine_nothing_more_may_move(changes: dict[str, Any]) -> None:
    kind, why = agreement(net(), net(**changes))
    assert (kind, why.startswith("on the same processor, versions and threads a rerun gives ")) == ("differs", True)
    assert all(f"{name} {value} in place of" in why for name, value in changes.items())


def test_the_tolerance_is_that_asked_for() -> None:
    moved = net(D=0.5015)  # 0.075 standard errors
    assert [agreement(net(), moved, tolerance)[0] for tolerance in (0.0, 0.074, 0.076)] == [
        "differs", "differs", "consistent",
    ]  # fmt: skip
    assert agreement(net(D_stderr=0.0), net(D_stderr=0.0, D=0.6))[0] == "differs"
    assert agreement(net(D_stderr=0.0), net(D_stderr=0.0, G=0.25 + 1e-9))[0] == "consistent"


def test_elsewhere_a_net_that_decides_alike_responds_alike() -> None:
    assert agreement(net(), net(environment=OTHER, D=0.579))[0] == "consistent"
    kind, why = agreement(net(), net(environment=OTHER, D=0.581))
    assert (kind, why) == ("differs", "equal decisions, but a rerun gives D 0.581 in place of 0.5")
    four = net(D=1.0, D_stderr=0.25), net(environment=OTHER, D=2.0, D_stderr=0.25)
    assert agreement(*four)[0] == "consistent"


def test_distances_are_in_the_larger_of_two_standard_errors() -> None:
    """To the tolerance itself; where both are 0, and that is no distance of none, in nothing."""
    assert agreement(net(D=1.0, D_stderr=0.25), net(D=1.25, D_stderr=0.25), 1.0)[0] == "consistent"
    pair = net(D_stderr=0.02), net(D=0.52, D_stderr=0.0)
    for one, two in (pair, pair[::-1]):
        assert agreement(one, two, 1.5)[0] == "consistent"
    assert agreement(net(D_stderr=0.0), net(D_stderr=0.0, D=0.5 + 1e-6))[0] == "differs"


def test_the_joint_error_of_two_test_errors() -> None:
    """Binomial, of (n_wrong + 1) / (n_test + 2): 1 of 4 beside 3 of 4 have 1/3 and 2/3."""
    one, two = (sample_record(sample_scores(n, 4)).scores for n in (1, 3))
    assert one is not None and two is not None
    assert _joint_errors(one, two) == pytest.approx(0.5 / math.sqrt(2 * (1 / 3) * (2 / 3) / 4), rel=1e-12)


def test_processors_of_one_name_are_alike_only_where_their_instructions_are_named() -> None:
    assert agreement(net(environment=SILENT), net(65, SILENT)) == (
        "consistent",
        "test_error 0.2500, in a rerun 0.2539: 0.1 joint errors; elsewhere: neither names its instruction sets",
    )
    kind, why = agreement(net(), net(65, OTHER))
    assert (kind, why.endswith("elsewhere: instructions: torch AVX2, torch AVX512")) == ("consistent", True)
    one, two = (ELSEWHERE.model_copy(update={"library_threads": {"torch": n}}) for n in (1, 2))
    assert one.differences(two) == ["library threads: torch 1, torch 2"]


def test_a_library_that_one_run_did_without_sets_nothing_apart() -> None:
    more = ELSEWHERE.model_copy(
        update={
            "instructions": {**ELSEWHERE.instructions, "openblas 0.3": "Zen"},
            "library_threads": {**ELSEWHERE.library_threads, "openblas 0.3": 1},
        }
    )
    assert ELSEWHERE.differences(more) == more.differences(ELSEWHERE) == []
    limited = more.model_copy(update={"instructions": {**more.instructions, "OPENBLAS_CORETYPE": "Haswell"}})
    assert len(ELSEWHERE.differences(limited)) == 1


def test_a_run_says_on_which_instructions_and_threads() -> None:
    import torch

    here = Environment.here(1)
    assert here.says_all
    assert here.instructions["torch"] == torch.backends.cpu.get_cpu_capability()
    assert here.library_threads["torch"] == torch.get_num_threads()
    assert any(name.startswith(("openblas", "mkl")) for name in here.library_threads)


def test_instruction_sets_are_those_that_numpy_and_torch_report() -> None:
    found = Environment.here(1).instructions
    reported: Any = np.show_config(mode="dicts")
    sets = reported["SIMD Extensions"]
    assert set(found["numpy"].split()) == {*sets["baseline"], *sets.get("found", [])} | (
        {"none"} if not sets else set()
    )
    if not hasattr(torch.cpu, "get_capabilities"):
        assert "processor" not in found
        return
    has = torch.cpu.get_capabilities()
    named = set(found["processor"].split()) - {"none"}
    assert named <= {name for name, value in has.items() if value is True}
    assert all(name in named for name in ("avx", "avx2", "neon") if has.get(name) is True)


def test_a_torch_that_does_not_know_the_processor_says_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = Environment.here(1)
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    without = Environment.here(1)
    assert without.instructions == {name: value for name, value in with_it.instructions.items() if name != "processor"}
    assert without.says_all


def test_limits_set_in_the_system_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    before = Environment.here(1)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    (difference,) = before.differences(Environment.here(1))
    assert (difference.count("ONEDNN_MAX_CPU_ISA AVX2"), before.instructions.get("ONEDNN_MAX_CPU_ISA")) == (1, None)


def test_a_record_of_before_keeps_its_hash_when_it_is_merged(tmp_path: Path) -> None:
    """Fields that came later are not written where they were not recorded."""
    path = write_record(tmp_path / "old", net(environment=SILENT))
    assert set(json.loads(path.read_text())["environment"]) == {
        "versions", "system", "machine", "cpu", "threads", "accelerator",
    }  # fmt: skip
    old = read_record(path)
    assert read_record(write_record(tmp_path / "new", old)) == old
    assert read_record(write_record(tmp_path / "here", net(environment=Environment.here(1)))).environment.says_all


def test_merge_takes_a_net_on_two_processors_for_no_conflict(tmp_path: Path) -> None:
    for folder, record in (("a", net()), ("b", net(D=0.50002)), ("c", net(65))):
        write_record(tmp_path / folder, record)
    assert unique_records([tmp_path / "a", tmp_path / "b"]).conflicts == ()
    (conflict,) = unique_records([tmp_path / "a", tmp_path / "c"]).conflicts
    assert conflict.difference.startswith("n_wrong 64 and 65")
