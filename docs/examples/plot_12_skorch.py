"""
A skorch recipe
===============

A net of your own as an estimator of scikit-learn: skorch trains it, scikit-learn chooses its width, and the layers of
what comes out are measured.
"""

import numpy as np
import torch
from sklearn.model_selection import GridSearchCV
from skorch import NeuralNetClassifier

import scaledetect as sd
from scaledetect.plots import plot_sensitivities

task = sd.load_task("block-1d-L64-xi16")
X, y = sd.sample_images(task, 256, split="train")
X_test, y_test = sd.sample_images(task, 128, split="test")

# %%
# skorch wants a module class, and classes that count from 0: far is 0 and near is 1.


class BlockNet(torch.nn.Module):
    """Two convolutions whose filters meet the borders of the blocks, and a mean over sites."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.first = torch.nn.Conv1d(1, width, 4, stride=4)
        self.second = torch.nn.Conv1d(width, width, 4, stride=4)
        self.readout = torch.nn.Linear(width, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.second(torch.relu(self.first(x))))
        logits: torch.Tensor = self.readout(x.mean(-1))
        return logits


torch.manual_seed(0)
net = NeuralNetClassifier(
    BlockNet,
    criterion=torch.nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.003,
    max_epochs=40,
    batch_size=32,
    train_split=None,
    verbose=0,
)
labels, test_labels = ((sign > 0).astype(np.int64) for sign in (y, y_test))

# %%
# The width by three-fold cross-validation. Rows of the task never repeat, so no fold holds an image of another.

search = GridSearchCV(net, {"module__width": [8, 32]}, cv=3).fit(X, labels)
print(f"width {search.best_params_['module__width']}, test error {1 - search.score(X_test, test_labels):.2f}")

# %%
# What skorch has trained is a module as any other: ``module_``. Beside it the net as it was born; functional
# activations have rows of their own.

trained = search.best_estimator_.module_
torch.manual_seed(1)
born = BlockNet(**{name.removeprefix("module__"): value for name, value in search.best_params_.items()})
curves = {name: sd.sensitivities(one, task, n=2000) for name, one in (("before", born), ("after", trained))}
curves["after"].to_frame()[["layer", "D", "D_stderr", "G", "G_stderr"]]

# %%
# Training makes the net blind to where in a block the pixels are: D of the output falls.

plot_sensitivities(curves, against="depth")
