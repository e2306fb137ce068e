from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.examples.environment import EXAMPLES, PACKAGES, Environment, wheel
from tests.support import ROOT


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The wheels of the examples, and ours, by the names of the distributions."""
    pytest.importorskip("pip", reason="the wheels are installed by pip")
    folder = tmp_path_factory.mktemp("wheels")
    sources = {"nlptasks": ROOT, **{name: EXAMPLES / name for name in PACKAGES}}
    return {name: wheel(source, folder / name) for name, source in sources.items()}


@pytest.fixture(scope="session")
def installed(wheels: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with nlptasks and the examples."""
    environment = Environment.create(tmp_path_factory.mktemp("installed") / "venv")
    environment.install(*wheels.values())
    return environment
