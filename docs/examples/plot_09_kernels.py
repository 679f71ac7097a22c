"""
Learning curves of kernels
==========================

On a small task a kernel is a finite matrix, and the error of ridge regression follows from its spectrum.
"""

import scaledetect as sd

task = sd.Task(dim=1, size=20, xi=5, labelling="block")
shape = {"filter_size": 2, "stride": 2, "depth": 3}
curve = sd.theory.kernel_learning_curve(task, kernel="nngp-pooling", n_train=[8, 16, 32, 64, 128], ridge=0.1, **shape)
for P, mse in zip(curve.n_train, curve.mse, strict=True):
    print(f"P = {P}: mean squared error {mse:.3f}")

curve.plot()
