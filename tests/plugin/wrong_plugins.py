"""Ways to write a wrong plugin: its code, the command that meets it, and the one line that answers it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Wrong:
    """A plugin ``name`` and what is said about it.

    ``line`` follows "Plugin 'odd' (stranger 1.2) cannot be used: " in the warning of every command; for one that
    loads, ``command`` names the command that meets it, which ends with ``exit_code`` and says ``line`` on stderr.
    """

    code: str
    line: str
    command: tuple[str, ...] = ()
    exit_code: int = 0
    name: str = "odd"
    entry_points: str | None = None
    modules: dict[str, str] = field(default_factory=dict)


def hook(kind: str, body: str) -> str:
    return f"@hookimpl\ndef register_{kind}s():\n    {body}\n"


def returning(spec: str) -> str:
    return hook("task", f"return [{spec}]")


BROKEN = {
    # the module
    "a package that is not installed": Wrong(
        "import lost_package", "ModuleNotFoundError: No module named 'lost_package'"
    ),
    "a name that nlptasks lacks": Wrong(
        "from nlptasks import Taks", "ImportError: cannot import name 'Taks' from 'nlptasks'"
    ),
    "a syntax error": Wrong("def broken(:", "SyntaxError: invalid syntax"),
    "raises on import": Wrong("raise OSError('no\\nluck')", "OSError: no luck"),
    "sys.exit on import": Wrong("import sys\nsys.exit(3)", "it called sys.exit(3)"),
    "a panic": Wrong("class Panic(BaseException): pass\nraise Panic('in Rust')", "Panic: in Rust"),
    "connects on import": Wrong(
        "import socket\nsocket.create_connection(('127.0.0.1', 9))",
        "it opens a connection while it loads: connect where the thing is used, not in a hook",
    ),
    "the entry point names no module": Wrong(
        "", "ModuleNotFoundError: No module named 'stranger_old'", entry_points="[nlptasks]\nodd = stranger_old\n"
    ),
    "the entry point names nothing in its module": Wrong(
        "",
        "AttributeError: module 'stranger_odd' has no attribute 'plugin'",
        entry_points="[nlptasks]\nodd = stranger_odd:plugin\n",
    ),
    "the name of a built-in plugin": Wrong("", "the name 'chat' is taken by 'chat' (nlptasks ", name="chat"),
    "a contract of tomorrow": Wrong(
        "",
        "it asks for contract 7, and this nlptasks keeps no newer one than 1: pip install -U nlptasks",
        entry_points="[nlptasks.7]\nodd = stranger_odd\n",
    ),
    "a contract of yesterday": Wrong(
        "",
        "it asks for contract 0, and this nlptasks keeps no older one than 1: pip install -U stranger",
        entry_points="[nlptasks.0]\nodd = stranger_odd\n",
    ),
    # the hooks
    "a misspelt hook": Wrong("@hookimpl\ndef register_task(): return []", "unknown hook 'register_task'"),
    "a hook with other arguments": Wrong(
        "@hookimpl\ndef register_tasks(config): return []", "Argument(s) {'config'} are declared"
    ),
    **{
        f"register_{kind}s raises": Wrong(hook(kind, "raise ZeroDivisionError('oops')"), "ZeroDivisionError: oops")
        for kind in ("task", "backend", "metric", "benchmark", "command")
    },
    "sys.exit in a hook": Wrong(hook("metric", "raise SystemExit('bye')"), "it called sys.exit('bye')"),
    "connects in a hook": Wrong(
        hook("task", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')"),
        "it opens a connection while it loads: connect where the thing is used, not in a hook",
    ),
    "connects in a hook and goes on without": Wrong(
        "import contextlib, socket\n"
        + hook("task", "with contextlib.suppress(Exception): socket.getaddrinfo('localhost', 80)\n    return []"),
        "it opens a connection while it loads: connect where the thing is used, not in a hook",
    ),
    "returns nothing": Wrong(hook("task", "pass"), "register_tasks returned a NoneType, not a list of Specs"),
    "returns a Spec without a list": Wrong(
        hook("task", "return Spec('t', 'a:b')"), "register_tasks returned a Spec, not a list of Specs"
    ),
    "returns names": Wrong(hook("backend", "return ['x:y']"), "register_backends returned a str among its Specs"),
    "fails half-way": Wrong(hook("task", "yield Spec('half', 'a:b')\n    raise KeyError('way')"), "KeyError: 'way'"),
    # the Specs
    "one name twice": Wrong(returning("Spec('two', 'a:b'), Spec('two', 'a:c')"), "register_tasks returned 'two' twice"),
    "a name with a space": Wrong(returning("Spec('Bad Name', 'a:b')"), "the name 'Bad Name' is not of the form"),
    "an empty name": Wrong(returning("Spec('', 'a:b')"), "the name '' is not of the form"),
    "a name that is no text": Wrong(returning("Spec(5, 'a:b')"), "the name of a Spec is a str, not a int"),
    "a class as target": Wrong(returning("Spec('t', Spec)"), "the target of a Spec is a str, not a type"),
    "a target without an attribute": Wrong(
        returning("Spec('t', 'a.b')"), "the target of 't' is 'module:attribute', not 'a.b'"
    ),
    "no target": Wrong(returning("Spec('t')"), "missing 1 required positional argument: 'target'"),
    "an argument that a Spec lacks": Wrong(
        returning("Spec('t', 'a:b', command='t')"), "unexpected keyword argument 'command'"
    ),
    "a verb like an option": Wrong(returning("Spec('t', 'a:b', verb='-x')"), "the name '-x' is not of the form"),
    "a summary of two lines": Wrong(returning("Spec('t', 'a:b', 'x\\ny')"), "the summary of 't' is more than one line"),
}
"""Those that do not load: every command warns of them, with the plugin's name, its origin and the reason."""

TASK = """
from pydantic import BaseModel
from nlptasks import GenerationOptions, Message, Request, Task

class Text(BaseModel):
    text: str

class Odd(Task[Text, GenerationOptions, Text]):
    name = "odd"
    Input, Options, Output = Text, GenerationOptions, Text

    def prompt(self, sample, options):
        return Request((Message("user", sample.input.text),))

    def parse(self, sample, completion):
        return Text(text=completion.text)

""" + returning("Spec('odd', 'stranger_odd:Odd', verb='odd')")
BACKEND = """
from nlptasks import Backend, Completion

class Odd(Backend):
    def complete(self, requests):
        return [Completion("an answer") for request in requests]

def load(model):
    return Odd()

""" + hook("backend", "return [Spec('odd', 'stranger_odd:load')]")
METRIC = """
import numpy as np
from nlptasks import Metric

class Odd(Metric):
    name = "odd"

    def statistics(self, predictions, references, **columns):
        return np.ones((len(predictions), 1))

    def aggregate(self, statistics):
        return {"odd": 1.0}
"""
OWN = "'odd' of plugin 'odd' (stranger 1.2)"
RUN = ("run", "odd", "abc", "--model", "echo")
ASK = ("run", "text-generation", "abc", "--model", "odd/x")
BATCH = (
    "run",
    "text-generation",
    "--model",
    "echo",
    "--map",
    "prompt=text",
    "--input",
    "in.jsonl",
    "--output",
    "out.jsonl",
)
GREET = ("run", "text-generation", "abc", "--model", "echo")
SCORE = ("score", "translation", "-p", "in.txt", "-r", "in.txt", "--metrics", "odd")


def pointing(kind: str, target: str, more: str = "") -> str:
    return f"{more}\n" + hook(kind, f"return [Spec('odd', {target!r}, requires='fast')]")


USED = {
    # what a Spec names
    "a target whose module is missing": Wrong(
        returning("Spec('odd', 'lost_module:Odd')"),
        f"The task {OWN} cannot be used: ModuleNotFoundError: No module named 'lost_module'",
        RUN,
        1,
    ),
    "a target that its module lacks": Wrong(
        returning("Spec('odd', 'stranger_odd:Lost')"),
        f"The task {OWN} cannot be used: AttributeError: module 'stranger_odd' has no attribute 'Lost'",
        RUN,
        1,
    ),
    "a target that needs an extra": Wrong(
        pointing("task", "late:Odd"),
        f"The task {OWN} needs an extra: pip install 'stranger[fast]'",
        RUN,
        1,
        modules={"late": "import lost_package"},
    ),
    "a target that exits": Wrong(
        pointing("task", "late:Odd"),
        f"The task {OWN} cannot be used: it called sys.exit(4)",
        RUN,
        1,
        modules={"late": "raise SystemExit(4)"},
    ),
    "a task that is a text": Wrong(pointing("task", "os:sep"), "which is no Task", RUN, 1),
    "a backend that is a text": Wrong(
        pointing("backend", "os:sep"), "The backend 'odd' is a str, which cannot be called.", ASK, 1
    ),
    "a metric that is a function": Wrong(pointing("metric", "os:getcwd"), "which is no nlptasks.Metric.", SCORE, 1),
    "a benchmark that is a text": Wrong(
        pointing("benchmark", "os:sep"),
        "The benchmark 'odd' is '/', which is no Benchmark.",
        ("eval", "summarization", "--data", "odd", "--model", "echo"),
        1,
    ),
    "a command that is a function": Wrong(
        pointing("command", "os:getcwd"),
        "The command 'odd' of plugin 'odd' (stranger 1.2) is no click.Command.",
        ("odd",),
        1,
    ),
    "the name of a built-in task": Wrong(
        returning("Spec('summarization', 'stranger_odd:Odd')"),
        "The task 'summarization' is claimed by",
        ("run", "summarization", "abc", "--model", "echo"),
        1,
    ),
    "the name of a built-in backend": Wrong(
        hook("backend", "return [Spec('echo', 'stranger_odd:load')]"),
        "The backend 'echo' is claimed by",
        GREET,
        1,
    ),
    # tasks
    "a task without parse": Wrong(
        TASK.replace("def parse", "def parsed"),
        f"The task {OWN} cannot be used: TypeError: Can't instantiate abstract class Odd",
        RUN,
        1,
    ),
    "a task whose input is no model": Wrong(
        TASK.replace("= Text, Gen", "= dict, Gen"),
        "The task 'odd' has <class 'dict'> as its Input: make it a pydantic model.",
        RUN,
        1,
    ),
    "a task without a name": Wrong(
        TASK.replace('name = "odd"', ""), "The task 'odd' is a class without a name: name = 'odd'.", RUN, 1
    ),
    "a task that raises in prompt": Wrong(
        TASK.replace("return Request", "raise KeyError('lost')\n        return Request"),
        "odd raised KeyError: 'lost'",
        RUN,
        1,
    ),
    "a task that raises in parse": Wrong(
        TASK.replace("return Text(", "raise KeyError('lost')\n        return Text("),
        "odd raised KeyError: 'lost'",
        RUN,
        1,
    ),
    "a task that exits in parse": Wrong(
        TASK.replace("return Text(", "raise SystemExit(5)\n        return Text("), "odd called sys.exit(5)", RUN, 1
    ),
    "a task that asks nothing": Wrong(
        TASK.replace('return Request((Message("user", sample.input.text),))', "return None"), "odd asked for", RUN, 1
    ),
    "a task that gives no output": Wrong(
        TASK.replace("return Text(text=completion.text)", "return completion.text"),
        "odd gave a str as its prediction, not its Text",
        RUN,
        1,
    ),
    # backends
    "a factory without an argument": Wrong(
        BACKEND.replace("load(model)", "load()"),
        f"The backend {OWN} cannot be used: TypeError: load() takes 0 positional arguments but 1 was given",
        ASK,
        1,
    ),
    "a factory that gives no backend": Wrong(
        BACKEND.replace("return Odd()", "return model"), "The backend 'odd' gave str, which is no Backend.", ASK, 1
    ),
    "a factory that raises": Wrong(
        BACKEND.replace("return Odd()", "raise KeyError('lost')"),
        f"The backend {OWN} cannot be used: KeyError: 'lost'",
        ASK,
        1,
    ),
    "a backend that raises": Wrong(
        BACKEND.replace("return [Completion", "raise KeyError('lost')\n        return [Completion"),
        "Odd raised KeyError: 'lost'",
        ASK,
        1,
    ),
    "a backend that answers too little": Wrong(
        BACKEND.replace("for request in requests", "for request in requests[1:]"),
        "Odd gave 0 answers to 1 requests",
        ASK,
        1,
    ),
    "a backend that answers with texts": Wrong(
        BACKEND.replace('Completion("an answer")', '"an answer"'), "Odd gave a str, which is no Completion", ASK, 1
    ),
    # metrics
    "a metric that takes no language": Wrong(
        pointing("metric", "late:Odd"),
        f"The metric {OWN} cannot be used: TypeError: ",
        SCORE,
        1,
        modules={"late": METRIC + "\n    def __init__(self): pass\n"},
    ),
    "a metric with a row too few": Wrong(
        pointing("metric", "late:Odd"),
        "odd gave statistics of shape (1, 1) for 2 samples, not a row for each.",
        SCORE,
        1,
        modules={"late": METRIC.replace("len(predictions)", "1")},
    ),
    "a metric that gives a number": Wrong(
        pointing("metric", "late:Odd"),
        "odd aggregates to a float, not to scores by name.",
        SCORE,
        1,
        modules={"late": METRIC.replace('{"odd": 1.0}', "1.0")},
    ),
    # observers and guards
    **{
        f"{observer} raises": Wrong(
            f"@hookimpl\ndef {observer}({argument}): raise KeyError('lost')",
            f"Plugin 'odd' (stranger 1.2) is told nothing more: {observer} raised KeyError in stranger_odd.py, line 4",
            BATCH,
        )
        for observer, argument in {"run_started": "run", "sample_finished": "record", "run_finished": "run"}.items()
    },
    "before_generate raises": Wrong(
        "@hookimpl\ndef before_generate(request): raise KeyError(request.messages[0].content)",
        "The guard of plugin 'odd' (stranger 1.2) raised KeyError in stranger_odd.py, line 4; nothing was sent",
        GREET,
        1,
    ),
    "before_generate gives no state": Wrong(
        "@hookimpl\ndef before_generate(request): return request",
        "The guard of plugin 'odd' (stranger 1.2) returned no (request, state); nothing was sent.",
        GREET,
        1,
    ),
    "after_generate raises": Wrong(
        "@hookimpl\ndef after_generate(completion, state): raise KeyError(completion.text)",
        "The guard of plugin 'odd' (stranger 1.2) raised KeyError in stranger_odd.py, line 4; nothing was sent",
        GREET,
        1,
    ),
    "after_generate gives a text": Wrong(
        "@hookimpl\ndef after_generate(completion, state): return completion.text",
        "The guard of plugin 'odd' (stranger 1.2) returned no completion; the answer is withheld.",
        GREET,
        1,
    ),
}
"""Those that load and are wrong when they are used."""

CHECK = ("plugins", "check", "odd")

CHECKED = {
    "hooks without their mark": Wrong(
        "def register_tasks():\n    return []",
        "no hook of it returns a Spec: mark functions with @hookimpl in the entry point's module",
        CHECK,
        1,
    ),
    "prints": Wrong(
        "print('loud')",
        "loading the plugin prints 'loud\\n': use logging.getLogger('nlptasks') instead",
        CHECK,
        1,
    ),
    "imports what it needs later": Wrong("import numpy", "loading the plugin imports numpy: keep", CHECK, 1),
    "writes a file": Wrong("open('odd.txt', 'w').close()", "it writes odd.txt: do that where it is used", CHECK, 1),
    "the verb of a tool": Wrong(
        TASK.replace("verb='odd'", "verb='doctor'"),
        "`nlptasks doctor` is a tool already: choose another verb",
        CHECK,
        1,
    ),
}
"""Those that work so far: ``plugins check`` tells what is wrong."""
