"""The server against its own description: whatever is sent, it makes no mistake.

The long form: ``NLPTASKS_FUZZ=700 pytest tests/server/test_schema.py --timeout 0``, so many cases for each operation.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from nlptasks.backends.echo import load as echo
from tests.server.conftest import serving

CASES = os.environ.get("NLPTASKS_FUZZ", "20")
CHECKS = "not_a_server_error,content_type_conformance,response_schema_conformance,status_code_conformance"


def test_whatever_is_sent_the_server_makes_no_mistake(tmp_path: Path) -> None:
    with serving(echo("")) as served:
        command = [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{served.url}/openapi.json",
            "--checks",
            CHECKS,
            "-n",
            CASES,
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-4000:]
        assert served.idle()
    assert "test cases" in done.stdout.lower()
