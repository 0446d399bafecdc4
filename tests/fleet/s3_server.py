"""A server on loopback that speaks as much of S3 as pyarrow does: objects appear whole.

It keeps objects in memory and looks at no signature.
"""

from __future__ import annotations

import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape


class S3Server:
    """`with S3Server() as server: open_store(server.uri("bucket/prefix"))`."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._server.daemon_threads = True

    def uri(self, place: str) -> str:
        port = self._server.server_address[1]
        endpoint = quote(f"http://127.0.0.1:{port}", safe="")
        return f"s3://key:secret@{place}?endpoint_override={endpoint}&region=here&scheme=http"

    def __enter__(self) -> Self:
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler_for(store: S3Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _asked(self) -> tuple[str, dict[str, str]]:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query, keep_blank_values=True)
            return unquote(parts.path).strip("/"), {k: v[0] for k, v in query.items()}

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            else:
                raw = self._chunks()
            if "aws-chunked" in self.headers.get("Content-Encoding", ""):
                return _unchunked(raw)
            return raw

        def _chunks(self) -> bytes:
            content = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return content

        def _reply(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", headers.pop("size", str(len(body))))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_PUT(self) -> None:
            name, query = self._asked()
            content = self._body()
            with store.lock:
                if "uploadId" in query:
                    store.parts[query["uploadId"]][int(query["partNumber"])] = content
                else:
                    store.objects[name] = content
            self._reply(200, ETag='"1"')

        def do_POST(self) -> None:
            name, query = self._asked()
            self._body()
            if "uploads" in query:
                upload = uuid.uuid4().hex
                store.parts[upload] = {}
                body = f"<UploadId>{upload}</UploadId>"
                self._reply(200, _xml("InitiateMultipartUploadResult", body))
                return
            parts = store.parts.pop(query["uploadId"])
            with store.lock:
                store.objects[name] = b"".join(parts[number] for number in sorted(parts))
            self._reply(200, _xml("CompleteMultipartUploadResult", "<ETag>1</ETag>"))

        def do_DELETE(self) -> None:
            name, _ = self._asked()
            with store.lock:
                store.objects.pop(name, None)
            self._reply(204)

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            name, query = self._asked()
            if "list-type" in query:
                self._reply(200, self._listed(name, query))
                return
            with store.lock:
                content = store.objects.get(name)
            if content is None:
                missing = name.count("/") > 0
                self._reply(404 if missing else 200, _xml("Error", "<Code>NoSuchKey</Code>"))
                return
            status, ranged = 200, self.headers.get("Range", "")
            if ranged:
                first, _, last = ranged.removeprefix("bytes=").partition("-")
                status, content = 206, content[int(first) : int(last or len(content)) + 1]
            moment = "Tue, 01 Dec 2026 00:00:00 GMT"
            self._reply(status, content, **{"Last-Modified": moment, "ETag": '"1"'})

        def _listed(self, bucket: str, query: dict[str, str]) -> bytes:
            prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
            with store.lock:
                keys = sorted(k.removeprefix(f"{bucket}/") for k in store.objects)
                sizes = {k.removeprefix(f"{bucket}/"): len(v) for k, v in store.objects.items()}
            entries, folders = "", set()
            for key in keys:
                if not key.startswith(prefix):
                    continue
                head, slash, _ = key[len(prefix) :].partition(delimiter or "\0")
                if slash:
                    folders.add(prefix + head + slash)
                    continue
                entries += (
                    f"<Contents><Key>{escape(key)}</Key><Size>{sizes[key]}</Size>"
                    "<LastModified>2026-12-01T00:00:00.000Z</LastModified></Contents>"
                )
            for folder in sorted(folders):
                entries += f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>"
            count = f"<KeyCount>{len(keys)}</KeyCount><IsTruncated>false</IsTruncated>"
            return _xml("ListBucketResult", f"<Name>{bucket}</Name>{count}{entries}")

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    return Handler


def _xml(name: str, body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><{name}>{body}</{name}>'.encode()


def _unchunked(raw: bytes) -> bytes:
    """Return what was sent in chunks that are signed one by one."""
    content = b""
    while raw:
        head, _, raw = raw.partition(b"\r\n")
        size = int(head.split(b";")[0], 16)
        content, raw = content + raw[:size], raw[size + 2 :]
        if not size:
            return content
    return content
