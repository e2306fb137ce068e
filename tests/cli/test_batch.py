"""``--input`` and ``--output``: every row once, whatever happens."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support import Cli

RUN = [sys.executable, "-m", "nlptasks", "run", "text-generation", "--model", "echo"]


def write_rows(path: Path, count: int) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            row = {"id": f"r{number}", "prompt": f"Zeile {number} 今天天气很好", "kept": number}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def read_run(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((path.with_name(path.name + ".run") / "run.json").read_text("utf-8"))
    return found


def test_rows_come_out_in_order_with_their_own_columns(cli: Cli, tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 300)
    done = cli(*RUN[3:], "--input", "in.jsonl", "--output", "out.jsonl")
    assert (done.code, done.out) == (0, "")
    rows = read_rows(tmp_path / "out.jsonl")
    assert [row["kept"] for row in rows] == list(range(300))
    assert rows[7] == {"id": "r7", "prompt": "Zeile 7 今天天气很好", "kept": 7, "prediction": "Zeile 7 今天天气很好"}
    run = read_run(tmp_path / "out.jsonl")
    assert run["status"] == "success"
    assert run["counts"]["total"] == 300
    assert run["completion_tokens"] == sum(len(row["prediction"]) for row in rows)


def test_a_run_killed_at_five_moments_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    rows = 20_000
    write_rows(tmp_path / "in.jsonl", rows)
    command = [*RUN, "--input", "in.jsonl", "--output", "out.jsonl"]
    output = tmp_path / "out.jsonl"
    chance = random.Random(7)
    at = sorted(chance.sample(range(500, rows - 500), 5))
    before = 0
    for target in at:
        process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
        while process.poll() is None and (not output.exists() or output.read_bytes().count(b"\n") < target):
            time.sleep(0.002)
        assert process.poll() is None, "it ended before it could be killed"
        process.kill()
        assert process.wait() == -signal.SIGKILL
        finished = output.read_bytes().count(b"\n")
        assert finished >= before
        before = finished
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True)
    assert "resuming after" in done.stderr
    assert [row["kept"] for row in read_rows(output)] == list(range(rows))
    samples = read_rows(tmp_path / "out.jsonl.run" / "samples.jsonl")
    assert [line["index"] for line in samples] == list(range(rows))
    assert read_run(output)["counts"]["total"] == rows


def _peak_memory(folder: Path, rows: int) -> int:
    source = write_rows(folder / f"in{rows}.jsonl", rows)
    command = [*RUN, "--input", str(source), "--output", str(folder / f"out{rows}.jsonl")]
    quiet = [(os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
    process = os.posix_spawn(sys.executable, command, os.environ, file_actions=quiet)
    _, status, usage = os.wait4(process, 0)
    assert status == 0
    return usage.ru_maxrss


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    small, large = _peak_memory(tmp_path, 2_000), _peak_memory(tmp_path, 200_000)
    assert large <= 1.1 * small


def test_ctrl_c_leaves_a_run_to_resume(tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 50_000)
    command = [*RUN, "--input", "in.jsonl", "--output", "out.jsonl"]
    output = tmp_path / "out.jsonl"
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    while not output.exists() or output.stat().st_size < 10_000:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert len(err.strip().splitlines()) == 1
    assert "same command" in err
    assert read_run(output)["status"] == "cancelled"
    assert 0 < len(read_rows(output)) < 50_000


def test_broken_lines_are_named_and_the_rest_is_done(cli: Cli, tmp_path: Path) -> None:
    lines = ['{"prompt": "eins"}', '{"prompt": ', "", '["no object"]', '{"prompt": "zwei"}', "\udcff"]
    (tmp_path / "in.jsonl").write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
    done = cli(*RUN[3:], "--input", "in.jsonl", "--output", "out.jsonl")
    assert done.code == 3
    for number in (2, 4, 6):
        assert f"line {number} is no JSON" in done.err
    rows = read_rows(tmp_path / "out.jsonl")
    assert [row.get("prediction") for row in rows] == ["eins", None, None, "zwei", None]
    assert rows[1]["error"]["type"] == "input"
    assert read_run(tmp_path / "out.jsonl")["counts"]["failed"] == 3


def test_failed_rows_are_tried_again_and_finished_ones_are_not(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "flaky.py").write_text(
        "import os\n"
        "from nlptasks import Backend, Completion, Failure, Spec, hookimpl\n"
        "class Flaky(Backend):\n"
        "    def complete(self, requests):\n"
        "        mended = os.path.exists('mended')\n"
        "        with open('asked.log', 'a') as log:\n"
        "            log.writelines(r.messages[-1].content + '\\n' for r in requests)\n"
        "        return [Completion('ok') if mended or 'bad' not in r.messages[-1].content\n"
        "                else Failure('server', 'it is down', retryable=True) for r in requests]\n"
        "def load(model):\n"
        "    return Flaky()\n"
        "@hookimpl\n"
        "def register_backends():\n"
        "    return [Spec('flaky', 'flaky:load')]\n"
    )
    (tmp_path / "in.txt").write_text("one\nbad two\nthree\nbad four\n")
    command = [
        "--plugin-file",
        "flaky.py",
        "run",
        "text-generation",
        "--model",
        "flaky",
        "-i",
        "in.txt",
        "-o",
        "o.jsonl",
    ]
    first = cli(*command)
    assert first.code == 3
    assert "retry" in first.err
    (tmp_path / "mended").touch()
    second = cli(*command)
    assert second.code == 0
    rows = read_rows(tmp_path / "o.jsonl")
    assert [row["prediction"] for row in rows] == ["ok"] * 4
    assert [row["prompt"] for row in rows] == ["one", "bad two", "three", "bad four"]
    assert (tmp_path / "asked.log").read_text().split("\n") == [
        "one", "bad two", "three", "bad four", "bad two", "bad four", "",
    ]  # fmt: skip


def test_another_run_is_not_mixed_in(cli: Cli, tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 3)
    command = (*RUN[3:], "--input", "in.jsonl", "--output", "out.jsonl")
    assert cli(*command).code == 0
    changed = cli(*command, "--seed", "1")
    assert changed.code == 1
    assert "options" in changed.err
    assert "--overwrite" in changed.err
    write_rows(tmp_path / "in.jsonl", 4)
    other = cli(*command)
    assert other.code == 1
    assert "data" in other.err
    assert len(read_rows(tmp_path / "out.jsonl")) == 3
    assert cli(*command, "--overwrite").code == 0
    assert len(read_rows(tmp_path / "out.jsonl")) == 4


def test_a_file_that_is_no_run_is_not_overwritten(cli: Cli, tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 3)
    (tmp_path / "out.jsonl").write_text("precious\n")
    done = cli(*RUN[3:], "--input", "in.jsonl", "--output", "out.jsonl")
    assert done.code == 1
    assert "--overwrite" in done.err
    assert (tmp_path / "out.jsonl").read_text() == "precious\n"


def test_more_rows_after_a_limit(cli: Cli, tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 10)
    command = (*RUN[3:], "--input", "in.jsonl", "--output", "out.jsonl")
    assert cli(*command, "--limit", "4").code == 0
    assert len(read_rows(tmp_path / "out.jsonl")) == 4
    assert "resuming after 4" in cli(*command).err
    assert [row["kept"] for row in read_rows(tmp_path / "out.jsonl")] == list(range(10))


@pytest.mark.parametrize("content", ["full", "hash", "none"])
def test_the_log_keeps_what_was_asked_for(cli: Cli, tmp_path: Path, content: str) -> None:
    write_rows(tmp_path / "in.jsonl", 2)
    assert cli(*RUN[3:], "-i", "in.jsonl", "-o", "out.jsonl", "--log-content", content).code == 0
    kept = b"".join(file.read_bytes() for file in (tmp_path / "out.jsonl.run").iterdir())
    assert ("今天天气很好".encode() in kept) == (content == "full")
    assert (b"sha256" in (tmp_path / "out.jsonl.run" / "samples.jsonl").read_bytes()) == (content == "hash")


def test_rows_to_stdout(cli: Cli) -> None:
    done = cli(*RUN[3:], "--input", "-", stdin='{"prompt": "a"}\n{"prompt": "b"}\n')
    assert done.code == 0
    assert [json.loads(line)["prediction"] for line in done.out.splitlines()] == ["a", "b"]


def test_a_closed_pipe_is_one_line(tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 20_000)
    command = [*RUN, "--input", "in.jsonl"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read().decode()
        assert process.wait(timeout=60) == 1
    assert len(err.strip().splitlines()) == 1
    assert "went away" in err


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system takes root")
def test_a_full_disk_is_one_line_and_resumable(cli: Cli, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        write_rows(tmp_path / "in.jsonl", 5_000)
        command = (*RUN[3:], "--input", "in.jsonl", "--output", disk / "out.jsonl")
        full = cli(*command)
        assert full.code == 1
        assert "No space left" in full.err
        assert "same command" in full.err
        assert "Traceback" not in full.err
        subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)
        assert cli(*command).code == 0
        assert [row["kept"] for row in read_rows(disk / "out.jsonl")] == list(range(5_000))
    finally:
        subprocess.run(["umount", disk], check=True)


def test_two_processes_do_not_write_one_run(cli: Cli, tmp_path: Path) -> None:
    from filelock import FileLock

    write_rows(tmp_path / "in.jsonl", 3)
    (tmp_path / "out.jsonl.run").mkdir()
    with FileLock(tmp_path / "out.jsonl.run" / "lock"):
        done = cli(*RUN[3:], "--input", "in.jsonl", "--output", "out.jsonl")
    assert done.code == 1
    assert "another process" in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-i", "none.jsonl"], ["No such file", "none.jsonl"]),
        (["-i", "in.jsonl", "-o", "out.csv"], [".parquet", ".jsonl"]),
        (["-i", "in.docx"], ["unknown format", ".jsonl"]),
        (["-i", "in.jsonl", "--map", "prompt"], ["FIELD=COLUMN"]),
        (["-i", "in.jsonl", "--map", "prompt=txt"], ["'txt'", "'text'"]),
        (["-i", "in.jsonl", "--map", "promt=text"], ["'promt'", "'prompt'"]),
        (["-i", "in.jsonl"], ["no column 'prompt'", "--map prompt=COLUMN"]),
        (["-i", "empty.jsonl"], ["no rows"]),
        (["-i", "empty"], ["holds no"]),
        (["a", "-i", "in.jsonl"], ["not both"]),
        (["a", "-o", "out.jsonl"], ["--output goes with --input"]),
    ],
)
def test_wrong_calls(cli: Cli, tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\n')
    (tmp_path / "in.docx").write_bytes(b"PK")
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "empty").mkdir()
    done = cli(*RUN[3:], *arguments)
    assert done.code == 2
    assert done.out == ""
    assert len(done.err.strip().splitlines()) == 1
    for word in words:
        assert word in done.err


def test_the_input_is_never_overwritten(cli: Cli, tmp_path: Path) -> None:
    content = write_rows(tmp_path / "in.jsonl", 3).read_bytes()
    done = cli(*RUN[3:], "--input", "in.jsonl", "--output", "in.jsonl", "--overwrite")
    assert done.code == 2
    assert "--output would overwrite --input" in done.err
    assert (tmp_path / "in.jsonl").read_bytes() == content


def test_rows_of_an_edited_output_are_done_again(cli: Cli, tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 5)
    command = (*RUN[3:], "--input", "in.jsonl", "--output", "out.jsonl")
    assert cli(*command).code == 0
    whole = (tmp_path / "out.jsonl").read_bytes()
    (tmp_path / "out.jsonl").write_bytes(b"".join(whole.splitlines(keepends=True)[1:]))
    again = cli(*command)
    assert "was changed" in again.err
    assert (tmp_path / "out.jsonl").read_bytes() == whole
    (tmp_path / "out.jsonl").unlink()
    assert cli(*command).code == 0
    assert (tmp_path / "out.jsonl").read_bytes() == whole


def test_a_changed_folder_and_stdin_are_not_resumed(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b.txt").write_text("B")
    command = (*RUN[3:], "--input", "folder", "--output", "out.jsonl")
    assert cli(*command).code == 0
    (tmp_path / "folder" / "a.txt").write_text("A")
    changed = cli(*command)
    assert changed.code == 1
    assert "data" in changed.err
    piped = (*RUN[3:], "--input", "-", "--output", "piped.jsonl")
    assert cli(*piped, stdin='{"prompt": "one"}').code == 0
    again = cli(*piped, stdin='{"prompt": "two"}')
    assert again.code == 2
    assert "stdin cannot be resumed" in again.err


def test_empty_cells_are_kept_and_tell_nothing_of_the_columns(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,prompt,note\n1,,x\n2,text,\n")
    done = cli(*RUN[3:], "--input", "in.csv")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 3
    assert "error" in rows[0]
    assert rows[1] == {"id": "2", "prompt": "text", "note": "", "prediction": "text"}


def test_a_full_device_for_stdout_is_one_line(tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 3)
    with open("/dev/full", "wb") as full:
        command = [*RUN, "--input", "in.jsonl"]
        done = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: the output cannot be written: No space left on device\n"
