"""What README shows works as shown."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import Cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
PLUGIN = next(block for block in PYTHON if block.startswith("# shout.py"))


@pytest.mark.parametrize("code", [block for block in PYTHON if block is not PLUGIN])
def test_python_blocks_run(code: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert done.stderr == ""


def test_the_plugin_file_answers(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "shout.py").write_text(PLUGIN)
    done = cli("--plugin-file", "shout.py", "chat", "hello", "--model", "shout")
    assert (done.code, done.out.strip(), done.err) == (0, "HELLO", "")


def test_the_commands_that_ci_runs_are_there() -> None:
    for heading in ("## Try it", "## Test it"):
        block = README.partition(heading)[2].partition("```bash\n")[2].partition("```")[0]
        assert len(block.strip().splitlines()) == 1
        assert block.startswith("python3 -m venv .venv")
