"""Samples in, predictions out: rows of a file as a task's samples, records as rows."""

from __future__ import annotations

from nlptasks.data.columns import Columns as Columns
from nlptasks.data.columns import column_names as column_names
from nlptasks.data.columns import one_line as one_line
from nlptasks.data.columns import plain_column as plain_column
from nlptasks.data.columns import unpacked as unpacked
from nlptasks.data.delivery import deliver as deliver
from nlptasks.data.delivery import working_file as working_file
from nlptasks.data.place import is_here as is_here
from nlptasks.data.place import place as place
from nlptasks.data.place import reached as reached
from nlptasks.data.reading import READERS as READERS
from nlptasks.data.reading import Numbered as Numbered
from nlptasks.data.reading import Row as Row
from nlptasks.data.reading import count_lines as count_lines
from nlptasks.data.reading import read_rows as read_rows
from nlptasks.data.reading import read_text as read_text
from nlptasks.data.reading import unpacked_text as unpacked_text
from nlptasks.data.writing import dump_line as dump_line
from nlptasks.data.writing import output_row as output_row
