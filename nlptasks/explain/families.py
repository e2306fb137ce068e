"""How each family of local models is asked to show its attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nlptasks.backends.hf.backend import HFBackend, check_text
from nlptasks.backends.hf.batching import pad
from nlptasks.backends.hf.causal import CausalBackend
from nlptasks.backends.hf.extractive import ExtractiveBackend
from nlptasks.backends.hf.languages import SAME
from nlptasks.backends.hf.quiet import quiet
from nlptasks.backends.hf.seq2seq import Seq2SeqBackend
from nlptasks.backends.hf.spans import best_spans, find_spans, probabilities
from nlptasks.backends.hf.streaming import Hooks
from nlptasks.backends.hf.vision import VisionBackend
from nlptasks.errors import InputError, SampleError, UnsupportedError, UsageError
from nlptasks.explain.attention import Call, Part, layers, watched
from nlptasks.explain.explanation import LONGEST, Explanation, Spans, Subject
from nlptasks.explain.tokens import Token, read_tokens
from nlptasks.records import Message, Request

if TYPE_CHECKING:
    from collections.abc import Callable

SELF = "each token (row) to the tokens it reads (columns), itself included"
CROSS = "each token written (row) to the tokens of the source (columns)"
ENCODER = "each token of the source (row) to all of the source (columns)"
DECODER = "each token written so far (row) to those before it and itself (columns)"


def explain(backend: HFBackend, subject: Subject) -> Explanation:
    """Have a local model read ``subject``, and return what it computed. Its attention must be eager.

    The text passes the plugins' guards, as every request does.

    Raises:
        UnsupportedError: a family that cannot be looked into, or that has no use for a part of ``subject``.
        InputError: a text that is empty, too long, or that the model cannot read.
    """
    from nlptasks.backends.guarded import Guards
    from nlptasks.plugin import registry

    look = _look(backend, subject)
    if not subject.text.strip():
        raise InputError("There is no text to explain: it is empty.")
    request, _ = Guards(registry().plugins).before(_request(backend, subject))
    try:
        check_text(request)
        with backend.lock, quiet():
            return look(backend, request)
    except SampleError as error:
        raise InputError(str(error)) from None


def _look(backend: HFBackend, subject: Subject) -> Callable[[Any, Request], Explanation]:
    """Return the function for the family of ``backend``."""
    model = repr(backend.source.model)
    look: Callable[[Any, Request], Explanation]
    if isinstance(backend, ExtractiveBackend):
        look, takes = extractive, {"question"}
        if not (subject.question or "").strip():
            raise UsageError(f"{model} answers questions from the text: give one with --question.")
    elif isinstance(backend, Seq2SeqBackend):
        look, takes = seq2seq, {"target", "source_lang", "target_lang"}
    elif isinstance(backend, CausalBackend) and not isinstance(backend, VisionBackend):
        look, takes = causal, {"chat"}
    else:
        raise UnsupportedError(
            f"{model} cannot be looked into: explain knows causal, encoder-decoder and question-answering models."
        )
    for name, flag in FLAGS.items():
        if getattr(subject, name) and name not in takes:
            raise UsageError(f"{flag} means nothing to {model}, which is {KINDS[look]}: leave it out.")
    return look


def _request(backend: HFBackend, subject: Subject) -> Request:
    """Return the request for ``subject``: what is guarded and what is read, all in one."""
    named = {name: getattr(subject, name) for name in ("question", "target", "source_lang", "target_lang")}
    fields = {"text": subject.text, **{name: value for name, value in named.items() if value is not None}}
    if "question" in fields:
        fields["context"] = fields.pop("text")
    languages = bool(subject.source_lang or subject.target_lang)
    translates = languages or backend.tasks == frozenset({"translation"})
    message = (Message("user", subject.text),)
    return Request(message, "translation" if translates else "chat" if subject.chat else "", fields)


def causal(backend: CausalBackend, request: Request) -> Explanation:
    """Show the attention of a decoder to the bare text, or to the chat that its template makes of it."""
    if request.task != "chat":
        ids = list(backend.tokenizer(request.fields["text"])["input_ids"])
    elif backend.template:
        ids = backend.tokens(request)
    else:
        raise UsageError(f"{backend.source.model!r} has no chat template: leave out --chat.")
    check_length(backend, len(ids))
    calls, output = _run(backend, pad([ids], backend.filler, left=True, device=backend.model.device))
    attentions = getattr(output, "attentions", None)  # a model of states has none
    return _explanation(backend, request, (_part("self", SELF, backend, (ids, ids), attentions, calls),))


def seq2seq(backend: Seq2SeqBackend, request: Request) -> Explanation:
    """Show the attention of an encoder-decoder while it writes; rows of ``cross`` are named by what they write."""
    import torch

    prompt = backend.prompt(0, request)
    source = list(prompt.ids)
    check_length(backend, len(source))
    if "target" in request.fields:
        written = _target(backend, request)
        check_length(backend, len(written), "target")
    else:
        [row] = backend.generate([prompt], Hooks())
        written = [*row.ids, *_end(backend, row.ended)]
    if not written:
        raise InputError(f"{backend.source.model!r} writes nothing for this text: give what it could with --target.")
    settings = backend.model.generation_config
    start = settings.bos_token_id if settings.decoder_start_token_id is None else settings.decoder_start_token_id
    read = [int(start), *written[:-1]]
    inputs = backend.collate([prompt])
    calls, output = _run(backend, {**inputs, "decoder_input_ids": torch.tensor([read], device=backend.model.device)})
    parts = (
        _part("cross", CROSS, backend, (written, source), output.cross_attentions, calls),
        _part("encoder", ENCODER, backend, (source, source), output.encoder_attentions, calls),
        _part("decoder", DECODER, backend, (read, read), output.decoder_attentions, calls),
    )
    return _explanation(backend, request, parts, target=backend.decode(written))


def extractive(backend: ExtractiveBackend, request: Request) -> Explanation:
    """Show where an extractive model sees the answer begin and end, and the attention behind that."""
    import torch

    check_length(backend, backend.count(request))
    [window] = backend.windows(0, request)
    ids = list(window.inputs["input_ids"])
    tensors = {name: torch.tensor([value], device=backend.model.device) for name, value in window.inputs.items()}
    calls, output = _run(backend, tensors)
    start, end = output.start_logits[0].float().cpu(), output.end_logits[0].float().cpu()
    starts, ends = probabilities(window, start, end)
    found, null = find_spans(window, start, end)
    best = best_spans(window.search, found, null)[0]
    spans = Spans(tuple(starts.tolist()), tuple(ends.tolist()), best.answer, best.score, null)
    part = _part("self", SELF, backend, (ids, ids), output.attentions, calls)
    return _explanation(backend, request, (part,), spans, question=request.fields["question"])


KINDS: Mapping[Any, str] = {causal: "causal", seq2seq: "an encoder-decoder", extractive: "extractive"}
FLAGS = {
    "chat": "--chat",
    "question": "--question",
    "target": "--target",
    "source_lang": "--from",
    "target_lang": "--to",
}


def check_length(backend: HFBackend, length: int, what: str = "text") -> None:
    """Raise InputError for more tokens than the model reads or a picture shows, or for none."""
    if not length:
        raise InputError(f"{backend.source.model!r} reads no token in this {what}: give another.")
    context = backend.context or LONGEST
    if length > min(context, LONGEST):
        most = f"the model reads {context}" if context < LONGEST else f"explain shows at most {LONGEST}"
        raise InputError(f"The {what} takes {length} tokens, but {most}: give a shorter one.")


def _run(backend: HFBackend, inputs: Mapping[str, Any]) -> tuple[list[Call], Any]:
    import torch

    settings = {} if isinstance(backend, ExtractiveBackend) else {"use_cache": False}
    with torch.inference_mode(), watched(backend.model) as calls:
        return calls, backend.model(**inputs, output_attentions=True, **settings)


def _part(
    name: str,
    says: str,
    backend: HFBackend,
    ids: tuple[Sequence[int], Sequence[int]],
    attentions: Any,
    calls: Sequence[Call],
) -> Part:
    queries, keys = (_tokens(backend, one) for one in ids)
    found = layers(attentions, calls, (len(queries), len(keys)), backend.source.model)
    return Part(name, says, queries, keys, found)


def _tokens(backend: HFBackend, ids: Sequence[int]) -> tuple[Token, ...]:
    return read_tokens(backend.tokenizer, ids)


def _target(backend: Seq2SeqBackend, request: Request) -> list[int]:
    tag = request.fields.get("target_lang")
    if tag and backend.languages.codes and not backend.languages.inline:
        backend.tokenizer.tgt_lang = backend.languages.find(tag, SAME)
    return list(backend.tokenizer(text_target=request.fields["target"])["input_ids"])


def _end(backend: Seq2SeqBackend, ended: bool) -> list[int]:
    end = backend.published["eos_token_id"]
    return [end[0] if isinstance(end, list) else end] if ended else []


def _explanation(
    backend: HFBackend, request: Request, parts: tuple[Part, ...], spans: Spans | None = None, **facts: Any
) -> Explanation:
    family = type(backend).__name__.removesuffix("Backend").lower()
    kind = type(backend.model).__name__
    return Explanation(backend.source.model, kind, family, _text(request), parts, spans, facts)


def _text(request: Request) -> str:
    return request.fields.get("text") or request.fields["context"]
