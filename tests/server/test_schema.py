"""The server against its own description: whatever is sent, it makes no mistake.

In the long form of ``tests/abuse`` there are about 7 cases for 10 inputs, spread over the operations.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from nlptasks.backends.echo import load as echo
from tests.abuse.damage import INPUTS
from tests.server.conftest import serving

CASES = str(INPUTS // 14 or 20)
"""Of each operation, beside those that cover what it describes."""
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
    [cases] = re.findall(r"(\d+) generated", done.stdout)
    print(f"{cases} cases")  # noqa: T201  (shown by -rP)
    assert int(cases) > 5 * int(CASES)


def test_every_answer_is_described_whole_and_streamed() -> None:
    with serving(echo("")) as served:
        paths = served.http.get("/openapi.json").json()["paths"]
    posted = [path["post"]["responses"]["200"]["content"] for path in paths.values() if "post" in path]
    assert len(posted) > 5
    assert all(set(content) == {"application/json", "text/event-stream"} for content in posted)
    assert all(content["application/json"]["schema"]["required"] for content in posted)
