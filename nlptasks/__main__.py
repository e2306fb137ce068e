"""``python -m nlptasks``."""

from nlptasks.cli import main

main()
