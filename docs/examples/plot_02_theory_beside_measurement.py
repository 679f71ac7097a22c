"""
Theory beside measurement
=========================

Nets that only average are linear on these images, and what their layers do is known exactly.
"""

import scaledetect as sd
from scaledetect.plots import plot_sensitivities

task = sd.load_task("distance-1d-L64-xi16")

# %%
# Three nets: filters as wide as the stride, overlapping ones, and no stride at all. All see the same draws.

shapes = {"F=2 s=2": (2, 2, 5), "F=3 s=2": (3, 2, 5), "F=3 s=1": (3, 1, 8)}
measured, exact = {}, {}
for label, (filter_size, stride, depth) in shapes.items():
    net = sd.nets.ConstantFilterNet(dim=1, filter_size=filter_size, stride=stride, depth=depth)
    measured[label] = sd.sensitivities(net, task, n=4000)
    exact[label] = sd.theory.sensitivities(task, net)

plot_sensitivities(measured, exact)

# %%
# The difference in standard errors, layer by layer. Layers share their draws, so they move together.

for label, s in measured.items():
    print(label, s.z(exact[label])["D"].round(1))
