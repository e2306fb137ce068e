"""Summaries made of a text's own sentences: which there are, what tells a good one, and how many are taken."""

from nlptasks.selection.document import FEATURES, Document
from nlptasks.selection.summary import Shape, summarize

__all__ = ["FEATURES", "Document", "Shape", "summarize"]
