"""The task contract: a named NLP job with typed input, options and output.

A task's author declares three pydantic models once; the command line, the columns of batch files,
their validation and the JSON schema are all derived from them.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from nlptasks.backends.base import Capability, Limits
from nlptasks.errors import ConfigError
from nlptasks.fields import Text
from nlptasks.records import Completion, GenerationConfig, Message, Request, Sample

if TYPE_CHECKING:
    from jinja2 import Template

In = TypeVar("In", bound=BaseModel)
Opt = TypeVar("Opt", bound=BaseModel)
Out = TypeVar("Out", bound=BaseModel)

Steps = Generator[Sequence[Request], Sequence[Completion], Out]


class GenerationOptions(BaseModel):
    """The options of every task that generates text; a task's ``Options`` adds its own."""

    model_config = ConfigDict(extra="forbid")

    max_new_tokens: int | None = Field(default=None, ge=1, description="Most tokens to generate.")
    temperature: float = Field(default=0.0, ge=0, description="0 is greedy; above 0 samples.")
    top_p: float = Field(default=1.0, gt=0, le=1, description="Sample from this share of the probability.")
    num_beams: int = Field(default=1, ge=1, description="Beams of a beam search.")
    stop: list[str] = Field(default=[], description="Stop where this text appears (repeatable).")
    seed: int | None = Field(default=None, description="Seed for sampling.")
    json_schema: Text | None = Field(default=None, alias="schema", description="JSON schema that the answer must fit.")
    extra: dict[str, Any] = Field(
        default={}, description="Further generation arguments, handed to the backend as they are."
    )

    @field_validator("json_schema")
    @classmethod
    def _is_schema(cls, value: str | None) -> str | None:
        try:
            fits = value is None or isinstance(json.loads(value), dict)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"a JSON schema must be JSON ({error})") from None
        if not fits:
            raise ValueError("a JSON schema is a JSON object")
        return value

    def generation(self) -> GenerationConfig:
        """Return the part of the options that a backend understands."""
        return GenerationConfig(
            max_new_tokens=self.max_new_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            num_beams=self.num_beams,
            stop=tuple(self.stop),
            seed=self.seed,
            extra=self.extra,
        )

    def schema_object(self) -> Mapping[str, Any] | None:
        """Return the JSON schema as an object, None where none was given."""
        return None if self.json_schema is None else json.loads(self.json_schema)


@dataclass(frozen=True)
class Prompts:
    """The words a task puts to a chat model: two jinja2 templates over its input and options."""

    system: str = ""
    user: str = ""

    @classmethod
    def load(cls, package: str) -> Prompts:
        """Read ``prompts/system.jinja`` (may be absent) and ``prompts/user.jinja`` of a plugin package."""
        folder = files(package) / "prompts"
        system = folder / "system.jinja"
        return cls(
            system.read_text("utf-8") if system.is_file() else "",
            (folder / "user.jinja").read_text("utf-8"),
        )

    def render(self, **values: Any) -> tuple[Message, ...]:
        """Return the messages with ``values`` filled in; an empty system template gives no message.

        Raises:
            ConfigError: a template is malformed or uses a name that is not in ``values``.
        """
        system, user = _render(self.system, values), _render(self.user, values)
        return (*([Message("system", system)] if system else []), Message("user", user))

    def digest(self) -> str:
        """Return the sha256 of both templates, as 64 hex digits."""
        return hashlib.sha256(f"{self.system}\0{self.user}".encode()).hexdigest()


@cache
def _compiled(template: str) -> Template:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    compiled = environment.from_string(template)
    compiled.globals = dict(compiled.globals)  # a ChainMap, which every rendering would copy name by name
    return compiled


def _render(template: str, values: Mapping[str, Any]) -> str:
    from jinja2 import TemplateError

    try:
        return _compiled(template).render(values).strip()
    except TemplateError as error:
        known = ", ".join(sorted(values))
        raise ConfigError(f"The prompt does not render: {error.message}. It may use: {known}.") from None


class Task(ABC, Generic[In, Opt, Out]):
    """A named NLP job. An author writes the three models, ``prompt`` and ``parse``.

    The first field of ``Input`` is what the command line takes as argument or from stdin; the first
    field of ``Output`` is the text that is printed and scored.
    """

    name: ClassVar[str]
    version: ClassVar[str] = "1"
    Input: type[In]
    Options: type[Opt]
    Output: type[Out]

    prompts: ClassVar[Prompts] = Prompts()
    reference_column: ClassVar[str] = "reference"
    """The column of a benchmark row that holds the reference(s)."""
    needs: ClassVar[frozenset[Capability]] = frozenset()
    """What a backend must be able to do for this task."""
    metrics: ClassVar[Sequence[str]] = ()
    benchmarks: ClassVar[Sequence[str]] = ()
    plain: ClassVar[bool] = False
    """Whether a sample without a reference is itself what to learn, as for language models."""
    streaming: ClassVar[bool] = False
    """Whether a step of one request is the last one, and its text is the output's first field."""

    def __init__(self, prompts: Prompts | None = None) -> None:
        self._prompts = prompts

    @cached_property
    def active_prompts(self) -> Prompts:
        """The prompts in use: the user's own where given."""
        return self._prompts or self.prompts

    @abstractmethod
    def prompt(self, sample: Sample, options: Opt) -> Request:
        """Return what to ask a backend about this sample."""

    @abstractmethod
    def parse(self, sample: Sample, completion: Completion) -> Out:
        """Return what the completion means. A ValueError becomes the sample's Failure."""

    def streams(self, sample: Sample) -> bool:
        """Return whether this sample's answer can be shown as it comes; by default ``streaming`` says it of all."""
        return self.streaming

    def target(self, sample: Sample) -> str:
        """Return the sample's reference as training text.

        Raises:
            ValueError: the sample has no reference.
        """
        if not sample.references:
            raise ValueError(f"sample {sample.id} has no {self.reference_column!r}")
        return str(sample.references[0])

    def notes(self, output: Out) -> Sequence[str]:
        """Return lines that a person should see beside the printed text, such as the source of an answer."""
        return ()

    def steps(self, sample: Sample, options: Opt, limits: Limits) -> Steps[Out]:
        """Yield requests, receive their completions, return the prediction. The default asks once."""
        [completion] = yield [self.prompt(sample, options)]
        return self.parse(sample, completion)


def unclosable_tag(name: str, text: str) -> str:
    """Return a tag's name, ``name`` or a longer one, that ``text`` cannot close: what is in it stays data."""
    while f"/{name}" in text.lower():
        name += "-text"
    return name


def first_field(model: type[BaseModel]) -> str:
    """Return the name of a model's first field."""
    return next(iter(model.model_fields))


def text_of(output: BaseModel) -> str:
    """Return the text of a prediction: the first field of its ``Output``."""
    value = getattr(output, first_field(type(output)))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
