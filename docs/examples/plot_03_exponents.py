"""
How fast stability comes with depth
===================================

D falls as a power of the receptive field. The power depends on filter and stride, and there is none where the stride
does not divide the filter.
"""

import scaledetect as sd
from scaledetect.plots import plot_sensitivities

task = sd.Task(dim=1, size=2**14, xi=2**12)
nets = {"F=2 s=2": (2, 2, 11), "F=8 s=4": (8, 4, 6), "F=4 s=2": (4, 2, 11), "F=3 s=2": (3, 2, 11)}

curves, powers = {}, {}
for label, (filter_size, stride, depth) in nets.items():
    curves[label] = sd.theory.sensitivities(task, filter_size=filter_size, stride=stride, depth=depth)
    powers[label] = sd.theory.exponents(filter_size=filter_size, stride=stride)
    print(label, powers[label])

# %%
# Grey lines are the predicted powers.

plot_sensitivities(curves, exponents=powers)
