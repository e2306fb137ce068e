"""From ``rouge,chrf:word_order=2`` to metrics."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from nlptasks.errors import ConfigError, PluginError, UnknownNameError
from nlptasks.metrics.base import Metric
from nlptasks.plugin import registry
from nlptasks.plugin.registry import in_use

_OPTION = re.compile(r":(?=\w+=)")  # a colon may also stand in a value, or between a plugin and its metric


@dataclass(frozen=True)
class Choice:
    """A metric and its options, to be built for a language. ``label`` is what the user called it.

    ``spelled`` is the label with the model that was named apart from it: it alone chooses the same metric again.
    """

    label: str
    kind: type[Metric]
    build: Callable[[str | None], Metric]
    spelled: str


def choose(
    wanted: str | Sequence[str | Metric], *, judge: str | None = None, encoder: str | None = None
) -> list[Choice]:
    """Return the metrics named in ``wanted``: ``"rouge,chrf:word_order=2"``, or a sequence of names and metrics.

    ``judge`` and ``encoder`` are the models of llm_judge and embedding_similarity, in place of what their options
    say, and add these metrics where they are not named already.

    Raises:
        UnknownNameError: a metric, or an option of one.
        ConfigError: none is named, or an option's value does not fit.
        PluginError, MissingExtraError: a metric that cannot be used.
    """
    names: list[str | Metric] = list(wanted.split(",") if isinstance(wanted, str) else wanted)
    models = {"llm_judge": ("judge", judge), "embedding_similarity": ("encoder", encoder)}
    for name, (_, model) in models.items():
        if model and name not in map(_name, names):
            names.append(name)
    choices: dict[str, Choice] = {}
    for one in names:
        if isinstance(one, Metric):
            choices[one.name] = Choice(one.name, type(one), _in_language(one), one.name)
        elif one.strip():
            option, model = models.get(_name(one), ("", None))
            choices[one.strip()] = _named(one.strip(), {option: model} if model else {})
    if not choices:
        raise ConfigError("No metric to score with: name some, --metrics rouge,chrf.")
    return list(choices.values())


def usual(names: Sequence[str], bare: bool) -> list[str]:
    """Return the metrics to score with where none are asked for; ``bare`` says that some samples have no reference.

    Raises:
        UnknownNameError, PluginError: a metric that cannot be used.
    """
    if not bare:
        return list(names)
    found = {one.label: one.kind.unanswerable for one in choose(names)} if names else {}
    return [found[name] or name for name in names]


def _name(wanted: str | Metric) -> str:
    return wanted.name if isinstance(wanted, Metric) else _OPTION.split(wanted.strip(), maxsplit=1)[0]


def _in_language(metric: Metric) -> Callable[[str | None], Metric]:
    def build(lang: str | None) -> Metric:
        built = copy.copy(metric)
        built.lang = metric.lang or lang
        return built

    return build


def _named(text: str, told: Mapping[str, str]) -> Choice:
    name, *pairs = _OPTION.split(text)
    entry, kind = registry().find("metric", name), registry().load("metric", name)
    if not (isinstance(kind, type) and issubclass(kind, Metric)):
        raise PluginError(f"The metric {name!r} is {kind!r}, which is no nlptasks.Metric.")
    options = {**dict(_options(name, kind, pairs)), **told}

    def build(lang: str | None) -> Metric:
        with in_use(entry, "metric"):
            return kind(**{"lang": lang, **options})

    kept = [pair for pair in pairs if pair.partition("=")[0] not in told]
    return Choice(text, kind, build, ":".join([name, *kept, *(f"{option}={model}" for option, model in told.items())]))


def _options(name: str, kind: type[Metric], pairs: Sequence[str]) -> Iterator[tuple[str, Any]]:
    types = {option: hint for option, hint in get_type_hints(kind.__init__).items() if option != "return"}
    for option, _, value in (pair.partition("=") for pair in pairs):
        if option not in types:
            raise UnknownNameError("option", option, types, f"{name} takes: {', '.join(types)}")
        adapter = TypeAdapter[Any](types[option], config=ConfigDict(arbitrary_types_allowed=True))
        try:
            yield option, adapter.validate_python(value)
        except ValidationError as error:
            raise ConfigError(f"{name}:{option}={value}: {error.errors()[0]['msg']}.") from None
