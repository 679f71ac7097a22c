"""
A random net does not become stable
===================================

At infinite width a random layer averages squared distances, which cannot cancel. D stays nearly flat where that of
constant filters falls.
"""

import scaledetect as sd
from scaledetect.plots import plot_sensitivities

task = sd.load_task("distance-1d-L64-xi16")
noise = sd.Noise(mode="rectified_noise")
shape = {"filter_size": 2, "stride": 2, "depth": 5}

net = sd.nets.PoolingNet(dim=1, **shape, width=256, seed=0)
curves = {
    "one net of width 256": sd.sensitivities(net, task, n=1000, noise=noise),
    "infinite width": sd.theory.at_initialisation(task, **shape, noise=noise, n=2000),
    "constant filters": sd.theory.sensitivities(task, **shape, noise=noise),
}
plot_sensitivities(curves)

# %%
# One net scatters about the theory; by how much, as a share of D, is known too.

print(sd.theory.one_net_scatter(depth=5, width=256).round(3))
