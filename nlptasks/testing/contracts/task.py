"""What is asked of a task."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from nlptasks.backends.base import Answer, Backend
from nlptasks.data import Columns
from nlptasks.engine import Engine
from nlptasks.errors import NLPTasksError
from nlptasks.job import AnyTask, load_task, task_options
from nlptasks.plugin import registry
from nlptasks.records import Completion, Delta, Failure, Record, Sample
from nlptasks.tasks import GenerationOptions, text_of
from nlptasks.testing.command import Cli
from nlptasks.testing.contracts.examples import example_row
from nlptasks.testing.contracts.plugin import PluginContract, fail, require
from nlptasks.testing.scripted import BackwardsBackend, ScriptedBackend

ANSWER = "An answer."
ODD_ANSWERS = ("", " \n", "{", "null", "[]", '{"unexpected": [1]}', "Über 你好 🙂\u0000", "word " * 500)
"""What a model may well say: a task makes an output of it, or raises ValueError."""


class TaskContract(PluginContract):
    """The checks of a task. A subclass says its ``name``, best also ``row`` and ``answer``.

    ``row`` is one row of a batch file, its reference included; ``answer`` is what a model would say to it, as a text
    or as a Completion; ``options`` are some of the task's own. A row that is not given is made up from Input, its
    ``Field(examples=[...])`` first; checks are skipped where the task refuses what was made up.
    """

    kind = "task"
    row: ClassVar[Mapping[str, Any]] = {}
    answer: ClassVar[str | Completion] = ""
    options: ClassVar[Mapping[str, Any]] = {}

    @property
    def task(self) -> AnyTask:
        """Return a new instance of the task."""
        __tracebackhide__ = True
        name = self.full_name
        try:
            return load_task(name)
        except NLPTasksError as error:
            fail(str(error))

    @property
    def sample(self) -> Sample:
        """Return the row as a sample."""
        __tracebackhide__ = True
        task = self.task
        row = self.row or example_row(task, self._completion.text)
        try:
            [item] = Columns(task).samples(iter([(0, row)]), "the row")
        except NLPTasksError as error:
            item = Record(Sample("0", None), Failure("input", str(error)))
        if isinstance(item, Sample):
            return item
        trouble = f"the task refuses the row {dict(row)} ({item.result.message})"
        if self.row:
            fail(f"{trouble}: mend the contract's row")
        pytest.skip(f"{trouble}, which is made up: give Input's fields examples, or the contract a row")

    @property
    def prediction(self) -> Any:
        """Return what the task makes of the answer: an Output."""
        __tracebackhide__ = True
        result = self._record(self._completion).result
        trouble = f"the answer {self._completion.text!r} becomes {result!r}"
        if not self.answer and isinstance(result, Failure) and result.type == "sample":
            pytest.skip(f"{trouble}, and is made up: give the contract an answer of a model")
        require(isinstance(result, self.task.Output), f"{trouble}: mend parse, or the contract's answer")
        return result

    @property
    def _completion(self) -> Completion:
        return self.answer if isinstance(self.answer, Completion) else Completion(self.answer or ANSWER)

    def _options(self, task: AnyTask, **more: Any) -> BaseModel:
        return task_options(task, {**self.options, **more})

    def _run(self, backend: Backend, items: Iterable[Sample], **options: Any) -> list[Record]:
        task = self.task
        return list(Engine(task, self._options(task, **options), backend).run_in_order(items))

    def _record(self, answer: Any) -> Record:
        [record] = self._run(ScriptedBackend(answer), [self.sample])
        return record

    def test_it_declares_itself(self) -> None:
        """It has the name it is registered under, a version, and fields in its input and output."""
        task, registered = self.task, self.entry.spec.name
        version, kind = task.version, type(task).__name__
        require(task.name == registered, f"{kind}.name is {task.name!r}: it is registered as {registered!r}")
        require(isinstance(version, str) and version, f"version is {version!r}: make it a text such as '1'")
        require(task.Input.model_fields, "Input has no field: the first one is what the command line takes")
        require(task.Output.model_fields, "Output has no field: the first one is what is printed and scored")

    def test_its_fields_are_described(self) -> None:
        """Every field of input and options has a description: the help of its flag."""
        for model in (self.task.Input, self.task.Options):
            bare = [field for field, info in model.model_fields.items() if not info.description]
            require(not bare, f"{model.__name__} does not describe {', '.join(bare)}: Field(description='...')")

    def test_it_is_a_command(self, cli_runner: Cli) -> None:
        """The command line makes a command of its fields."""
        file = ["--plugin-file", self.plugin_file] if self.plugin_file else []
        done = cli_runner(*file, "run", self.full_name, "--help")
        last = (done.err.strip().splitlines() or ["no words"])[-1]
        require(done.code == 0, f"`nlptasks run {self.name} --help` fails: {last}")

    def test_its_models_pass_through_json(self) -> None:
        """Input, options and output have a JSON schema, and come back from JSON as they were."""
        task = self.task
        values = [self.sample.input, self._options(task)]
        if isinstance(output := self._record(self._completion).result, BaseModel):
            values.append(output)
        for value in values:
            model = type(value)
            _tried(f"{model.__name__} has no JSON schema", model.model_json_schema)
            dumped = _tried(f"{model.__name__} has no form in JSON", value.model_dump_json)
            rejected = f"{model.__name__} does not accept its own JSON {dumped}: keep a field's name among its aliases"
            again = _tried(rejected, model.model_validate_json, dumped, by_name=True, by_alias=True)
            require(
                again.model_dump_json() == dumped,
                f"{model.__name__} changes on its way through JSON: {dumped} becomes {again.model_dump_json()}",
            )

    def test_asking_is_pure(self) -> None:
        """The same sample makes the same request, and neither sample nor options are changed."""
        task, sample = self.task, self.sample
        options = self._options(task)
        kept = copy.deepcopy((sample, options))
        first, second = task.prompt(sample, options), task.prompt(sample, options)
        require((sample, options) == kept, "prompt changes the sample or the options: work on a copy")
        require(first == second, "prompt gives another request the second time: let it depend on its arguments alone")

    def test_a_request_is_plain(self) -> None:
        """What it asks is a Request with its task's name, messages, and fields of text."""
        backend = ScriptedBackend(self._completion)
        self._run(backend, [self.sample])
        require(backend.received, "it asks the backend nothing: yield requests in steps, or leave steps out")
        for request in backend.received:
            require(request.task == self.task.name, f"a Request has task={request.task!r}: pass task=self.name")
            require(request.messages, "a Request has no messages: chat models read nothing else")
            wrong = [name for name, value in request.fields.items() if not isinstance(value, str)]
            require(not wrong, f"the fields {', '.join(wrong)} of a Request are no texts: str(...) them")
            _tried("a Request holds what JSON has no form for", request.digest)

    def test_generation_options_reach_the_request(self) -> None:
        """Temperature, seed and the other generation options reach the backend."""
        if not issubclass(self.task.Options, GenerationOptions):
            pytest.skip("its Options are no GenerationOptions")
        backend = ScriptedBackend(self._completion)
        self._run(backend, [self.sample], temperature=0.25, seed=11)
        found = {(request.config.temperature, request.config.seed) for request in backend.received}
        require(found == {(0.25, 11)}, "the options do not reach the Request: pass config=options.generation()")

    def test_a_reference_is_training_text(self) -> None:
        """A sample's reference is a text to train on; without one it says so by ValueError."""
        task, sample = self.task, self.sample
        target = "" if sample.references is None else task.target(sample)
        require(isinstance(target, str), f"target gives a {type(target).__name__}: return a str")
        if task.plain:
            return
        try:
            task.target(replace(sample, references=None))
        except ValueError:
            return
        fail("target makes up a text for a sample without references: raise ValueError")

    def test_an_answer_becomes_a_prediction(self) -> None:
        """A model's answer becomes an Output that the command line can print."""
        require(isinstance(text_of(self.prediction), str), "the first field of Output has no text")

    def test_any_answer_is_an_output_or_a_valueerror(self) -> None:
        """Whatever a model says, parse returns an Output or raises ValueError."""
        for answer in ODD_ANSWERS:
            result = self._record(replace(self._completion, text=answer)).result
            odd = isinstance(result, Failure) and result.type == "task"
            require(not odd, f"{getattr(result, 'message', '')} (for the answer {answer[:40]!r}): raise ValueError")

    def test_a_failed_request_fails_its_sample_alone(self) -> None:
        """Where the backend fails one sample's request, the other samples have their predictions."""
        _ = self.prediction
        backend = ScriptedBackend(self._completion)
        self._run(backend, [self.sample])
        each = len(backend.received)  # requests of one sample
        answers: list[Answer] = [
            *[self._completion] * each,
            Failure("scripted", "no answer"),
            *[self._completion] * 8 * each,
        ]
        backend = ScriptedBackend(answers)
        backend.batch_size = 1
        first, second, third = self._run(backend, _numbered(self.sample, 3))
        require(isinstance(second.result, Failure), "a sample whose request failed has a prediction all the same")
        require(not first.failed and not third.failed, "a failed request takes other samples with it: keep no state")

    def test_predictions_keep_the_samples_order(self) -> None:
        """Each sample has its own prediction, in whatever order the backend answers."""
        alone = self.prediction
        records = self._run(BackwardsBackend(self._completion), _numbered(self.sample, 9))
        require([one.sample.id for one in records] == [str(i) for i in range(9)], "samples are lost or out of order")
        same = all(record.result == alone for record in records)
        require(same, "a sample's prediction depends on what else is asked: keep no state in the task")

    def test_a_stream_gives_the_same(self) -> None:
        """What is streamed is what is returned."""
        task = self.task
        if not task.streams(self.sample):
            pytest.skip("it does not stream")
        engine = Engine(task, self._options(task), ScriptedBackend(self._completion))
        *deltas, record = engine.stream(self.sample)
        if not isinstance(record, Record):
            fail("the stream does not end with a record")
        require(record.result == self.prediction, "a streamed answer has another prediction")
        shown = "".join(delta.text for delta in deltas if isinstance(delta, Delta)).strip()
        printed = text_of(record.result).strip()
        require(shown == printed, f"streamed is {shown!r}, printed {printed!r}: leave out streaming = True")

    def test_its_metrics_and_benchmarks_exist(self) -> None:
        """The metrics and benchmarks that it names are registered."""
        for kind, names in (("metric", self.task.metrics), ("benchmark", self.task.benchmarks)):
            require(not isinstance(names, str), f"{kind}s is a text: make it a tuple, ({names!r},)")
            for name in names:
                try:
                    registry().find(kind, name)  # type: ignore[arg-type]
                except NLPTasksError as error:
                    fail(f"{self.name} names the {kind} {name!r}: {error}")


def _numbered(sample: Sample, count: int) -> list[Sample]:
    return [replace(sample, id=str(number), index=number) for number in range(count)]


def _tried(trouble: str, do: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Return what ``do`` gives; what it raises fails the test in one line."""
    __tracebackhide__ = True
    try:
        return do(*arguments, **named)
    except Exception as error:
        fail(f"{trouble} ({type(error).__name__}: {' '.join(str(error).split())})")
