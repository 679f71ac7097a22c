"""
A net on images
===============

Any torch module is measured on any square images: here an untrained VGG11 of a tenth of the width on smooth random
fields.
"""

import torch

import scaledetect as sd

generator = torch.Generator().manual_seed(0)
noise = torch.randn(60, 3, 32, 32, generator=generator)
images = torch.nn.functional.avg_pool2d(noise, 5, stride=1, padding=2)
images = images / images.std()

net = sd.nets.get("vgg11", width=0.1, seed=0)
s = sd.image_sensitivities(net, images, delta=1.0, noise=sd.Noise(match="sample"))
print(s.to_frame()[["D", "D_stderr", "G", "R"]].round(3))

# %%
# Against depth, since the receptive field of such a net is not known.

s.plot(against="depth")

# %%
# What the deformation looks like: the same image, displaced by one pixel and by two.

from matplotlib.figure import Figure  # noqa: E402

figure = Figure(figsize=(7, 2.6), layout="constrained")
for axes, delta in zip(figure.subplots(1, 3), (0.0, 1.0, 2.0), strict=True):
    shown = images[:1] if delta == 0 else sd.diffeo(images[:1], delta=delta, seed=0)
    axes.imshow(shown[0, 0].numpy(), cmap="gray")
    axes.set_title(f"delta = {delta:g}")
    axes.set_axis_off()
figure
