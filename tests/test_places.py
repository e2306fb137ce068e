"""Rows from elsewhere: a web server, and a store that speaks S3; and from folders of many files."""

from __future__ import annotations

import functools
import gzip
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nlptasks.data import delivery
from tests.support import Cli

RUN = ["run", "text-generation", "-m", "echo", "--input"]


def lines(first: int, last: int) -> bytes:
    return b"".join(
        json.dumps({"id": f"r{n}", "prompt": f"Zeile {n} 你好"}).encode() + b"\n" for n in range(first, last)
    )


def texts(output: str) -> list[str]:
    return [json.loads(line)["prediction"] for line in output.splitlines()]


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The address of a folder with rows in it."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "rows.jsonl").write_bytes(lines(0, 50))
    (folder / "rows.jsonl.gz").write_bytes(gzip.compress(lines(0, 50)))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_rows_of_a_web_server(cli: Cli, web: str, name: str, tmp_path: Path) -> None:
    pytest.importorskip("upath", reason="URLs need the extra: pip install 'nlptasks[cloud]'")
    for _ in range(2):
        done = cli(*RUN, f"{web}/{name}", "-o", "out.jsonl")
        assert done.code == 0, done.err
    assert "resuming after 50" in done.err
    assert texts((tmp_path / "out.jsonl").read_text("utf-8")) == [f"Zeile {n} 你好" for n in range(50)]
    (tmp_path / "web" / name).write_bytes(gzip.compress(lines(0, 49)) if name.endswith(".gz") else lines(0, 49))
    done = cli(*RUN, f"{web}/{name}", "-o", "out.jsonl")
    assert done.code == 1
    assert "another data.sha256" in done.err


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:9/rows.jsonl", "cannot be read"),
        ("{web}/nosuch.jsonl", "No such file"),
        ("nosuch://bucket/rows.jsonl", "nosuch"),
    ],
)
def test_places_that_cannot_be_reached(cli: Cli, web: str, url: str, told: str) -> None:
    pytest.importorskip("upath", reason="URLs need the extra: pip install 'nlptasks[cloud]'")
    done = cli(*RUN, url.format(web=web))
    assert done.code == 2, done.err
    assert told in done.err
    assert len(done.err.splitlines()) == 1


def test_rows_of_a_store(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = pytest.importorskip("moto.server", reason="a store to test against needs: pip install 'moto[server]' s3fs")
    boto3 = pytest.importorskip("boto3", reason="comes with moto")
    store = server.ThreadedMotoServer(port=0)
    store.start()
    try:
        host, port = store.get_host_and_port()
        address = f"http://{host}:{port}"
        names = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
        for name, value in {**names, "AWS_ENDPOINT_URL": address, "FSSPEC_S3_ENDPOINT_URL": address}.items():
            monkeypatch.setenv(name, value)
        client = boto3.client("s3")
        client.create_bucket(Bucket="bucket")
        client.put_object(Bucket="bucket", Key="shards/b.jsonl", Body=lines(30, 50))
        client.put_object(Bucket="bucket", Key="shards/a.jsonl.gz", Body=gzip.compress(lines(0, 30)))
        for source, count in (("s3://bucket/shards/b.jsonl", 20), ("s3://bucket/shards", 50)):
            done = cli(*RUN, source, "-o", f"{count}.jsonl")
            assert done.code == 0, done.err
            found = texts((tmp_path / f"{count}.jsonl").read_text("utf-8"))
            assert found == [f"Zeile {n} 你好" for n in range(50 - count, 50)]
        for name in ("out.jsonl", "out.parquet"):
            done = cli(*RUN, "s3://bucket/shards", "-o", f"s3://bucket/results/{name}")
            assert done.code == 0, done.err
            assert f"-> s3://bucket/results/{name}" in done.err
            done = cli(*RUN, f"s3://bucket/results/{name}", "-o", f"again-{name}.jsonl")
            found = texts((tmp_path / f"again-{name}.jsonl").read_text("utf-8"))
            assert found == [f"Zeile {n} 你好" for n in range(50)]
        done = cli(*RUN, "s3://bucket/shards", "-o", "s3://nosuch/out.jsonl", "--overwrite")
        assert done.code == 1
        assert "s3://nosuch/out.jsonl cannot be written" in done.err
        assert len((tmp_path / "out.jsonl").read_text("utf-8").splitlines()) == 50
    finally:
        store.stop()


def test_a_folder_of_shards_is_read_by_their_names(cli: Cli, tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    folder = tmp_path / "shards"
    folder.mkdir()
    (folder / "part-2.jsonl").write_bytes(lines(10, 20) + b"no JSON\n")
    (folder / "part-1.csv").write_text("prompt\n" + "".join(f"Zeile {n} 你好\n" for n in range(10)), "utf-8")
    pyarrow.parquet.write_table(pyarrow.table({"prompt": [f"Zeile {n} 你好" for n in (20, 21)]}), folder / "x.parquet")
    (folder / "_SUCCESS").touch()
    done = cli(*RUN, "shards")
    assert done.code == 3
    assert "part-2.jsonl: line 11 is no JSON" in done.err
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [row["prediction"] for row in rows if "error" not in row] == [f"Zeile {n} 你好" for n in range(22)]


def test_rows_go_to_parquet(cli: Cli, tmp_path: Path) -> None:
    import pyarrow.parquet

    rows: list[dict[str, Any]] = [
        {"prompt": f"Zeile {n} 你好", "weight": n if n < 5 else n + 0.5, "tags": [] if n < 4 else ["x"]}
        for n in range(9)
    ]
    rows = [*rows, {"prompt": 7}, {"prompt": "the last", "source": {"page": 3}}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    done = cli(*RUN, "rows.jsonl", "-o", "rows.parquet")
    assert done.code == 3
    assert "11 rows, 1 failed" in done.err
    assert "-> rows.parquet" in done.err
    found = pyarrow.parquet.read_table(tmp_path / "rows.parquet").to_pylist()
    lines = [json.loads(line) for line in (tmp_path / "rows.parquet.jsonl").read_text("utf-8").splitlines()]
    assert [plain(row) for row in found][:9] == [plain(line) for line in lines][:9]
    assert found[9]["prompt"] == "7"
    assert found[9]["error"]["type"] == "input"
    assert found[10]["source"] == {"page": 3}
    assert not list(tmp_path.glob("*.new"))
    assert "rows.parquet.jsonl.run" in cli("runs", "show", "rows.parquet").out
    done = cli(*RUN, "rows.jsonl", "-o", "rows.parquet")
    assert "resuming after 10" in done.err


def plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


ODD: list[list[Any]] = [[1, "ii"], [1, [2]], [{}, {}], [{"a": 1}, {"a": "b"}], [2**70, 1], [None, None], [[], [{}]]]


@pytest.mark.parametrize("group", [1, 2])
@pytest.mark.parametrize("odd", ODD, ids=map(str, ODD))
def test_values_of_several_kinds_become_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: list[Any], group: int
) -> None:
    import pyarrow.parquet

    monkeypatch.setattr(delivery, "GROUP", group)
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps({"page": each, "text": "你好"}) + "\n" for each in odd), "utf-8")
    delivery.deliver(rows, tmp_path / "rows.parquet")
    found = pyarrow.parquet.read_table(tmp_path / "rows.parquet").to_pylist()
    assert [row["text"] for row in found] == ["你好", "你好"]
    assert [
        json.loads(row["page"]) if isinstance(row["page"], str) and row["page"] != "ii" else row["page"]
        for row in found
    ] == odd


@pytest.mark.parametrize("name", ["out.csv", "out", "out.jsonl.gz", "s3://bucket/out.txt"])
def test_other_formats_are_refused_before_any_work(cli: Cli, tmp_path: Path, name: str) -> None:
    pytest.importorskip("upath", reason="URLs need the extra: pip install 'nlptasks[cloud]'")
    (tmp_path / "rows.jsonl").write_bytes(lines(0, 2))
    done = cli(*RUN, "rows.jsonl", "-o", name)
    assert done.code == 2
    assert "rows are written as .jsonl or .parquet" in done.err


def test_rows_go_to_a_url(cli: Cli, web: str, tmp_path: Path) -> None:
    pytest.importorskip("upath", reason="URLs need the extra: pip install 'nlptasks[cloud]'")
    (tmp_path / "rows.jsonl").write_bytes(lines(0, 5))
    (tmp_path / "results").mkdir()
    url = (tmp_path / "results" / "out.jsonl").as_uri()
    done = cli(*RUN, "rows.jsonl", "-o", url)
    assert done.code == 0, done.err
    written = (tmp_path / "results" / "out.jsonl").read_text("utf-8")
    assert written == (tmp_path / "out.jsonl").read_text("utf-8")
    assert len(texts(written)) == 5
    done = cli(*RUN, "rows.jsonl", "-o", (tmp_path / "nosuch" / "out.jsonl").as_uri())
    assert done.code == 1
    assert "cannot be written" in done.err
    assert "The rows are in out.jsonl" in done.err
    done = cli(*RUN, "rows.jsonl", "-o", f"{web}/out.jsonl")
    assert done.code == 2
    assert "a web server takes no files" in done.err
    done = cli(*RUN, url, "-o", url)
    assert done.code == 2
    assert "overwrite --input" in done.err
