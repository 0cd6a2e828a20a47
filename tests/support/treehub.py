# SPDX-License-Identifier: Apache-2.0
"""A server with the treehub interface, as its facts tell, over an archive in a directory."""

from __future__ import annotations

import base64
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, unquote

from ostrya.formats.commit import Commit

OBJECT = re.compile(r"objects/[0-9a-f]{2}/[0-9a-f]{62}\.(commit|commitmeta|dirtree|dirmeta|filez)")
CONFIG = "[core]\nrepo_version=1\nmode=archive-z2\nindexed-deltas=true\n"


class Treehub:
    """The server, on loopback."""

    def __init__(self, folder: Path, *, auth: str = "") -> None:
        """Serve an archive, which is made.

        Args:
            folder: Where it lies.
            auth: ``basic`` or ``oauth2``, to let in only who has user and password.
        """
        self.folder = folder
        self.auth = auth
        self.requests: list[str] = []
        self.die_at = 0
        self.tokens: set[str] = set()
        self.on_request = lambda _method, _path: None
        for name in ("objects", "refs/heads", "refs/remotes", "tmp", "state"):
            (folder / name).mkdir(parents=True)
        (folder / "config").write_text(CONFIG)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.hub = self
        self.lock = threading.Lock()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/api/v2"

    def credentials(self, **changes: object) -> dict[str, object]:
        """What its ``treehub.json`` says."""
        base = self.url.removesuffix("/api/v2")
        found: dict[str, object] = {"ostree": {"server": self.url}}
        if self.auth == "oauth2":
            found["oauth2"] = {
                "server": f"{base}/oauth2/token", "client_id": "me", "client_secret": "pass",
                "scope": "treehub", **changes,
            }  # fmt: skip
        elif self.auth == "basic":
            found["basic_auth"] = {"user": "me", "password": "pass", **changes}
        else:
            found["no_auth"] = True
        return found

    def is_welcome(self, header: str) -> bool:
        if self.auth == "basic":
            return header == "Basic " + base64.b64encode(b"me:pass").decode()
        if self.auth == "oauth2":
            return header.removeprefix("Bearer ") in self.tokens
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10

    @property
    def hub(self) -> Treehub:
        return self.server.hub

    def log_message(self, *_args: object) -> None:
        pass

    def _serve(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = unquote(self.path)
        with self.hub.lock:
            self.hub.requests.append(f"{self.command} {path}")
            count = len(self.hub.requests)
        if self.hub.die_at and count >= self.hub.die_at:
            # As if the power were gone: no answer to this one, or to any other.
            self.close_connection = True
            return
        self.hub.on_request(self.command, path)
        if path == "/oauth2/token":
            self._token(data)
        elif not self.hub.is_welcome(self.headers.get("Authorization", "")):
            self._answer(401, b'{"code":"unauthorized","description":"who are you?"}')
        elif not path.startswith("/api/v2/"):
            self._answer(404)
        else:
            with self.hub.lock:
                self._route(path.removeprefix("/api/v2/"), data)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815  # http.server looks for them

    def _token(self, data: bytes) -> None:
        right = (
            self.headers.get("Authorization") == "Basic " + base64.b64encode(b"me:pass").decode()
        )
        if not right or parse_qs(data.decode())["grant_type"] != ["client_credentials"]:
            self._answer(401, b'{"error":"invalid_client","error_description":"wrong secret"}')
            return
        token = f"token-{len(self.hub.tokens)}"
        self.hub.tokens.add(token)
        self._answer(200, json.dumps({"access_token": token, "expires_in": 3600}).encode())

    def _route(self, path: str, data: bytes) -> None:
        target = self.hub.folder / path
        if self.command in {"GET", "HEAD"}:
            if path == "config" or OBJECT.fullmatch(path) or path.startswith("refs/heads/"):
                self._answer(200, target.read_bytes()) if target.is_file() else self._answer(404)
            else:
                self._answer(404)
        elif OBJECT.fullmatch(path):
            if self.command == "POST" and target.exists():
                self._answer(409, b'{"code":"object_exists","description":"there already"}')
                return
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(data)
            self._answer(204)
        elif path.startswith("refs/heads/") and self.command == "POST":
            self._move_ref(target, data.decode())
        else:
            self._answer(405)

    def _move_ref(self, target: Path, new: str) -> None:
        commit = self.hub.folder / "objects" / new[:2] / f"{new[2:]}.commit"
        if not commit.exists():
            self._answer(412, b'{"code":"commit_missing","description":"no such commit"}')
            return
        old = target.read_text().strip() if target.exists() else None
        forced = self.headers.get("x-ats-ostree-force") == "true"
        if old not in {None, new, Commit.decode(commit.read_bytes()).parent} and not forced:
            self._answer(409, b'{"code":"not_fast_forward","description":"no fast-forward"}')
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(new)
        self._answer(200)

    def _answer(self, status: int, data: bytes = b"") -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
