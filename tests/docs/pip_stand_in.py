"""What ``pip install`` is in the blocks of pages: local folders go into a folder of their own, and nothing else does.

A test must not ask the network, nor change the environment that it runs in.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    site, verb, *words = sys.argv[1:]
    assert verb == "install"
    folders = [one for one in (word.partition("[")[0] for word in words) if Path(one, "pyproject.toml").is_file()]
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", site]
    command = [sys.executable, "-m", "pip", "install", *options, *folders]
    return subprocess.run(command, check=False).returncode if folders else 0


if __name__ == "__main__":
    sys.exit(main())
