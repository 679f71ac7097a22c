"""
Is a filter constant?
=====================

The spectrum of filters on the eigenvectors of their grid says how much of them is spatial averaging: the constant is
the first.
"""

import scaledetect as sd

net = sd.nets.get("vgg11", width=0.25, seed=0)
spectrum = sd.probes.filter_spectrum(net)
print(spectrum.layers[:3])
spectrum.plot()

# %%
# Shuffling the channels undoes channel pooling, and leaves the filters what they are.

shuffled = sd.probes.shuffle_channels(net, seed=0)
print(sum(p.numel() for p in shuffled.parameters()) == sum(p.numel() for p in net.parameters()))
