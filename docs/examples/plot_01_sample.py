"""
Sample a task
=============

Images of the scale-detection task hold two active pixels. The label says whether they are nearer than a scale.
"""

import numpy as np

import scaledetect as sd
from scaledetect.plots import plot_examples

# %%
# A task is a value. Its population is known exactly, without a list of pairs.

task = sd.Task(dim=2, size=28, xi=14, gap=2, periodic=False)
print(f"{task.n_near} near pairs and {task.n_far} far ones")

# %%
# Samples are drawn without replacement, with random access: rows 500 to 1499 of a sample are those of a larger one.

pairs, y = sd.sample_pairs(task, 1000, seed=0, start=500)
distance = np.linalg.norm(pairs[:, 0] - pairs[:, 1], axis=1)
print(f"near: at most {distance[y == 1].max():.2f} pixels, far: at least {distance[y == -1].min():.2f}")

# %%
# Near images are in the upper row, far ones in the lower.

figure = plot_examples(task, pairs[y == 1][:5], pairs[y == -1][:5])
figure
