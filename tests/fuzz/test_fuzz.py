"""Two thousand malformed inputs: none raises anything but a refusal that names what is wrong."""

from __future__ import annotations

import inspect
import os
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import scaledetect as sd
from fuzz.functions import EXEMPT, FACES, FUNCTIONS
from fuzz.mutations import damaged_bytes, damaged_text, damaged_tree
from fuzz.run import SLOW, TARGETS, run_case
from fuzz.values import changed
from scaledetect._base.errors import RefusalError
from scaledetect.task.cards import Card

CASES = 1700
EXAMPLES = 100
QUICK = tuple(target for target in TARGETS if target.partition("/")[2] not in SLOW and "commands" not in target)
NUMBERS = st.one_of(st.integers(), st.floats(), st.booleans(), st.none(), st.text(max_size=3))


@pytest.fixture
def back_again() -> Iterator[None]:
    """Cases go into a folder of their own."""
    before = Path.cwd()
    yield
    os.chdir(before)


@pytest.mark.usefixtures("back_again")
def test_every_case_works_or_is_refused() -> None:
    found: Counter[str] = Counter()
    for i in range(CASES):
        target = QUICK[i % len(QUICK)]
        outcome = run_case(target, i)
        assert outcome.kind != "violation", f"python -m fuzz {target!r} {i}: {outcome.why}"
        found[outcome.kind] += 1
    assert found["works"] >= CASES / 10
    assert found["refused"] >= CASES / 10


@settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None)
@given(
    fields=st.fixed_dictionaries(
        {"size": st.integers(-2, 40) | NUMBERS, "xi": st.sampled_from((1.5, 2, 2.5, 3, 5, 8)) | NUMBERS},
        optional={
            "dim": st.integers(0, 4),
            "gap": st.sampled_from((0, 0.5, 1)) | NUMBERS,
            "labelling": st.sampled_from(("distance", "block")) | NUMBERS,
            "norm": st.sampled_from(("l1", "l2", "linf")) | NUMBERS,
            "periodic": st.booleans() | NUMBERS,
            "amplitude": st.sampled_from(("norm", "mean", 1.0)) | NUMBERS,
            "balance": st.sampled_from(("equal", "natural")) | NUMBERS,
        },
    )
)
def test_a_task_is_sound_or_refused(fields: dict[str, Any]) -> None:
    try:
        task = sd.Task(**fields)
    except RefusalError as error:
        assert any(f"{name}=" in str(error) for name in ("dim", "labelling", *fields, *sd.Task.__dataclass_fields__))
        return
    assert 1 <= min(task.n_near, task.n_far) <= max(task.n_near, task.n_far) < 2**63
    pairs, y = sd.sample_pairs(task, 2)
    assert (pairs.min() >= 0, pairs.max() < task.size, y.tolist()[0]) == (True, True, y[0])


@settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    data=st.recursive(
        NUMBERS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner), max_leaves=6
    ),
    where=st.sampled_from(("name", "version", "kind", "digest", "task", "budgets", "seeds", "nets")),
)
def test_a_card_is_sound_or_refused(tmp_path: Path, root: Path, data: Any, where: str) -> None:
    table = tomllib.loads((root / "tasks/block-2d-L16-xi8.toml").read_text())
    path = tmp_path / f"{table['name']}.toml"
    path.write_text(as_toml(table | {where: data}), encoding="utf-8")
    try:
        assert isinstance(sd.load_card(str(path)), Card)
    except RefusalError as error:
        assert str(path) in str(error)


def as_toml(value: Any, top: bool = True) -> str:
    """Plain data in TOML; what it cannot say, as a text."""
    if isinstance(value, dict):
        pairs = [f"{as_toml(str(key), False)} = {as_toml(entry, False)}" for key, entry in value.items()]
        return "\n".join(pairs) if top else "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(as_toml(entry, False) for entry in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    plain = set("abcdefghijklmnopqrstuvwxyz0123456789-_. ")
    return '"' + "".join(c if c in plain else f"\\U{ord(c):08x}" for c in str(value)) + '"'


def public_names(face: ModuleType) -> Iterator[str]:
    for name in face.__all__:
        if callable(getattr(face, name)) and not isinstance(getattr(face, name), ModuleType):
            yield name


def test_every_public_function_is_tried() -> None:
    exempt = {name for names in EXEMPT.values() for name in names}
    tried = {name.rpartition(".")[2].split(" ")[0] for name in FUNCTIONS} | {"Sensitivities"}
    missing = [name for face in FACES for name in public_names(face) if name not in tried | exempt]
    assert missing == []


def test_arguments_are_names_of_parameters() -> None:
    for name, (function, arguments) in FUNCTIONS.items():
        parameters = inspect.signature(function).parameters
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            assert set(arguments) <= set(parameters), name


def test_values_of_any_size_are_changed() -> None:
    for value in (3, -(10**400), 10**5000):
        for seed in range(200):
            changed(value, Random(seed))


def test_damage_is_repeatable_and_is_damage() -> None:
    data = b"one = 1\ntwo = [2, 3]\n"
    for damage in (damaged_bytes, damaged_text):
        changed = [damage(data, Random(seed)) for seed in range(50)]
        assert changed == [damage(data, Random(seed)) for seed in range(50)]
        assert sum(one != data for one in changed) > 40
    tree = {"a": [1, {"b": 2.0}], "c": "text"}
    assert sum(damaged_tree(tree, Random(seed)) != tree for seed in range(50)) > 35
    assert tree == {"a": [1, {"b": 2.0}], "c": "text"}
