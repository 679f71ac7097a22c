from .citation import Citation as Citation
from .citation import cite as cite
from .export import FORMATS as FORMATS
from .export import ExportFormat as ExportFormat
from .export import export_card as export_card
from .html_report import report as report
