"""The scale-detection task: sample it exactly, measure any network on it, and put the exact theory beside.

The definitions are those of Tomasini, Petrini, Cagnetta and Wyart, "How deep convolutional neural networks lose spatial
information with training", arXiv 2210.01506. Names load on first use, as `__init__.pyi` lists them: importing the
package loads no heavy library.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
