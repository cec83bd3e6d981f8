"""One HTML page that shows what a pipeline or training has made."""

from .collect import Report
from .options import ReportOptions
from .render import write_report

__all__ = ['Report', 'ReportOptions', 'write_report']
