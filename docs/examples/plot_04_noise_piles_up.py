"""
Noise piles up
==============

Rectified noise has a mean. A mean adds up over a receptive field, and fluctuations average out: the share of a
layer's response that is the same for every draw of the noise tends to one.
"""

import scaledetect as sd

task = sd.load_task("distance-1d-L64-xi16")
noise = sd.Noise(mode="rectified_noise")
net = sd.nets.ConstantFilterNet(dim=1, filter_size=2, stride=2, depth=5)

measured = sd.probes.coherent_share(net, task, noise=noise, n=1000)
exact = sd.theory.coherent_share(task, net, noise=noise)

for layer, share, error, theory in zip(measured.layers, measured.share, measured.stderr, exact.share, strict=True):
    print(f"{layer}: {share:.3f} +- {error:.3f}, exact {theory:.3f}")

measured.plot()
