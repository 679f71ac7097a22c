"""Contract suite of a theory: ``python -m scaledetect.testing`` runs it on one of your own."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

import numpy as np

from scaledetect._base.checklist import FailedStepError, Step, attempt
from scaledetect.experiments.experiment import Experiment, load_experiment
from scaledetect.experiments.predictions import line_of, prediction_of
from scaledetect.experiments.scoring import SCORED
from scaledetect.experiments.theories import find_theory
from scaledetect.theory._contract import Theory, check_theory_declaration

__all__ = ["EXPERIMENTS", "check_theory"]

EXPERIMENTS = ("block-1d-L128-initial", "block-1d-L128-trained", "distance-2d-L16-initial")
"""What a theory is tried on: before and after training, in one dimension and in two."""


def check_theory(source: str | type[Theory], experiments: Sequence[str | Experiment] = EXPERIMENTS) -> Iterator[Step]:
    """Try a theory and say, check by check, whether it keeps the contract of `scaledetect.theory.Theory`.

    Parameters
    ----------
    source : str or type
        Name of a theory, ``module:Class`` importable from the current folder, or the class itself.
    experiments : sequence of str or Experiment
        Those it does not apply to are passed over.

    Yields
    ------
    Step
        declaration; then on each experiment applies, predict (layers, numbers, nets), repeatable (a second theory
        predicts the same), and score. A failed step rules out those that need it.
    """
    theory = yield from attempt("declaration", lambda: _declared(source))
    if theory is None:
        return
    tried = 0
    for one in experiments:
        e = load_experiment(one) if isinstance(one, str) else one
        if (yield from attempt(f"{e.name} applies", lambda e=e: _applies(theory(), e))):  # type: ignore[misc]
            tried += 1
            yield from _steps(theory, e)
    if not tried:
        yield Step("applies", False, "the theory applies to none of the experiments it was tried on: name one")


def _declared(source: str | type[Theory]) -> tuple[type[Theory], str]:
    found = type(find_theory(source)) if isinstance(source, str) else source
    check_theory_declaration(found)
    found()
    return found, f"{found.name}, version {found.version}: {found.title} (told the {found.told})"


def _applies(theory: Theory, e: Experiment) -> tuple[bool, str]:
    found: object = theory.applies(e)
    if not isinstance(found, bool):
        raise FailedStepError(f"applies returns {found!r}: it must return True or False")
    return found, "yes" if found else "passed over"


def _steps(theory: type[Theory], e: Experiment) -> Generator[Step, None, None]:
    line = yield from attempt(f"{e.name} predict", lambda: _predicted(theory(), e))
    if line is None:
        return
    yield from attempt(f"{e.name} repeatable", lambda: _repeated(theory(), e, line))
    yield from attempt(f"{e.name} score", lambda: _scored(theory(), e, line))


def _predicted(theory: Theory, e: Experiment) -> tuple[dict[str, object], str]:
    line = line_of(theory, e)
    nets = "one for all nets" if line["seeds"] is None else f"one for each of {len(line['seeds'])} nets"
    return line, f"{nets}, {len(e.layers)} layers"


def _repeated(theory: Theory, e: Experiment, line: dict[str, object]) -> tuple[bool, str]:
    again = line_of(theory, e)
    if again != line:
        raise FailedStepError("a second prediction is another one: draw from seeds of the experiment")
    return True, "a second prediction is the same"


def _scored(theory: Theory, e: Experiment, line: dict[str, object]) -> tuple[bool, str]:
    s = e.score(prediction_of(line, e), fitted_layers=theory.fitted_layers)
    values = {name: getattr(s, name).value for name in SCORED}
    if not np.isfinite(list(values.values())).all():
        raise FailedStepError(f"has no score: {values}")
    return True, ", ".join(f"{name} {value:.3f}" for name, value in values.items())
