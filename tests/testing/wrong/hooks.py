"""The modules of wrong plugins: what each does when it is imported, in its register hook, and its Spec."""

from __future__ import annotations

MODULE = """
import os, socket, subprocess, sys
from pathlib import Path
from nlptasks import Spec, hookimpl

numbers = iter(range(9))
{loading}

@hookimpl
def register_metrics():
    {hook}
    return [Spec({spec})]
"""
NOTES = "Path(__file__).with_suffix('.txt')"
LOADING = {
    "importing": "import numpy",
    "eager": "socket.socket().close()",
    "talking": "print('hello')",
    "broken": "raise ValueError('not today')",
}
HOOK = {
    "reading": f"len({NOTES}.read_text())",
    "writing": f"{NOTES}.write_text('')",
    "removing": f"{NOTES}.unlink(missing_ok=True)",
    "asking": "socket.socket().close()",
    "starting": "subprocess.run([sys.executable, '-c', ''])",
}
SPEC = {
    "changing": "'changing', 'wrong_metrics:RightMetric', str(next(numbers))",
    "silent": "'silent', 'wrong_metrics:RightMetric'",
    "missing": "'missing', 'nowhere:Metric', 'a metric'",
    "misnamed": "'misnomer', 'wrong_metrics:RightMetric', 'a metric'",
}
NAMES = [*LOADING, *HOOK, *SPEC]


def module(name: str) -> str:
    """Return the code of the plugin ``name``."""
    spec = SPEC.get(name, f"{name!r}, 'wrong_metrics:RightMetric', 'a metric'")
    return MODULE.format(loading=LOADING.get(name, ""), hook=HOOK.get(name, "pass"), spec=spec)
