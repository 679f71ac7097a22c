"""Data and results in the forms that others read: citations, exports with metadata, datasheets."""

from scaledetect.publish.citation import Citation, cite
from scaledetect.publish.export import FORMATS, ExportFormat, export_card
from scaledetect.publish.report import report

__all__ = ["FORMATS", "Citation", "ExportFormat", "cite", "export_card", "report"]
