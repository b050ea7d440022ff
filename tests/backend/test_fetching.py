"""Sources at URLs of a web server: what is found there, fetched, and kept."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from maquette import remote
from maquette.batch.asked import PICTURES
from maquette.fetching import Fetcher
from maquette_wire.errors import MaquetteError

pytest.importorskip("aiohttp", reason="the extra 'urls' is not installed")


class Web(http.server.SimpleHTTPRequestHandler):
    """Files of a folder and its list; `gets` are the files that were asked for, `broken` how many
    times one more of them ends in the middle."""

    gets: list[str]
    broken: int

    def do_GET(self) -> None:
        if not Path(self.translate_path(self.path)).is_file():
            return super().do_GET()  # a list of files, or an error
        type(self).gets.append(self.path)
        if "secret" in self.path and "token=right" not in self.path:
            return self.send_error(403)
        data = Path(self.translate_path(self.path)).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if type(self).broken:
            type(self).broken -= 1
            data = data[: len(data) // 2]
            self.close_connection = True
        self.wfile.write(data)
        return None

    def end_headers(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.is_file():
            self.send_header("ETag", f'"{path.stat().st_mtime_ns}"')
        super().end_headers()

    def do_HEAD(self) -> None:
        if "secret" in self.path and "token=right" not in self.path:
            return self.send_error(403)
        return super().do_HEAD()

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server with the folder `web`."""
    monkeypatch.setattr(remote, "BACK_OFF", (0.0, 0.0))
    Web.gets, Web.broken = [], 0
    (tmp_path / "web").mkdir()
    handler = functools.partial(Web, directory=str(tmp_path / "web"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode() * 50)


def test_a_folder_of_a_web_server_with_depth_beside_it(tmp_path: Path, web: str):
    names = ["a/Höhe 1.png", "a/Höhe 1_depth.npy", "a/b.jpg", "a/depth/b.exr", "a/notes.txt"]
    put(tmp_path / "web", *names)
    fetcher = Fetcher(tmp_path / "fetched")
    found = fetcher.matching(f"{web}/a/", (*PICTURES, ".npy"))
    assert {place.name for place in found.values()} == {"Höhe 1.png", "Höhe 1_depth.npy", "b.jpg"}
    (name,) = [name for name, place in found.items() if place.name == "Höhe 1.png"]
    fetched = fetcher.fetch(name)
    assert fetched.path.read_bytes() == b"a/H\xc3\xb6he 1.png" * 50
    assert {path.name for path in fetched.urls} == {"Höhe 1.png", "Höhe 1_depth.npy"}
    fetched = fetcher.fetch(f"{web}/a/b.jpg")
    assert [path.relative_to(fetched.path.parent) for path in fetched.urls] == [
        Path("b.jpg"),
        Path("depth/b.exr"),
    ]
    # Once, until it changes; what is beside it no more, goes here too.
    Web.gets.clear()
    (tmp_path / "web/a/depth/b.exr").unlink()
    again = Fetcher(tmp_path / "fetched").fetch(f"{web}/a/b.jpg")
    assert (again.path, list(again.urls), Web.gets) == (fetched.path, [fetched.path], [])
    assert not (again.path.parent / "depth/b.exr").exists()


def test_a_connection_that_ends_in_the_middle_is_tried_again(tmp_path: Path, web: str):
    put(tmp_path / "web", "a.png")
    Web.broken = 2
    assert Fetcher(tmp_path / "f").fetch(f"{web}/a.png").path.read_bytes() == b"a.png" * 50
    Web.broken = 3
    with pytest.raises(MaquetteError, match="was lost") as error:
        Fetcher(tmp_path / "g").fetch(f"{web}/a.png")
    assert error.value.code == "connection-lost"
    assert not [each for each in (tmp_path / "g").rglob("*") if each.is_file()]


def test_a_signed_url_is_used_and_not_kept(tmp_path: Path, web: str):
    put(tmp_path / "web", "secret.png")
    fetcher = Fetcher(tmp_path / "fetched")
    (name,) = fetcher.matching(f"{web}/secret.png?token=right", PICTURES)
    assert name == f"{web}/secret.png"
    fetched = fetcher.fetch(name)
    assert fetched.path.name == "secret.png" and list(fetched.urls.values()) == [name]
    with pytest.raises(MaquetteError, match="is not allowed") as error:
        Fetcher(tmp_path / "fetched").fetch(f"{web}/secret.png?token=wrong")
    assert "wrong" not in str(error.value)


def test_an_address_that_is_not_there_is_said(tmp_path: Path, web: str):
    with pytest.raises(MaquetteError, match="nothing that is called"):
        Fetcher(tmp_path).matching(f"{web}/gone.png?id=4", PICTURES)
    with pytest.raises(MaquetteError, match="was lost"):
        Fetcher(tmp_path).matching("http://127.0.0.1:1/a.png", PICTURES)
