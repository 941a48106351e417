"""A small server of the documented part of Vault's transit API that the hub uses: read a key, encrypt, decrypt, versions, a seal.

Errors as Vault gives them: 403 for a wrong token, 404 for a key that is not there, 400 for what does not open, 503 while sealed. It is no
Vault: whether the real one behaves like its documentation only a real one can show.
"""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from keys.errors import KeysError
from keys.primitives import aead_open, aead_seal, random_bytes


class Transit:
    """`url`, `token`; `make` and `rotate` are what Vault's administrator does."""

    def __init__(self) -> None:
        self.token = "invented-" + random_bytes(6).hex()
        self.sealed = False
        self._keys: dict[str, list[bytes]] = {}
        transit = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the name that http.server calls
                self._answer(b"")

            def do_POST(self) -> None:  # as above
                self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def _answer(self, body: bytes) -> None:
                status, answer = transit.answer(self.path, self.headers.get("X-Vault-Token", ""), body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def make(self, name: str) -> None:
        self._keys[name] = [random_bytes(32)]

    def rotate(self, name: str) -> None:
        self._keys[name].append(random_bytes(32))

    def names(self) -> set[str]:
        return set(self._keys)

    def answer(self, path: str, token: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if self.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if token != self.token:
            return 403, {"errors": ["permission denied"]}
        _, _, mount, what, name = path.split("/")
        if mount != "transit" or name not in self._keys:
            return (404, {"errors": []}) if what == "keys" else (400, {"errors": ["encryption key not found"]})
        given = json.loads(body or b"{}")
        aad = base64.b64decode(given.get("associated_data", ""))
        if what == "keys":
            return 200, {"data": {"name": name, "type": "aes256-gcm96", "latest_version": len(self._keys[name])}}
        if what == "encrypt":
            sealed = aead_seal(self._keys[name][-1], base64.b64decode(given["plaintext"]), aad)
            return 200, {"data": {"ciphertext": f"vault:v{len(self._keys[name])}:{base64.b64encode(sealed).decode()}"}}
        _, version, text = given["ciphertext"].split(":")
        try:
            if not 1 <= int(version[1:]) <= len(self._keys[name]):
                return 400, {"errors": ["invalid ciphertext: version is too new"]}
            plain = aead_open(self._keys[name][int(version[1:]) - 1], base64.b64decode(text), aad)
        except KeysError:
            return 400, {"errors": ["cipher: message authentication failed"]}
        return 200, {"data": {"plaintext": base64.b64encode(plain).decode()}}
