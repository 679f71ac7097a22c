"""
Training makes D fall
=====================

Four small nets on blocks, trained in one computation, before and after.
"""

import numpy as np

import scaledetect as sd
from scaledetect.plots import plot_sensitivities

task = sd.load_task("block-1d-L64-xi16")
spec = sd.nets.NetSpec("pooling", {"depth": 5, "width": 32})
run = sd.train(task, spec, n_train=400, n_test=400, seeds=range(4), config=sd.TrainConfig(max_epochs=60))
print([f"{member.test_error:.2f}" for member in run.members])

# %%
# The geometric mean of D over nets, at initialisation and trained.

noise = sd.Noise(mode="rectified_noise")
for state, nets in {
    "initial": [run.initial_net(member.seed) for member in run.members],
    "trained": [member.net for member in run.members],
}.items():
    D = [sd.sensitivities(net, task, n=1000, noise=noise).D for net in nets]
    print(state, np.exp(np.log(D).mean(axis=0)).round(3))

# %%
# One of them, beside the expansion in its responses to single pixels, which has no free parameter.

net = run.members[0].net
s = sd.sensitivities(net, task, n=1000, noise=noise)
t = sd.theory.cluster_sensitivities(net, task, noise=noise, n=1000)
plot_sensitivities({"trained": s}, {"trained": t})
