"""Data and results in the forms that others read: citations, exports with metadata, datasheets; loaded on use."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
