"""A user's script for the type checker, never run: each line is an error that it must find.

A name without a type would be assigned without complaint, and its comment would be reported as unused.
"""

from __future__ import annotations

import scaledetect as sd


def use() -> None:  # never called
    """Each public name."""
    nothing: None  # assigned again and again

    nothing = sd.Diffeo  # type: ignore[assignment]
    nothing = sd.Experiment  # type: ignore[assignment]
    nothing = sd.ExponentFit  # type: ignore[assignment]
    nothing = sd.Exponents  # type: ignore[assignment]
    nothing = sd.ImageTrainConfig  # type: ignore[assignment]
    nothing = sd.ImageTrainingRun  # type: ignore[assignment]
    nothing = sd.Interval  # type: ignore[assignment]
    nothing = sd.NetComparison  # type: ignore[assignment]
    nothing = sd.NetReport  # type: ignore[assignment]
    nothing = sd.Noise  # type: ignore[assignment]
    nothing = sd.Pooling  # type: ignore[assignment]
    nothing = sd.PoolingNetClassifier  # type: ignore[assignment]
    nothing = sd.ScaleDetectionDataset  # type: ignore[assignment]
    nothing = sd.Sensitivities  # type: ignore[assignment]
    nothing = sd.Task  # type: ignore[assignment]
    nothing = sd.TheoryComparison  # type: ignore[assignment]
    nothing = sd.TrainConfig  # type: ignore[assignment]
    nothing = sd.TrainProgress  # type: ignore[assignment]
    nothing = sd.TrainedMember  # type: ignore[assignment]
    nothing = sd.TrainingRun  # type: ignore[assignment]
    nothing = sd.TypicalDisplacement  # type: ignore[assignment]
    nothing = sd.__version__  # type: ignore[assignment]
    nothing = sd.bootstrap_mean  # type: ignore[assignment]
    nothing = sd.bootstrap_ratio  # type: ignore[assignment]
    nothing = sd.compare  # type: ignore[assignment]
    nothing = sd.deform  # type: ignore[assignment]
    nothing = sd.diffeo  # type: ignore[assignment]
    nothing = sd.diffeo_coefficients  # type: ignore[assignment]
    nothing = sd.diffeo_temperature_range  # type: ignore[assignment]
    nothing = sd.displacement_field  # type: ignore[assignment]
    nothing = sd.fit_exponent  # type: ignore[assignment]
    nothing = sd.image_sensitivities  # type: ignore[assignment]
    nothing = sd.images  # type: ignore[assignment]
    nothing = sd.list_experiments  # type: ignore[assignment]
    nothing = sd.list_tasks  # type: ignore[assignment]
    nothing = sd.load_card  # type: ignore[assignment]
    nothing = sd.load_experiment  # type: ignore[assignment]
    nothing = sd.load_member  # type: ignore[assignment]
    nothing = sd.load_task  # type: ignore[assignment]
    nothing = sd.make_scale_detection  # type: ignore[assignment]
    nothing = sd.merge  # type: ignore[assignment]
    nothing = sd.net_report  # type: ignore[assignment]
    nothing = sd.nets  # type: ignore[assignment]
    nothing = sd.noise_images  # type: ignore[assignment]
    nothing = sd.probes  # type: ignore[assignment]
    nothing = sd.render_pairs  # type: ignore[assignment]
    nothing = sd.sample_images  # type: ignore[assignment]
    nothing = sd.sample_pairs  # type: ignore[assignment]
    nothing = sd.sensitivities  # type: ignore[assignment]
    nothing = sd.shift_pairs  # type: ignore[assignment]
    nothing = sd.show_versions  # type: ignore[assignment]
    nothing = sd.theory  # type: ignore[assignment]
    nothing = sd.train  # type: ignore[assignment]
    nothing = sd.typical_displacement  # type: ignore[assignment]

    sd.sensitivites  # type: ignore[attr-defined]  # noqa: B018 (a misspelt name)
    print(nothing)  # noqa: T201
