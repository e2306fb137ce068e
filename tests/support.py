"""Where things are."""

from __future__ import annotations

import os
from pathlib import Path

from nlptasks.testing.command import Cli as Cli
from nlptasks.testing.command import Outcome as Outcome
from nlptasks.testing.command import run_cli as run_cli

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("NLPTASKS_TEST_DATA") or ROOT.parent / "shared" / "data")
"""Real data, which the project does not hold: tests that need them skip where they are absent."""
