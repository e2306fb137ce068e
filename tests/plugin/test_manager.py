"""Observers, required plugins, and what is printed while plugins are at work."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

import pytest

from nlptasks.errors import PluginError
from nlptasks.plugin import PluginManager
from nlptasks.plugin.isolation import stdout_aside
from tests.plugin.conftest import Site

OBSERVER = """
    seen = []

    @hookimpl
    def run_started(run):
        print("started")
        seen.append(run)

    @hookimpl
    def sample_finished(record):
        raise TROUBLE

    @hookimpl
    def run_finished(run):
        seen.append(run)

    @hookimpl
    def before_generate(request):
        return request, None
"""


@pytest.mark.parametrize("trouble", ["ValueError(record)", "SystemExit(record)"])
def test_an_observer_that_raises_hears_no_more_and_guards_on(
    trouble: str, site: Site, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    site.install("faulty", OBSERVER.replace("TROUBLE", trouble))
    site.install("sound", OBSERVER.replace("raise TROUBLE", "seen.append(record)"), distribution="sound-stranger")
    manager = PluginManager(strict=False)
    with caplog.at_level(logging.WARNING, "nlptasks"):
        manager.notify("run_started", run=1)
        for secret in ("Ada", "Grace"):
            manager.notify("sample_finished", record=secret)
        manager.notify("run_finished", run=2)
    [message] = caplog.messages
    kind = trouble.partition("(")[0]
    assert message == (
        "Plugin 'faulty' (stranger 1.2) is told nothing more: "
        f"sample_finished raised {kind} in stranger_faulty.py, line 13"
    )
    assert sys.modules["stranger_faulty"].seen == [1]
    assert sys.modules["sound_stranger_sound"].seen == [1, "Ada", "Grace", 2]
    assert {plugin.name for plugin, _ in manager.implementations("before_generate")} == {"faulty", "sound"}
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "started\nstarted\n")
    with pytest.raises(PluginError, match="is told nothing more"):
        PluginManager(strict=True).notify("sample_finished", record="Ada")


def test_an_observer_does_not_stop_an_interrupt(site: Site) -> None:
    site.install("stops", OBSERVER.replace("TROUBLE", "KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        PluginManager().notify("sample_finished", record=None)


def test_hooks_are_called_by_the_arguments_they_name(site: Site) -> None:
    site.install("terse", "@hookimpl\ndef run_started(): seen.append('called')\nseen = []\n")
    PluginManager(strict=True).notify("run_started", run=1)
    assert sys.modules["stranger_terse"].seen == ["called"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("absent", "not installed, or left out by NLPTASKS_PLUGINS"),
        ("faulty", "ValueError: on import"),
        ("sound", ""),
    ],
)
def test_a_required_plugin_must_be_in_service(name: str, why: str, site: Site) -> None:
    site.install("faulty", "raise ValueError('on import')")
    site.install("sound", distribution="sound-stranger")
    manager = PluginManager()
    if why:
        with pytest.raises(PluginError) as caught:
            manager.require([name])
        assert str(caught.value) == f"The required plugin {name!r} is not in service ({why}): nothing was run."
    else:
        manager.require([name])


def test_a_file_takes_part_once_it_is_added(tmp_path: Path, site: Site) -> None:
    manager = PluginManager(only=[])
    assert [spec.name for _, spec in manager.contributions("task")] == []
    file = site.module("added", "@hookimpl\ndef register_tasks():\n    return [Spec('late', 'a:b')]\n")
    manager.add_file(file)
    assert [(plugin.name, spec.name) for plugin, spec in manager.contributions("task")] == [("added", "late")]


def test_stdout_comes_back_whatever_order_threads_leave_in(capsys: pytest.CaptureFixture[str]) -> None:
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with stdout_aside():
            entered.set()
            leave.wait()

    before = sys.stdout
    thread = threading.Thread(target=other)
    with stdout_aside():
        thread.start()
        entered.wait()
    assert sys.stdout is sys.stderr  # the thread is still within
    leave.set()
    thread.join()
    assert sys.stdout is before
    with pytest.raises(ValueError, match="through"), stdout_aside():
        raise ValueError("through")
    assert sys.stdout is before
