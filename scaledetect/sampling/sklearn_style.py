"""A generator in the style of scikit-learn: `make_scale_detection`."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import check_seed, flag
from scaledetect._base.errors import bad_type, bad_value
from scaledetect.sampling.keys import seed_key
from scaledetect.sampling.samplers import check_request, sample_images, sample_pairs
from scaledetect.task.task import Task

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["make_scale_detection"]


@overload
def make_scale_detection(
    n_samples: int = ...,
    *,
    size: int = ...,
    xi: int | float = ...,
    dim: int = ...,
    gap: int | float = ...,
    labelling: Any = ...,
    norm: Any = ...,
    periodic: bool = ...,
    amplitude: Any = ...,
    balance: Any = ...,
    background_noise: float = ...,
    shuffle: bool = ...,
    sparse: Literal[False] = ...,
    random_state: Any = ...,
) -> tuple[NDArray[np.float64], NDArray[np.int8]]: ...
@overload
def make_scale_detection(
    n_samples: int = ...,
    *,
    size: int = ...,
    xi: int | float = ...,
    dim: int = ...,
    gap: int | float = ...,
    labelling: Any = ...,
    norm: Any = ...,
    periodic: bool = ...,
    amplitude: Any = ...,
    balance: Any = ...,
    background_noise: float = ...,
    shuffle: bool = ...,
    sparse: Literal[True],
    random_state: Any = ...,
) -> tuple[csr_matrix[Any], NDArray[np.int8]]: ...
def make_scale_detection(
    n_samples: int = 100,
    *,
    size: int = 64,
    xi: int | float = 16,
    dim: int = 1,
    gap: int | float = 0,
    labelling: Any = "distance",
    norm: Any = "l2",
    periodic: bool = True,
    amplitude: Any = "norm",
    balance: Any = "equal",
    background_noise: float = 0.0,
    shuffle: bool = True,
    sparse: bool = False,
    random_state: Any = 0,
) -> tuple[NDArray[np.float64] | csr_matrix[Any], NDArray[np.int8]]:
    """Generate a scale-detection data set as scikit-learn's ``make_*`` functions do.

    Parameters
    ----------
    n_samples : int, default 100
        Number of samples, drawn without replacement.
    size, xi, dim, gap, labelling, norm, periodic, amplitude, balance, background_noise
        Fields of `Task`.
    shuffle : bool, default True
        Put the samples in an order drawn from the seed. Without, they are those of `sample_images` with this seed, in
        the order of the stream, in which labels alternate.
    sparse : bool, default False
        Return X as a `scipy.sparse.csr_matrix` with two entries a row; not with background noise.
    random_state : int, RandomState instance or None, default 0
        An integer is the seed of the stream; a RandomState, or NumPy's global one for None, draws the seed.

    Returns
    -------
    X : ndarray of float64, or csr_matrix, shape (n_samples, size**dim)
        One flattened image a row.
    y : ndarray of int8, shape (n_samples,)
        +1 near, -1 far.

    Examples
    --------
    >>> from scaledetect import make_scale_detection
    >>> X, y = make_scale_detection(10, size=32, xi=8, random_state=0)
    >>> X.shape, y.tolist()
    ((10, 32), [-1, 1, -1, -1, -1, 1, 1, -1, 1, 1])
    """
    task = Task(
        dim=dim, size=size, xi=xi, gap=gap, labelling=labelling, norm=norm, periodic=periodic, amplitude=amplitude,
        balance=balance, background_noise=background_noise,
    )  # fmt: skip
    seed = _seed_of(random_state)
    n_samples, _ = check_request(task, n_samples, 0, None, replace=False, name="n_samples")
    shuffle, sparse = flag("shuffle", shuffle), flag("sparse", sparse)
    if sparse and task.background_noise:
        raise bad_value("sparse", sparse, f"an image with background_noise={background_noise} has no zeros", "drop one")
    try:
        order = _order(seed, n_samples) if shuffle else slice(None)
        if sparse:
            pairs, y = sample_pairs(task, n_samples, seed=seed)
            return _sparse_rows(pairs[order], task), y[order]
        X, y = sample_images(task, n_samples, seed=seed, dtype="float64")
        return X.reshape(n_samples, task.n_sites)[order], y[order]
    except MemoryError as error:  # the samplers' refusal too, which calls it n
        limit = f"asks for more memory than there is, {task.n_sites} numbers a sample unless sparse"
        raise bad_value("n_samples", n_samples, limit, "ask for fewer") from error


def _order(seed: int, n: int) -> NDArray[np.int64]:
    key = int.from_bytes(seed_key(seed, "make_scale_detection/shuffle")[:8], "little")
    order: NDArray[np.int64] = np.random.Generator(np.random.Philox(key=key)).permutation(n)
    return order


def _seed_of(random_state: Any) -> int:
    from sklearn.utils import check_random_state

    if random_state is None or isinstance(random_state, np.random.RandomState | ModuleType):
        return int(check_random_state(random_state).randint(2**31 - 1))
    if isinstance(random_state, str | float | bool):
        text = "must be an integer from 0 to 2^64 - 1, a RandomState or None"
        raise bad_type("random_state", random_state, text)
    return check_seed(random_state, "random_state")


def _sparse_rows(pairs: NDArray[np.int64], task: Task) -> csr_matrix[Any]:
    from scipy.sparse import csr_matrix

    n = len(pairs)
    columns = np.ravel_multi_index(tuple(np.moveaxis(pairs, 2, 0)), task.shape).reshape(2 * n)
    values = np.full(2 * n, task.pixel_value)
    return csr_matrix((values, columns, np.arange(0, 2 * n + 1, 2)), shape=(n, task.n_sites))
