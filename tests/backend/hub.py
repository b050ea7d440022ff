"""A local HTTP server that answers like a model hub, and fails in the ways that networks do."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

LARGE = 10_000  # bytes from which a file is kept outside git, as the hub keeps weights


class Hub:
    """One repository at one commit, its newest.

    Attributes:
        beside: further repositories at the same address.
        endpoint: address for HF_ENDPOINT.
        requests: (method, path, Range header) of what was asked.
        cut: how many bytes of the next large files are sent before the connection ends.
        corrupt: paths whose content arrives changed.
    """

    def __init__(self, name: str, revision: str, files: Mapping[str, bytes]) -> None:
        self.name, self.revision, self.files = name, revision, dict(files)
        self.requests: list[tuple[str, str, str | None]] = []
        self.cut: list[int] = []
        self.corrupt: set[str] = set()
        self.beside: list[Hub] = []
        self.endpoint = ""

    def listing(self) -> list[dict[str, Any]]:
        """As /api/models/NAME/tree/REVISION answers."""
        entries: list[dict[str, Any]] = []
        for path, content in self.files.items():
            blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            entry: dict[str, Any] = {
                "type": "file",
                "path": path,
                "size": len(content),
                "oid": blob,
            }
            if len(content) >= LARGE:
                digest = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"oid": digest, "size": len(content), "pointerSize": 134}
            entries.append(entry)
        return entries

    def body(self, path: str) -> bytes:
        content = self.files[path]
        return content[:-1] + bytes([content[-1] ^ 1]) if path in self.corrupt else content


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve a hub on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(self.path.split("?")[0])
            hub.requests.append(("GET", path, self.headers.get("Range")))
            for each in (hub, *hub.beside):
                if path in (f"/api/models/{each.name}", f"/api/models/{each.name}/revision/main"):
                    self._send(200, json.dumps({"id": each.name, "sha": each.revision}).encode())
                    return
                if path == f"/api/models/{each.name}/tree/{each.revision}":
                    self._send(200, json.dumps(each.listing()).encode())
                    return
                prefix = f"/{each.name}/resolve/{each.revision}/"
                if path.startswith(prefix) and path.removeprefix(prefix) in each.files:
                    self._send_file(each.body(path.removeprefix(prefix)))
                    return
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _send_file(self, content: bytes) -> None:
            start = 0
            asked = self.headers.get("Range")
            if asked:
                start = int(asked.removeprefix("bytes=").split("-")[0])
            rest = content[start:]
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(rest)))
            if asked:
                span = f"bytes {start}-{len(content) - 1}/{len(content)}"
                self.send_header("Content-Range", span)
            self.end_headers()
            if len(content) >= LARGE and hub.cut:
                self.wfile.write(rest[: hub.cut.pop(0)])
                self.wfile.flush()
                self.close_connection = True
                self.connection.close()
                return
            self.wfile.write(rest)

        def log_message(self, format: str, *args: Any) -> None:
            """Tests look at `requests`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
