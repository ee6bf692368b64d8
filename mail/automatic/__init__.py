"""Mail that machines wrote: what kind it is, what it reports, and whether it goes round in circles."""

from mail.automatic.classification import classify, may_be_answered
from mail.automatic.loops import TRACE_HEADER, carried, loop_of, trace_value
from mail.automatic.reports import report_of
from mail.automatic.values import Automatic, DeliveryReport, FeedbackReport, ReadReceipt, RecipientStatus, Report

__all__ = [
    "TRACE_HEADER",
    "Automatic",
    "DeliveryReport",
    "FeedbackReport",
    "ReadReceipt",
    "RecipientStatus",
    "Report",
    "carried",
    "classify",
    "loop_of",
    "may_be_answered",
    "report_of",
    "trace_value",
]
