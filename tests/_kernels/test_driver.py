"""Which rows go to which call of a kernel, and how many threads there are."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from scaledetect._kernels.driver import CHUNK, LEAST, for_chunks, for_rows, thread_count

Ranges = list[tuple[int, int]]


def ranges(run: Callable[[Callable[[int, int], None]], None]) -> tuple[Ranges, int]:
    """All ranges that `run` works on, in order, and how many threads had a share."""
    found: Ranges = []
    threads: set[int] = set()

    def work(start: int, stop: int) -> None:
        found.append((start, stop))
        threads.add(threading.get_ident())

    run(work)
    return sorted(found), len(threads)


@pytest.mark.parametrize(
    ("n", "threads", "chunk", "least", "expected"),
    [
        (0, 1, 4, 1, []),
        (0, 3, 4, 0, []),
        (1, 1, 4, 9, [(0, 1)]),
        (10, 1, 4, 1, [(0, 4), (4, 8), (8, 10)]),
        (10, 3, 4, 11, [(0, 4), (4, 8), (8, 10)]),
        # Each thread has a share, also where the chunk is larger.
        (10, 3, 100, 10, [(0, 4), (4, 8), (8, 10)]),
        (3, 3, 100, 1, [(0, 1), (1, 2), (2, 3)]),
        (2, 3, 100, 1, [(0, 1), (1, 2)]),
        (8, 2, 2, 1, [(0, 2), (2, 4), (4, 6), (6, 8)]),
    ],
)
def test_ranges_cover_all_rows_once(
    n: int, threads: int, chunk: int, least: int, expected: Ranges, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCALEDETECT_NUM_THREADS", str(threads))
    assert ranges(lambda work: for_chunks(work, n, chunk=chunk, least=least))[0] == expected


def test_samples_are_shared_among_threads_from_a_number_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALEDETECT_NUM_THREADS", "2")
    assert (CHUNK, LEAST) == (2**16, 2**15)
    assert ranges(lambda work: for_chunks(work, LEAST - 1)) == ([(0, LEAST - 1)], 1)
    assert ranges(lambda work: for_chunks(work, LEAST))[0] == [(0, LEAST // 2), (LEAST // 2, LEAST)]
    found, _ = ranges(lambda work: for_chunks(work, 2 * CHUNK + 2))
    assert found == [(0, CHUNK), (CHUNK, 2 * CHUNK), (2 * CHUNK, 2 * CHUNK + 2)]


@pytest.mark.parametrize("width", [0, 1, 100, CHUNK, 2 * CHUNK])
def test_wide_rows_make_up_a_chunk_and_are_shared_from_two_on(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALEDETECT_NUM_THREADS", "4")
    rows = {0: CHUNK, 1: CHUNK, 100: 655, CHUNK: 1, 2 * CHUNK: 1}[width]
    assert ranges(lambda work: for_rows(work, 2 * rows - 1, width))[0] == [
        (a, min(a + rows, 2 * rows - 1)) for a in range(0, 2 * rows - 1, rows)
    ]
    share = -(-rows // 2)
    expected = [(a, min(a + share, 2 * rows)) for a in range(0, 2 * rows, share)]
    assert ranges(lambda work: for_rows(work, 2 * rows, width))[0] == expected


def test_each_thread_takes_every_so_manyth_range(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads that wait for each other both have a share, and an error in either is raised."""
    monkeypatch.setenv("SCALEDETECT_NUM_THREADS", "2")
    barrier = threading.Barrier(2)
    by_thread: dict[int, list[int]] = {}

    def work(start: int, stop: int) -> None:
        barrier.wait(timeout=60)
        by_thread.setdefault(threading.get_ident(), []).append(start)

    for_chunks(work, 6, chunk=1, least=1)
    assert sorted(by_thread.values()) == [[0, 2, 4], [1, 3, 5]]
    assert by_thread[threading.get_ident()] == [0, 2, 4]

    def fails(start: int, stop: int) -> None:
        if start == 1:
            raise OSError("of a thread")

    with pytest.raises(OSError, match="of a thread"):
        for_chunks(fails, 2, chunk=1, least=1)


def test_threads_are_those_asked_for_or_the_processors_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALEDETECT_NUM_THREADS", "1")
    assert thread_count() == 1
    monkeypatch.setenv("SCALEDETECT_NUM_THREADS", "12")
    assert thread_count() == 12
    for bad in ("0", "-1", "two", "1.5"):
        monkeypatch.setenv("SCALEDETECT_NUM_THREADS", bad)
        with pytest.raises(ValueError, match="must be an integer of at least 1"):
            thread_count()
    monkeypatch.setenv("SCALEDETECT_NUM_THREADS", "")
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(5 + process)), raising=False)
    assert thread_count() == 5
    monkeypatch.setattr("scaledetect._kernels.driver.parent_process", object)
    assert thread_count() == 1
    monkeypatch.setattr("scaledetect._kernels.driver.parent_process", lambda: None)
    monkeypatch.delattr("os.sched_getaffinity")
    for count, expected in ((7, 7), (None, 1)):
        monkeypatch.setattr("os.cpu_count", lambda count=count: count)
        assert thread_count() == expected
