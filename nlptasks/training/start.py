"""What a training begins with: a model that is there, or one made from nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlptasks.backends.hf import Options
from nlptasks.backends.hf.fingerprint import fingerprint
from nlptasks.backends.hf.loading import Source, reachable, read_config
from nlptasks.training.examples import LeftOut, read_examples
from nlptasks.training.families import family_class
from nlptasks.training.families.base import Example, Family
from nlptasks.training.scratch import Blueprint, rate
from nlptasks.training.setup import Setup


@dataclass(frozen=True)
class Start:
    """A model to load, or the blueprint of one to make."""

    setup: Setup
    source: Source | None = None
    blueprint: Blueprint | None = None

    @classmethod
    def of(cls, setup: Setup) -> Start:
        """Look at what there is, so that a mistake shows before anything is written.

        Raises:
            ModelError, ConfigError, UnknownNameError, UnsupportedError: there is no such model or config, or it
                cannot learn the task.
        """
        if setup.config is not None:
            blueprint = Blueprint.named(setup.config)
            blueprint.check(setup.task.name)
            return cls(setup, blueprint=blueprint)
        source = reachable(Source(setup.name, Options(**setup.backend_options)))
        family_class(source, read_config(source), setup.task.name)
        return cls(setup, source)

    def identity(self) -> Any:
        """Return what tells this beginning from others."""
        if self.blueprint is not None:
            return dict(self.blueprint.values)
        assert self.source
        return fingerprint(self.source.folder) if self.source.folder else self.source.commit

    def family(self, work: Path) -> Family:
        """Return the family with its backend; a model from nothing is made in ``work`` first."""
        setup, source = self.setup, self.source
        options = setup.options
        if source is None:
            source = Source(str(self._made(work / "start")), Options(**setup.backend_options))
            options = options.model_copy(update={"full": True})
        config = read_config(source)
        kind = family_class(source, config, setup.task.name)
        if options.learning_rate is None:
            peak = rate(config) if self.blueprint else kind.rate(options)
            options = options.model_copy(update={"learning_rate": peak})
        return kind(kind.open(source, config), options)

    def _made(self, folder: Path) -> Path:
        assert self.blueprint
        if not folder.is_dir():
            part = folder.with_name("start.part")
            shutil.rmtree(part, ignore_errors=True)
            self.blueprint.build(part, self._examples, self.setup.options.seed)
            part.replace(folder)
        return folder

    def _examples(self) -> Iterator[Example]:
        for data in self.setup.data:
            left_out = LeftOut(str(data.path))
            yield from read_examples(self.setup.task, self.setup.task_options, data, left_out)
