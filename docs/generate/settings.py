"""The pages of settings and of files, from the code that reads and writes them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from docs.generate.words import attribute_docs, code, prose, table
from nlptasks.config import ENVIRONMENT, Config
from nlptasks.data.reading import read_rows
from nlptasks.runs.record import Counts, Run
from nlptasks.training.folder import Record

SETTINGS = """\
# Settings

A flag goes before a variable, a variable before a file, the file here before your own, and that before the default.
`nlptasks doctor` shows what is in force.
"""
TOML = """\
## nlptasks.toml

Looked for in the current folder, then in your config directory (`~/.config/nlptasks` on Linux). A key that does not
exist is an error. A plugin that is switched off by `nlptasks plugins disable` is kept in the config directory as well.
"""
EXAMPLE = """\
```toml title="nlptasks.toml"
model = "hf/Qwen/Qwen3-0.6B"
cache = true
```

`[backends.PROVIDER]` holds options of a [backend](backends.md), and is read from your own file only: a folder that
someone else filled must not send your texts elsewhere.

```toml
[backends.openai]
base_url = "http://localhost:8000/v1"
concurrency = 16
```
"""
VARIABLES = """\
## Environment variables
"""
FILES = """\
# Files

All text is UTF-8.

## What is read

The columns of a row are the fields of the [task](tasks.md): of its input, of its options where rows differ in them,
`id`, and its reference column. Others are kept. A path in a row is meant from the folder of its file.
"""
WRITTEN = """\
## What is written

`--output` is JSON Lines, or Parquet where its name ends so, whatever the input was. Columns that came with a row are
kept; these are added, in place of columns of the same name:
"""
ROW = {
    "id": "The row's own, else its position.",
    "prediction": "The text: the first field of the task's output. A failed row has none.",
    "output": "All fields, where the task's output has more than one.",
    "error": "Only of a failed row: `type` and `message`.",
}
"""What a row of the output has. A test compares it with real ones."""
RUN = """\
## A run's directory

`--output y.jsonl` keeps `y.jsonl.run/` beside it; `eval` writes `runs/NAME/`, with its output inside. In it are
`run.json`, which is replaced at once, and `samples.jsonl`, to which a line is added for each sample that is finished.

### run.json
"""
SAMPLES = """\
### samples.jsonl

`--log-content none` keeps none of the fields that hold text, `hash` a `sha256` of each in their place.
"""
LINE = {
    "index": "The position of the row in the input, from 0.",
    "failed": "Whether there is no prediction.",
    "truncated": "Whether an answer was cut off at `max_new_tokens`.",
    "empty": "Whether the prediction has no text.",
    "cached": "Whether all answers came from the cache.",
    "prompt_tokens": "Tokens read for this sample.",
    "completion_tokens": "Tokens written for it.",
    "seconds": "Time from its first request to its end.",
    "crc32": "A checksum of all that follows it in this line.",
    "output_crc32": "A checksum of the line that this one stands for in the output.",
    "id": "The row's own `id`, else its position.",
    "prediction": "The task's output, with all its fields; null where it failed.",
    "exchanges": "Every request for this sample, each with its `messages` and its `answer`.",
    "references": "What the prediction is scored against; null where there is nothing.",
    "error": "Only of a failed sample: `type`, `message`, and whether trying again may help (`retryable`).",
}
"""The fields of a line of samples.jsonl. A test compares them with those of a real one."""
TRAINING = """\
## training.json

A folder that `nlptasks train` writes is a model to use with `--model hf/FOLDER`, with a model card (`README.md`). This
file beside it tells how it came to be; `work/` holds checkpoints until the training is done.
"""
PREDICTIONS = """\
## Predictions to score

`nlptasks score` takes the rows of `--predictions` by `id`, or by line where they have none, from any of the formats
above. SQuAD's own files are read as they are: predictions as one JSON object from question ids to answers, references
as `train-v1.1.json`, `dev-v2.0.json` and the like.

## Templates

`--prompt FILE` is a [jinja2](https://jinja.palletsprojects.com) template over the fields of the task's input and
options. A name that it does not know is an error, which tells those it may use.

## Others

- A glossary (`translate --glossary`) has a term on each line: `term = translation`.
- A transcript (`chat --transcript`) is JSON: `version` 1, the `model` that answered last, `system`, and `messages` with
  `role`, `content` and `images`.
- The response cache is one SQLite file; `nlptasks cache info` tells where.
"""


def settings() -> str:
    """Return the page of settings."""
    rows = [(code(name), prose(meaning)) for name, meaning in ENVIRONMENT.items()]
    docs = attribute_docs(Config)
    keys = [(code(one.name), str(one.type), _default(one), docs[one.name]) for one in fields(Config)]
    return "\n".join(
        [
            *(SETTINGS, VARIABLES, table(("variable", "meaning"), rows)),
            "What else transformers, torch, httpx (such as `HTTPS_PROXY`) and the hub's own library read holds, too.\n",
            *(TOML, table(("key", "type", "default", "meaning"), keys), EXAMPLE),
        ]
    )


def _default(one: Any) -> str:
    return "" if one.default in (MISSING, ()) else code(str(one.default).lower() if one.type == "bool" else one.default)


def files() -> str:
    """Return the page of files."""
    return "\n".join(
        [
            *(FILES, _formats()),
            *(WRITTEN, _fields(ROW)),
            *(RUN, _members(Run), "`counts` holds:\n", _members(Counts)),
            *(SAMPLES, _fields(LINE)),
            *(TRAINING, _members(Record), PREDICTIONS),
        ]
    )


def _formats() -> str:
    """Return what ``read_rows`` says of formats, between what it returns and what it raises."""
    return prose(inspect.getdoc(read_rows)).partition("\n\n")[2].partition("\n\nRaises")[0] + "\n"


def _fields(meanings: Mapping[str, str]) -> str:
    return table(("field", "meaning"), [(code(name), meaning) for name, meaning in meanings.items()])


def _members(kind: type) -> str:
    docs = attribute_docs(kind)
    return _fields({one.name: docs[one.name] for one in fields(kind)})
