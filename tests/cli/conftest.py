from __future__ import annotations

from pathlib import Path

import pytest

from nlptasks.cli.main import main
from tests.support import Cli, Outcome


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    """Run the command line in this process, which spares it the imports."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Outcome:
        with pytest.raises(SystemExit) as left:
            main([str(one) for one in arguments])
        said = capfd.readouterr()
        return Outcome(int(left.value.code or 0), said.out, said.err)

    return run
