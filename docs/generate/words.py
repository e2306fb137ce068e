"""From names, docstrings and schemas to Markdown."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from types import ModuleType
from typing import Any

SECTION = re.compile(r"^(Args:|Raises:)\n((?: +.*\n|\n)+)", re.MULTILINE)
LINK = re.compile(r"(?<![`\"(<])(https?://[^\s,)]+[^\s,).])")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, "" where it would have no rows."""
    lines = ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(["| " + " | ".join(head) + " |", "|---" * len(head) + "|", *lines]) + "\n" if lines else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(*names: str) -> str:
    """Return names as code, with commas between."""
    return ", ".join(f"`{name}`" for name in names)


def prose(text: str | None) -> str:
    """Return a docstring or a help text as Markdown: ``code`` as `code`, a plain address as a link."""
    kept = inspect.cleandoc(text or "").replace("\b\n", "").replace("``", "`")
    parts = re.split(r"(`[^`]*`)", kept)
    return "".join(part if part.startswith("`") else LINK.sub(r"<\1>", part.replace("<", "&lt;")) for part in parts)


def sections(docstring: str | None) -> str:
    """Return a docstring with its Args and Raises as lists."""
    return SECTION.sub(_list, prose(docstring) + "\n").rstrip() + "\n"


def _list(section: re.Match[str]) -> str:
    entries = re.split(r"\n(?=\S)", textwrap.dedent(section[2]).strip())
    return f"{section[1]}\n\n" + "\n".join(_entry(entry) for entry in entries) + "\n\n"


def _entry(text: str) -> str:
    """Return an argument with its meaning; what stands below that in lines of its own stays there."""
    names, _, meaning = text.partition(": ")
    first, _, more = meaning.partition("\n\n")
    below = f"\n\n{more}\n" if more else ""
    return f"- {code(*names.split(', '))}: {' '.join(first.split())}{below}"


def attribute_docs(kind: type) -> Mapping[str, str]:
    """Return the strings that stand below the attributes of a class."""
    [found] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(found, ast.ClassDef)
    return _strings_below(found.body)


def module_docs(module: ModuleType) -> Mapping[str, str]:
    """Return the strings that stand below the names of a module."""
    return _strings_below(ast.parse(inspect.getsource(module)).body)


def _strings_below(body: Sequence[ast.stmt]) -> dict[str, str]:
    found = {}
    for one, after in pairwise(body):
        name = one.targets[0] if isinstance(one, ast.Assign) else one.target if isinstance(one, ast.AnnAssign) else None
        if isinstance(name, ast.Name) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[name.id] = prose(str(after.value.value))
    return found


def type_of(schema: Mapping[str, Any]) -> str:
    """Return a JSON schema's type in words."""
    kinds = [_kind(one) for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    return " or ".join(dict.fromkeys(kinds))


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return code(*map(str, schema["enum"]))
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array" and "items" in schema:
        return f"list of {type_of(schema['items'])}"
    return str(schema.get("type", "any"))


def default_of(schema: Mapping[str, Any]) -> str:
    """Return a schema's default as code, "" where it is empty or there is none."""
    value = schema.get("default")
    return "" if value in (None, "", [], {}) else code(str(value))
