"""Damaged files of results are refused at load by one sentence that names the path."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scaledetect as sd
from scaledetect._base.arguments import LARGEST
from scaledetect._base.errors import RefusalError
from scaledetect.results import BlockSums, read_file
from scaledetect.results.read_file import _layer_sums
from scaledetect.results.sketch import fold
from scaledetect.results.storage import plain_config

Change = Callable[[dict[str, Any]], object]


def result() -> sd.Sensitivities:
    """One with every kind of field, made up."""
    rng = np.random.default_rng(0)
    block = {name: rng.random((2, 1)) for name in ("deformed", "noisy", "squares")}
    counts = np.full((2, 1), 5)
    sums = BlockSums(
        **block, totals=rng.random((1, 4)), sketches=rng.random((2, 1, 4)), reference=rng.random(4), counts=counts,
        deformed_events=3, noisy_events=4, eps=1e-7,
    )  # fmt: skip
    curves = {name: rng.random(2) for name in ("D", "G", "R", "Delta")}
    return sd.Sensitivities(
        layers=("one", "two"), **curves, **{f"{name}_stderr": rng.random(2) for name in curves}, sigma=math.nan,
        kind="measured", D_events=np.array([1, -1]), G_events=np.array([0, 2]), n=10, n_blocks=2,
        config={"x": [1, "y"]}, deviations={name: rng.random((2, 2)) for name in curves},
        sums={"one": sums, "two": sums},
    )  # fmt: skip


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("stored")
    result().save(folder / "s.npz")
    dataclasses.replace(result(), sums=None).save(folder / "s.json")
    return {path.suffix: path.read_bytes() for path in folder.iterdir()}


def refused(path: Path) -> str:
    with pytest.raises(RefusalError) as caught:
        sd.Sensitivities.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_was_made_up_is_read_back(stored: dict[str, bytes], tmp_path: Path) -> None:
    for suffix, data in stored.items():
        (tmp_path / f"s{suffix}").write_bytes(data)
        found = sd.Sensitivities.load(tmp_path / f"s{suffix}")
        assert (found.layers, found.n, found.n_blocks, found.config) == (("one", "two"), 10, 2, {"x": [1, "y"]})
        assert math.isnan(found.sigma)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda data: data.pop("layers"), "it lacks ['layers']"),
        (lambda data: data.pop("sigma"), "it lacks ['sigma']"),
        (lambda data: data.pop("arrays"), ""),
        (lambda data: data.pop("has_deviations"), "it lacks ['has_deviations']"),
        (lambda data: data.pop("A"), "it lacks ['A']"),
        (lambda data: data.update(extra=1), "has ['extra']"),
        (lambda data: data.update(layers="ab"), "layers are no names"),
        (lambda data: data.update(layers=[1, 2]), "layers are no names"),
        (lambda data: data.update(layers=["one"]), "D is float64 of shape (2,)"),
        (lambda data: data.update(kind="guessed"), "of kind 'guessed'"),
        (lambda data: data.update(kind=["measured"]), "of kind ['measured']"),
        (lambda data: data.update(sigma="1"), "sigma is '1'"),
        (lambda data: data.update(sigma=True), "sigma is True"),
        (lambda data: data.update(sigma=-1.0), "sigma is -1.0"),
        (lambda data: data.update(sigma=10**400), "too large"),
        (lambda data: data.update(sigma={"float": "x"}), ""),
        (lambda data: data.update(n=-1), "n is no number"),
        (lambda data: data.update(n=1.5), "n is no number"),
        (lambda data: data.update(n=10**400), "n is no number"),
        (lambda data: data.update(n_blocks=3), "of shape (2, 2)"),
        (lambda data: data.update(n_blocks=False), "n_blocks is no number"),
        (lambda data: data.update(config=[]), "config is no object"),
        (lambda data: data.update(has_deviations=1), "has_deviations is neither"),
        (lambda data: data.update(has_deviations=False), "it has the arrays ['deviations/D'"),
        (lambda data: data.update(A=1.0), "are no arrays"),
        (lambda data: data.update(sums=3), "sums have no names"),
        (lambda data: data.update(sums=["one"]), "sums/0/"),
        (lambda data: data.update(arrays=[]), ""),
        (lambda data: data["arrays"].pop("D"), ""),
        (lambda data: data["arrays"].pop("deviations/D"), ""),
        (lambda data: data["arrays"].update(D=["float64", [1.0]]), "of shape (1,)"),
        (lambda data: data["arrays"].update(D=["float64", [[1.0, 2.0]]]), "of shape (1, 2)"),
        (lambda data: data["arrays"].update(D=["float64", ["a", "b"]]), "an array of <U1"),
        (lambda data: data["arrays"].update(D=["float64", [None, 1.0]]), "an array of object"),
        (lambda data: data["arrays"].update(D=["object", [1.0, 2.0]]), "an array of 'object'"),
        (lambda data: data["arrays"].update(D=["complex128", [1.0, 2.0]]), "an array of 'complex128'"),
        (lambda data: data["arrays"].update(D=["int64", [1, 2]]), "D is int64"),
        (lambda data: data["arrays"].update(D=[1.0, 2.0]), ""),
        (lambda data: data["arrays"].update(D=["float64", [[1.0], [1.0, 2.0]]]), ""),
        (lambda data: data["arrays"].update(D_stderr=["float64", [-1.0, 1.0]]), "D_stderr is negative"),
        (lambda data: data["arrays"].update(D_events=["int64", [-2, 1]]), "D_events is below -1"),
        (lambda data: data["arrays"].update(D_events=["int64", [1.5, 1]]), "an array of float64"),
        (lambda data: data["arrays"].update(more=["float64", [1.0]]), "it has the arrays ['more'] beside"),
        (lambda data: data.update(format="scaledetect.Sensitivities/2"), "is not in the format"),
    ],
)
def test_a_field_that_is_not_what_it_must_be_is_refused(
    change: Change, why: str, stored: dict[str, bytes], tmp_path: Path
) -> None:
    data = json.loads(stored[".json"])
    change(data)
    (tmp_path / "s.json").write_text(json.dumps(data))
    assert why in refused(tmp_path / "s.json")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff\xfe", b"[" * 100_000, b"[1, 2]", b"1" + b"0" * 5000, b'{"format": NaN}', b"null", b'"text"',
        b'{"float": "nan"}',
    ],
)  # fmt: skip
def test_a_text_that_is_no_result_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "s.json").write_bytes(content)
    refused(tmp_path / "s.json")


def test_no_damage_to_a_file_gives_another_error(stored: dict[str, bytes], tmp_path: Path) -> None:
    rng, kept = random.Random(0), 0
    for number in range(150):
        suffix = (".npz", ".json")[number % 2]
        data = bytearray(stored[suffix])
        if number % 5 == 0:
            del data[rng.randrange(len(data)) :]
        for _ in range(rng.randrange(1, 4)):
            if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
        path = tmp_path / f"s{suffix}"
        path.write_bytes(data)
        try:
            found = sd.Sensitivities.load(path)
        except RefusalError:
            continue
        kept += 1  # a digit of a number or a letter of a name was changed: a whole result all the same
        found.to_frame()
        assert found.D.shape == (len(found.layers),)
    assert kept < 75


def npz(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return path


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


WITHOUT_SKETCHES: dict[str, bytes | None] = {"sums/0/totals": None, "sums/0/sketches": None}
"""Changes that leave room for the vectors of each block, as older files hold them."""


def members_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}


def test_the_ends_of_what_a_field_may_be_are_read_back(stored: dict[str, bytes], tmp_path: Path) -> None:
    data = json.loads(stored[".json"])
    data.update(sigma=0.0, n=0)
    data["arrays"].update(D_stderr=["float64", [0.0, 1.0]], G_events=["int64", [-1, 0]])
    path = tmp_path / "s.json"
    path.write_text(json.dumps(data))
    found = sd.Sensitivities.load(path)
    assert (found.sigma, found.n, found.D_stderr.tolist()) == (0.0, 0, [0.0, 1.0])
    assert found.G_events is not None
    assert found.G_events.tolist() == [-1, 0]
    path.write_text(json.dumps(data | {"n": LARGEST}))
    assert sd.Sensitivities.load(path).n == LARGEST
    path.write_text(json.dumps(data | {"n": LARGEST + 1}))
    assert "n is no number of draws" in refused(path)


def test_arrays_in_both_versions_of_the_format_are_read(stored: dict[str, bytes], tmp_path: Path) -> None:
    members = members_of(stored[".npz"])
    for version in ((1, 0), (2, 0)):
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, np.array([1.5, 2.5]), version=version)
        path = npz(tmp_path / "s.npz", members | {"D": buffer.getvalue()})
        assert sd.Sensitivities.load(path).D.tolist() == [1.5, 2.5]
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.array([1.5, 2.5]), version=(3, 0))
    assert "an array of version (3, 0)" in refused(npz(tmp_path / "t.npz", members | {"D": buffer.getvalue()}))


def test_an_archive_that_unpacks_to_more_than_its_file_is_refused_first(
    stored: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = members_of(stored[".npz"])
    assert sd.Sensitivities.load(npz(tmp_path / "same.npz", members)).n == 10
    bomb = npz(tmp_path / "bomb.npz", members | {"D": npy(np.zeros(2_000_000))}, zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 100_000

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a member was opened")

    monkeypatch.setattr(zipfile.ZipFile, "open", never)
    assert "it unpacks to 16" in refused(bomb)


def test_a_header_that_promises_more_than_there_is_allocates_nothing(stored: dict[str, bytes], tmp_path: Path) -> None:
    members = members_of(stored[".npz"])
    longer = npy(np.zeros(2)).replace(b"(2,), }          ", b"(20000000000,), }")
    assert b"20000000000" in longer
    assert "bytes, not 160000000" in refused(npz(tmp_path / "s.npz", members | {"D": longer}))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"D": npy(np.array([object(), None], dtype=object))}, "D.npy holds objects"),
        ({"D": npy(np.zeros(2, dtype=np.float32))}, "D is float32 of shape (2,)"),
        ({"D": npy(np.zeros((2, 1)))}, "D is float64 of shape (2, 1)"),
        ({"D": b"no array"}, "magic string is not correct"),
        ({"D": b""}, "EOF"),
        ({"meta": npy(np.array(5))}, "its description is no text"),
        ({"meta": npy(np.array(["{}"]))}, "its description is no text"),
        ({"meta": npy(np.array("{"))}, "Expecting property name"),
        ({"sums/0/counts": npy(np.array("a"))}, "sums/0/deformed is of shape (2, 1)"),
        ({"sums/0/counts": npy(np.full((2, 1), 5, dtype=np.int32))}, "sums/0/counts is int32"),
        ({"sums/0/sketches": npy(np.zeros((3, 1, 4)))}, "sums/0/sketches is of shape (3, 1, 4)"),
        ({"sums/0/totals": npy(np.zeros((1, 5)))}, "sums/0/totals is of shape (1, 5)"),
        ({"sums/0/squares": npy(np.zeros((2, 2)))}, "sums/0/squares is of shape (2, 2)"),
        ({"sums/0/vectors": npy(np.zeros((2, 1, 4)))}, "sums/0/vectors and totals"),
        ({"sums/0/vectors": npy(np.zeros((2, 1, 4))), "sums/0/totals": None}, "sums/0/vectors and totals"),
        ({"sums/0/vectors": npy(np.zeros((3, 1, 4))), **WITHOUT_SKETCHES}, "sums/0/vectors is of shape (3, 1, 4)"),
        ({"sums/0/vectors": npy(np.zeros((2, 1, 4), np.float32)), **WITHOUT_SKETCHES}, "sums/0/vectors is float32"),
        ({"sums/0/vectors": npy(np.zeros((2, 4))), **WITHOUT_SKETCHES}, "sums/0/vectors is float64"),
        ({"sums/0/eps": None}, "sums/0/eps"),
        ({"sums/2/eps": npy(np.zeros(()))}, "it has the arrays ['sums/2/eps'] beside"),
        ({"deviations/D": npy(np.zeros((3, 2)))}, "D is float64 of shape (3, 2)"),
        ({"meta": None}, "is not in the format"),
    ],
)
def test_a_member_that_is_not_what_it_must_be_is_refused(
    changed: dict[str, bytes | None], why: str, stored: dict[str, bytes], tmp_path: Path
) -> None:
    members = {**members_of(stored[".npz"]), **changed}
    found = refused(npz(tmp_path / "s.npz", {name: data for name, data in members.items() if data is not None}))
    assert why in found


def test_a_name_that_stands_twice_and_a_folder_are_refused(stored: dict[str, bytes], tmp_path: Path) -> None:
    path = npz(tmp_path / "s.npz", members_of(stored[".npz"]))
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("D.npy", npy(np.zeros(2)))
    assert "a name stands twice" in refused(path)
    (tmp_path / "t.npz").mkdir()
    assert "no regular file" in refused(tmp_path / "t.npz")
    np.save(tmp_path / "u.npy", np.zeros(3))
    (tmp_path / "u.npy").rename(tmp_path / "u.npz")
    refused(tmp_path / "u.npz")


def test_vectors_of_each_block_become_sketches_as_long_as_new_ones() -> None:
    """Wide layers of files from before there were sketches: 100 sums share 65,536 numbers."""
    vectors = np.random.default_rng(0).normal(size=(50, 2, 2000))
    arrays = {f"s/{field.name}": np.zeros(()) for field in dataclasses.fields(BlockSums)}
    arrays |= {f"s/{name}": np.ones((50, 2)) for name in ("deformed", "noisy", "squares", "counts")}
    del arrays["s/totals"], arrays["s/sketches"]
    sums = _layer_sums("s/", arrays | {"s/vectors": vectors, "s/reference": np.zeros(2000)}, 50)
    assert sums.sketches.shape == (50, 2, 655)
    np.testing.assert_allclose(sums.sketches, fold(vectors, 655))
    np.testing.assert_allclose(sums.totals, vectors.sum(axis=0))
    with pytest.raises(ValueError, match="vectors is of shape"):
        _layer_sums("s/", arrays | {"s/vectors": vectors[:49], "s/reference": np.zeros(2000)}, 50)
    for bad in (vectors.astype(np.float32), vectors[0]):
        with pytest.raises(ValueError, match="vectors is float"):
            _layer_sums("s/", arrays | {"s/vectors": bad, "s/reference": np.zeros(2000)}, 50)


def test_a_configuration_is_what_comes_back_from_a_file() -> None:
    config = {"tuple": (1, (2.5,)), "array": np.arange(2), 3: np.float64(0.5), "text": "ab", "none": None}
    assert plain_config(config) == {"tuple": [1, [2.5]], "array": [0, 1], "3": 0.5, "text": "ab", "none": None}


def test_what_a_reader_says_is_told_up_to_200_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(path: Path) -> None:
        raise OSError("x" * 300)

    monkeypatch.setattr(read_file, "_from_json", fails)
    with pytest.raises(RefusalError, match=r"\(x{200}\)"):
        sd.Sensitivities.load(tmp_path / "s.json")
