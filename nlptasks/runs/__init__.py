"""The run directory: ``run.json`` and ``samples.jsonl``, and beside it the output; append, resume, read.

A resumed run goes on after its last whole row; samples that failed are tried again.
"""

from __future__ import annotations

from nlptasks.runs.directory import RunDirectory as RunDirectory
from nlptasks.runs.directory import flat as flat
from nlptasks.runs.log import LogContent as LogContent
from nlptasks.runs.log import sample_line as sample_line
from nlptasks.runs.record import Counts as Counts
from nlptasks.runs.record import Run as Run
from nlptasks.runs.record import read_run as read_run
from nlptasks.runs.record import write_run as write_run
