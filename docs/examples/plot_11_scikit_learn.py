"""
Data for scikit-learn
=====================

The task in the form of ``sklearn.datasets``, and why a learner that knows nothing of locality has a hard time.
"""

from matplotlib.figure import Figure
from sklearn.neighbors import KNeighborsClassifier

import scaledetect as sd

task = sd.load_task("block-2d-L16-xi8")
X, y = sd.sample_images(task, 512, split="train")
X_test, y_test = sd.sample_images(task, 256, split="test")

# %%
# Nearest neighbours among pixels: two images share a pixel or they do not.

sizes, errors = (32, 128, 512), []
for n in sizes:
    model = KNeighborsClassifier(1).fit(X[:n].reshape(n, -1), y[:n])
    errors.append(1 - model.score(X_test.reshape(len(X_test), -1), y_test))
    print(f"P = {n}: test error {errors[-1]:.2f}")

figure = Figure(figsize=(5, 3), layout="constrained")
axes = figure.subplots()
axes.plot(sizes, errors, "o-", label="1-nearest neighbour")
axes.axhline(0.5, color="0.6", label="chance")
axes.set(xscale="log", xlabel="training images P", ylabel="test error", ylim=(0, 0.6))
axes.legend(frameon=False)
figure
