"""Configuration of the documentation site: ``make docs``."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

from sphinx_gallery.sorting import FileNameSortKey

from scaledetect._base.versions import __version__
from scaledetect.publish.citation import HOME

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_ext"))

from figure_scraper import figures_of_blocks  # noqa: E402 - a module of this folder

warnings.filterwarnings("ignore", message="Matplotlib is currently using agg", category=UserWarning)

project = "scaledetect"
author = "The scaledetect developers"
copyright = f"2026, {author}"
release = version = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "docstring_bars",
    "repository_links",
    "site_pages",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "_templates", "data", "examples", "generated/leaderboard", "gallery/GALLERY_HEADER.rst"]
templates_path = ["_templates"]
nitpicky = False
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath", "html_image"]
myst_heading_anchors = 3

autodoc_typehints = "none"
autodoc_inherit_docstrings = False
autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"__init__\.py",
    "within_subsection_order": FileNameSortKey,
    "abort_on_example_error": True,
    "show_memory": False,
    "show_signature": False,
    "download_all_examples": True,
    "remove_config_comments": True,
    "image_scrapers": (figures_of_blocks,),
    "capture_repr": ("__repr__",),
    "ignore_repr_types": r"Figure",
    "doc_module": ("scaledetect",),
    "backreferences_dir": "generated/backreferences",
}

html_theme = "pydata_sphinx_theme"
html_title = f"scaledetect {__version__}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["sortable.js"]
html_show_sourcelink = False
html_theme_options = {
    "icon_links": [{"name": "Repository", "url": HOME, "icon": "fa-brands fa-github"}],
    "use_edit_page_button": False,
    "show_prev_next": True,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 7,
    "secondary_sidebar_items": ["page-toc"],
    "footer_end": [],
}
html_context = {"default_mode": "auto"}
