"""One HTML page that shows what a pipeline or training has made."""

from .page import Report, write_report
from .run import ReportOptions

__all__ = ['Report', 'ReportOptions', 'write_report']
