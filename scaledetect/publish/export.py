"""Export of a card's data: a folder with one file a split, a datasheet, and the metadata of its format."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np

from scaledetect._base.arguments import one_of
from scaledetect._base.errors import InvalidValueError, bad_value
from scaledetect._base.files import checked_path, make_folder, write_json
from scaledetect._base.versions import __version__
from scaledetect.publish.citation import find_card
from scaledetect.publish.croissant import croissant
from scaledetect.publish.datasheet import datasheet, describe
from scaledetect.publish.rows import CardRows, SplitRows, draw_rows
from scaledetect.sampling.keys import STREAM_VERSION
from scaledetect.task.cards import Card

__all__ = ["FORMATS", "ExportFormat", "export_card"]

ExportFormat = Literal["npz", "csv", "parquet", "croissant", "huggingface"]

FORMATS: tuple[ExportFormat, ...] = ("npz", "csv", "parquet", "croissant", "huggingface")

_WITHOUT_IMAGES = ("csv", "croissant")
_WITH_PYARROW = ("parquet", "huggingface")


def export_card(
    card: Card | str,
    output: str | Path,
    *,
    format: ExportFormat = "npz",
    n: int | None = None,
    seed: int | None = None,
    repetition: int | None = None,
    images: bool = False,
) -> list[Path]:
    """Write the data of a card into a new folder, for tools that do not know this package.

    Parameters
    ----------
    card : Card or str
        A card, its name, or the path of its TOML file.
    output : path
        Folder to make; it must not exist, or be empty.
    format : {"npz", "csv", "parquet", "croissant", "huggingface"}, default "npz"
        ``"npz"``: `pairs`, `y`, and `X` where asked for. ``"csv"`` and ``"parquet"``: columns `sample`, `label`, and
        the coordinates `p0`, ... and `q0`, ... of the two active pixels. ``"croissant"``: the CSV files with Croissant
        1.1 metadata. ``"huggingface"``: a data set repository as the Hugging Face Hub has them, Parquet files with
        labels 0 (far) and 1 (near).
    n : int, optional
        Export the first n samples without a split. Default: the splits of a score card with its largest `n_train`; of
        a theory card the whole population, at most 10,000 samples.
    seed : int, optional
        Seed of the stream, as in `sample_pairs`. Default: the seed of the card's digest.
    repetition : int, optional
        Instead of `seed`: the rows that leaderboard entries get in the repetition of this root seed.
    images : bool, default False
        Store the images too, float32: `X` of shape (n, 1, L, ...) in npz, a column `image` of L^d values in row-major
        order in Parquet files.

    Returns
    -------
    list of Path
        The files of the folder, ``metadata.json`` and ``datasheet.md`` among them.

    Raises
    ------
    TypeError, ValueError, KeyError
        Naming the argument, before anything is written: an unknown card or format, a folder that holds something, more
        samples than there are, images in a format without them, background noise without images.

    Examples
    --------
    >>> import tempfile
    >>> from scaledetect.publish import export_card
    >>> folder = tempfile.mkdtemp()
    >>> [path.name for path in export_card("distance-1d-L64-xi16", folder, format="csv", n=10)]
    ['datasheet.md', 'metadata.json', 'sample.csv']
    """
    found = find_card(card)
    one_of("format", format, FORMATS)
    if images and format in _WITHOUT_IMAGES:
        raise bad_value("images", images, f"format={format!r} holds positions", "take npz, parquet or huggingface")
    if format in _WITH_PYARROW:
        _check_pyarrow(format)
    target = _new_folder(output)
    rows = draw_rows(found, n=n, seed=seed, repetition=repetition, images=images)
    make_folder(target.parent)
    # Made beside its place and moved there whole: a run that is broken off leaves no half of an export.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as held:
        made = Path(held) / "export"
        made.mkdir()
        _WRITERS[format](rows, made)
        files = sorted(path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file())
        (made / "datasheet.md").write_text(datasheet(rows, files), encoding="utf-8")
        write_json(made / "metadata.json", _metadata(rows, format))
        if target.exists():
            target.rmdir()
        shutil.move(made, target)
    return sorted(path for path in target.rglob("*") if path.is_file())


def _new_folder(output: str | Path) -> Path:
    target = checked_path("output", output).absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise bad_value("output", str(output), "is there and not empty", "name a folder that does not exist")
    return target


def _check_pyarrow(format: str) -> None:
    try:
        import pyarrow.parquet  # noqa: F401 - the first use decides
    except ImportError as error:
        raise InvalidValueError(
            f"format={format!r} needs pyarrow, which is not installed: pip install 'scaledetect[export]'"
        ) from error


def _metadata(rows: CardRows, format: str) -> dict[str, Any]:
    card = rows.card
    return {
        "card": card.name,
        "card_version": card.version,
        "digest": card.digest,
        "stream_version": STREAM_VERSION,
        "scaledetect": __version__,
        "format": format,
        "pixel_value": card.task.pixel_value,
        "task": asdict(card.task),
        **rows.metadata,
    }


def _write_npz(rows: CardRows, folder: Path) -> None:
    for split in rows.splits:
        images: dict[str, Any] = {} if split.X is None else {"X": split.X}
        np.savez(folder / f"{split.name}.npz", pairs=split.pairs, y=split.y, **images)


def _write_csv(rows: CardRows, folder: Path) -> None:
    for split in rows.splits:
        columns = split.columns()
        table = np.column_stack([np.asarray(column, dtype=np.int64) for column in columns.values()])
        path = folder / f"{split.name}.csv"
        np.savetxt(path, table, fmt="%d", delimiter=",", header=",".join(columns), comments="", newline="\n")


def _write_parquet(rows: CardRows, folder: Path) -> None:
    for split in rows.splits:
        _parquet(split, folder / f"{split.name}.parquet", split.y, rows)


def _write_croissant(rows: CardRows, folder: Path) -> None:
    _write_csv(rows, folder)
    names = [f"{split.name}.csv" for split in rows.splits]
    write_json(folder / "croissant.json", croissant(rows, folder, names))


def _write_hugging_face(rows: CardRows, folder: Path) -> None:
    (folder / "data").mkdir()
    for split in rows.splits:
        index = (split.y > 0).astype(np.int8)
        _parquet(split, folder / "data" / f"{split.name}-00000-of-00001.parquet", index, rows)
    (folder / "README.md").write_text(_hub_page(rows), encoding="utf-8")


def _parquet(split: SplitRows, path: Path, labels: np.ndarray[Any, Any], rows: CardRows) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    columns: dict[str, Any] = {**split.columns(), "label": labels}
    if split.X is not None:
        values = pa.array(split.X.reshape(-1))
        columns["image"] = pa.FixedSizeListArray.from_arrays(values, rows.card.task.n_sites)
    notes = {"scaledetect": json.dumps(_metadata(rows, "parquet"))}
    parquet.write_table(pa.table(columns).replace_schema_metadata(notes), path)


def _hub_page(rows: CardRows) -> str:
    """The data set card of the Hub: YAML for its reader, then text."""
    card = rows.card
    files = "\n".join(
        f"      - split: {split.name}\n        path: data/{split.name}-00000-of-00001.parquet" for split in rows.splits
    )
    return f"""---
pretty_name: "{card.display_name}"
license: mit
task_categories:
  - image-classification
tags:
  - synthetic
  - scale-detection
  - scaledetect
configs:
  - config_name: default
    data_files:
{files}
---

# {card.display_name}

{describe(rows, "1 (near) and 0 (far)")}

See `datasheet.md` for the rest.
"""


_WRITERS: dict[str, Callable[[CardRows, Path], None]] = {
    "npz": _write_npz,
    "csv": _write_csv,
    "parquet": _write_parquet,
    "croissant": _write_croissant,
    "huggingface": _write_hugging_face,
}
