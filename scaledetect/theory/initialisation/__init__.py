"""Theory of random nets: sensitivities of the paper's trained net before training, at infinite width."""

from scaledetect.theory.initialisation.public import at_initialisation, one_net_scatter

__all__ = ["at_initialisation", "one_net_scatter"]
