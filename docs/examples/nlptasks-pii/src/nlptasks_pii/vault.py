"""The identifiers of one request and their placeholders. Nothing of it is ever written anywhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from nlptasks import Completion, Request
from nlptasks_pii.find import find

PLACEHOLDER = re.compile(r"\[[A-Z_]+_\d+\]")


class Vault:
    """Hides identifiers: the same one always by the same placeholder, by none that the request itself holds."""

    def __init__(self, request: Request) -> None:
        self._given = "\n".join([*(message.content for message in request.messages), *request.fields.values()])
        self._numbers: Counter[str] = Counter()
        self._placeholders: dict[str, str] = {}
        self.guarded = _in_request(request, self._hide)
        self._identifiers = {placeholder: text for text, placeholder in self._placeholders.items()}

    def show(self, text: str) -> str:
        """Return ``text`` with the identifiers in place of their placeholders."""
        return PLACEHOLDER.sub(lambda match: self._identifiers.get(match[0], match[0]), text)

    def completion(self, completion: Completion) -> Completion:
        """Return an answer with its identifiers; offsets into the context are those of the real one."""
        data = _walk(completion.data, self.show)
        context = self.guarded.fields.get("context", "")
        for name in ("start", "end"):
            if isinstance(at := data.get(name), int):
                data[name] = len(self.show(context[:at]))
        return replace(
            completion, text=self.show(completion.text), reasoning=self.show(completion.reasoning), data=data
        )

    def _hide(self, text: str) -> str:
        pieces, at = [], 0
        for start, end, kind in find(text):
            pieces += [text[at:start], self._placeholder(text[start:end], kind)]
            at = end
        return "".join([*pieces, text[at:]])

    def _placeholder(self, identifier: str, kind: str) -> str:
        while identifier not in self._placeholders:
            self._numbers[kind] += 1
            placeholder = f"[{kind}_{self._numbers[kind]}]"
            if placeholder not in self._given:
                self._placeholders[identifier] = placeholder
        return self._placeholders[identifier]


def _in_request(request: Request, change: Callable[[str], str]) -> Request:
    """Change every text that may be sent, those of the settings too."""
    config = request.config
    config = replace(config, stop=tuple(map(change, config.stop)), extra=_walk(config.extra, change))
    return replace(request.map_text(change), config=config, schema=_walk(request.schema, change))


def _walk(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(key) if isinstance(key, str) else key: _walk(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_walk(item, change) for item in value]
    return value
