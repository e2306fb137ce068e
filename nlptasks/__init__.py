"""nlptasks: task-oriented NLP with one pluggable LLM backend.

Everything public is imported on first use, so that ``import nlptasks`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nlptasks.api import TaskRunner as TaskRunner
    from nlptasks.api import task as task
    from nlptasks.backends.base import Backend as Backend
    from nlptasks.backends.base import Capability as Capability
    from nlptasks.backends.base import Limits as Limits
    from nlptasks.backends.base import Session as Session
    from nlptasks.errors import BackendError as BackendError
    from nlptasks.errors import CollisionError as CollisionError
    from nlptasks.errors import ConfigError as ConfigError
    from nlptasks.errors import InputError as InputError
    from nlptasks.errors import MissingExtraError as MissingExtraError
    from nlptasks.errors import ModelError as ModelError
    from nlptasks.errors import NLPTasksError as NLPTasksError
    from nlptasks.errors import PluginError as PluginError
    from nlptasks.errors import RunError as RunError
    from nlptasks.errors import SampleError as SampleError
    from nlptasks.errors import StoppedError as StoppedError
    from nlptasks.errors import UnknownNameError as UnknownNameError
    from nlptasks.errors import UnsupportedError as UnsupportedError
    from nlptasks.errors import UsageError as UsageError
    from nlptasks.evaluation.comparison import compare as compare
    from nlptasks.evaluation.evaluate import evaluate as evaluate
    from nlptasks.evaluation.results import Score as Score
    from nlptasks.evaluation.results import Scores as Scores
    from nlptasks.evaluation.scoring import score as score
    from nlptasks.fields import Document as Document
    from nlptasks.fields import Documents as Documents
    from nlptasks.fields import Images as Images
    from nlptasks.fields import Text as Text
    from nlptasks.metrics.base import Metric as Metric
    from nlptasks.pipelines import pipeline as pipeline
    from nlptasks.plugin.spec import Spec as Spec
    from nlptasks.plugin.spec import hookimpl as hookimpl
    from nlptasks.records import Completion as Completion
    from nlptasks.records import Delta as Delta
    from nlptasks.records import Failure as Failure
    from nlptasks.records import GenerationConfig as GenerationConfig
    from nlptasks.records import Message as Message
    from nlptasks.records import Record as Record
    from nlptasks.records import Request as Request
    from nlptasks.records import Sample as Sample
    from nlptasks.records import Usage as Usage
    from nlptasks.tasks import GenerationOptions as GenerationOptions
    from nlptasks.tasks import Prompts as Prompts
    from nlptasks.tasks import Task as Task
    from nlptasks.training.train import TrainingResult as TrainingResult
    from nlptasks.training.train import train as train

_HOMES = {
    "nlptasks.api": "TaskRunner task",
    "nlptasks.backends.base": "Backend Capability Limits Session",
    "nlptasks.errors": "BackendError CollisionError ConfigError InputError MissingExtraError ModelError NLPTasksError "
    "PluginError RunError SampleError StoppedError UnknownNameError UnsupportedError UsageError",
    "nlptasks.evaluation.comparison": "compare",
    "nlptasks.evaluation.evaluate": "evaluate",
    "nlptasks.evaluation.results": "Score Scores",
    "nlptasks.evaluation.scoring": "score",
    "nlptasks.fields": "Document Documents Images Text",
    "nlptasks.metrics.base": "Metric",
    "nlptasks.pipelines": "pipeline",
    "nlptasks.plugin.spec": "Spec hookimpl",
    "nlptasks.records": "Completion Delta Failure GenerationConfig Message Record Request Sample Usage",
    "nlptasks.tasks": "GenerationOptions Prompts Task",
    "nlptasks.training.train": "TrainingResult train",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'nlptasks' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
