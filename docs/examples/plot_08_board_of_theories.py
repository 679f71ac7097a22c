"""
A theory of your own against experiment
=======================================

Experiments are frozen measurements. A prediction is numbers for each layer; its score is the mean squared logarithmic
error, less what the noise of the measurement contributes.
"""

import math

import scaledetect as sd

e = sd.load_experiment("block-1d-L128-trained")
print(e.card.display_name, "-", len(e.measured), "nets")

# %%
# That D halves and G doubles with every layer:

K = len(e.layers)
mine = sd.Sensitivities.from_arrays(
    D=[0.5**k for k in range(1, K + 1)], G=[0.1 * 2**k for k in range(1, K + 1)], layers=e.layers
)
score = e.score(mine)
typical = math.exp(math.sqrt(max(score.D.value, 0)))
print(f"D is off by a factor of {typical:.1f}; within 10 %: {score.D.within_10_percent:.0%} of the layers")

# %%
# Beside the measurement of one net:

e.measured[0].plot(theory=mine)
