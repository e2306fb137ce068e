"""Text in, text out: summarization, translation and text2text-generation."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, ClassVar

from nlptasks.backends.hf.seq2seq import Seq2SeqBackend
from nlptasks.data import plain_column
from nlptasks.errors import InputError, UsageError
from nlptasks.pipelines.calling import HARMLESS, Pipeline, Verbatim, is_list, plain
from nlptasks.records import GenerationConfig, Message, Record, Request
from nlptasks.tasks import text_of

KEYS = {"summarization": "summary_text", "translation": "translation_text", "text2text-generation": "generated_text"}
UNTRUNCATED = (False, "do_not_truncate")


class TextPipeline(Pipeline):
    """Answers a text with ``[{key: text}]``, a list of texts with a list of such dicts."""

    task_names: ClassVar[Mapping[str, str]] = {"text2text-generation": "text-generation"}

    def __call__(self, inputs: Any, /, **arguments: Any) -> Any:
        """Return ``[{key: text}]`` for a text; for a list ``[{key: text}, ...]``; for a stream an iterator.

        With ``num_return_sequences`` above 1 each input has a list of as many dicts. ``arguments`` are those
        of ``generate``, ``truncation``, ``clean_up_tokenization_spaces``, and ``src_lang`` and ``tgt_lang``.

        Raises:
            SampleError: an input cannot be answered.
            UsageError, UnsupportedError: an argument.
        """
        call = self._call(arguments)
        languages = self._languages(call)
        answers = partial(self._generated if self.verbatim else self._by_task, call=call, languages=languages)
        results = self._respond(inputs, answers)
        flat = is_list(inputs) and all(len(each) == 1 for each in results)
        return [one for [one] in results] if flat else results

    @cached_property
    def verbatim(self) -> Verbatim | None:
        # What an encoder-decoder was trained for is the user's to know; translation is what none of them refuses.
        return Verbatim("translation") if isinstance(self._model.bare, Seq2SeqBackend) else None

    def _languages(self, call: dict[str, Any]) -> dict[str, str]:
        """Take the languages out of a call's arguments, or out of the pipeline's name."""
        if not self.task.startswith("translation"):
            return {}
        source, target = call.pop("src_lang", None), call.pop("tgt_lang", None)
        # xx and yy are what the documentation of transformers writes for "whatever the model was trained for".
        if source is target is None and "_" in self.task and not self.task.lower().endswith("xx_to_yy"):
            _, source, _, target = self.task.split("_")
        return {side: tag for side, tag in (("source_lang", source), ("target_lang", target)) if tag}

    def _by_task(
        self, texts: Iterable[str], call: Mapping[str, Any], languages: Mapping[str, str]
    ) -> Iterator[list[dict[str, str]]]:
        if self._registered.name == "translation" and "target_lang" not in languages:
            raise UsageError("Say into which language: pipeline('translation_en_to_de', ...), or tgt_lang='de'.")
        column = plain_column(self._registered)
        rows = ({column: text, **languages} for text in self._checked(texts))
        for record in self._done(rows, call):
            yield self._dicts(text_of(record.result), record)

    def _generated(
        self, texts: Iterable[str], call: Mapping[str, Any], languages: Mapping[str, str]
    ) -> Iterator[list[dict[str, str]]]:
        request, clean = self._request(call, languages), bool(call.get("clean_up_tokenization_spaces"))
        prefix = call.get("prefix", self._known["prefix"])
        prefixed = (prefix + text for text in self._checked(texts))
        if call.get("truncation", False) not in UNTRUNCATED:
            prefixed = (self._cut(text, request) for text in prefixed)
        for record in self._asked(_with_text(request, text) for text in prefixed):
            yield self._dicts(record.result.text, record, clean)

    def _request(self, call: Mapping[str, Any], languages: Mapping[str, str]) -> Request:
        """Return what to ask about any text: the tokens are those that transformers 4 would give the model."""
        bare = self._model.bare
        assert isinstance(bare, Seq2SeqBackend)
        settings = dict(self._known)
        if "max_length" in call:
            settings.pop("max_new_tokens", None)
        settings |= call
        settings = {name: value for name, value in settings.items() if name not in HARMLESS | {"prefix"}}
        ours = {"stop": tuple(settings.pop("stop", ())), "seed": settings.pop("seed", None)}
        # A T5 is told its languages by its prefix alone, a Marian of many languages may be by the text.
        told = bare.config.model_type != "t5" and ("target_lang" in languages or not bare.languages.inline)
        is_translation = self._registered.name == "translation" and told
        return Request(
            (),
            task="translation" if is_translation else "text-generation",
            fields=languages,
            config=GenerationConfig(**ours, extra=plain(settings)),
        )

    def _cut(self, text: str, request: Request) -> str:
        """Return as much of the beginning of ``text`` as the model reads."""
        limits = self._model.backend.limits()

        def count(length: int) -> int:
            return limits.count(_with_text(request, text[:length]))

        if limits.context is None or count(len(text)) <= limits.context:
            return text
        return text[: bisect_right(range(len(text)), limits.context, key=count) - 1]

    @cached_property
    def _known(self) -> dict[str, Any]:
        """What the checkpoint says about generation and this task, its prefix too, over transformers 4's defaults."""
        import transformers

        settings: Any = transformers.GenerationConfig
        config = self._model.bare.config  # type: ignore[attr-defined]
        defaults = {"num_beams": 4, "top_k": 50, "prefix": getattr(config, "prefix", None) or ""}
        names = {*vars(settings()), "prefix"}
        of_task = (getattr(config, "task_specific_params", None) or {}).get(self.task) or {}
        of_task = {name: value for name, value in of_task.items() if name in names}
        return {**defaults, **self._model.generation, **of_task}

    def _checked(self, texts: Iterable[Any]) -> Iterator[str]:
        for text in texts:
            if not isinstance(text, str):
                raise InputError(f"{self.task} takes texts, not {type(text).__name__}.")
            yield text

    def _dicts(self, text: str, record: Record, clean: bool = False) -> list[dict[str, str]]:
        texts = [text, *record.completions[-1].data.get("alternatives", ())] if record.completions else [text]
        if clean:
            texts = [self.tokenizer.clean_up_tokenization(text) for text in texts]
        return [{KEYS[self.task.partition("_")[0]]: text} for text in texts]


def _with_text(request: Request, text: str) -> Request:
    return replace(request, messages=(Message("user", text),), fields={**request.fields, "text": text})
