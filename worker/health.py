"""Whether a process lives, and whether it can do its work; and what it tells Prometheus.

/healthz   the process lives, and its loops come round: whoever asks restarts it otherwise
/readyz    the database can be reached and has the right schema, and what has to be done does not fail again and again
/metrics   counters of this process, and what the store says of all

What vendors push comes to the same place (`worker.pushes`).
"""

import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from store.errors import StoreError
from store.times import micros
from worker.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from prometheus_client import CollectorRegistry

    from worker.bootstrap import App
    from worker.loops import Loop

log = logging.getLogger(__name__)
_LARGEST_BODY = 1 << 16
_PLAIN = "text/plain; charset=utf-8"


class Said(NamedTuple):
    """An answer to whoever supervises."""

    status: int
    body: bytes
    kind: str = _PLAIN


class Health:
    """What a process says of itself."""

    def __init__(self, app: "App", loops: "Sequence[Loop]", registry: "CollectorRegistry") -> None:
        self._app = app
        self._loops = loops
        self._registry = registry

    def alive(self) -> Said:
        """Whether every loop came round lately."""
        stuck = [loop.name for loop in self._loops if loop.is_stuck]
        return Said(503, f"stuck: {', '.join(stuck)}\n".encode()) if stuck else Said(200, b"ok\n")

    def ready(self) -> Said:
        """Whether the store can be used, and nothing fails again and again. Directories that should have been run long
        ago are named."""
        if self._app.stopping.is_set():
            return Said(503, b"stopping\n")
        try:
            self._app.store.check()
        except StoreError as problem:
            return Said(503, f"{problem}\n".encode())
        failing = [f"{loop.name} ({loop.problem})" for loop in self._loops if loop.failures > 1]
        if failing:
            return Said(503, f"failing: {', '.join(failing)}\n".encode())
        with self._app.store.read() as tx:
            stuck = tx.views.stuck(micros(self._app.clock()))
        return Said(200, f"ok; stuck: {', '.join(stuck)}\n".encode() if stuck else b"ok\n")

    def metrics(self) -> Said:
        """Everything that Prometheus wants to know."""
        return Said(200, generate_latest(self._registry), CONTENT_TYPE_LATEST)


class HealthServer:
    """Serves what a process says of itself, in threads of its own, and hands on what is posted."""

    def __init__(self, place: str, health: Health, posted: "Callable[[str, Mapping[str, str]], Said]") -> None:
        host, _, port = place.rpartition(":")
        if not host or not port.isdecimal():
            raise SettingsError(f"SEATKEEPER_CONSOLE is host:port, like 127.0.0.1:8480; it says {place!r}")
        paths = {"/healthz": health.alive, "/readyz": health.ready, "/metrics": health.metrics}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10

            def do_GET(self) -> None:
                self._say(paths.get(self.path.partition("?")[0], lambda: Said(404, b"nothing is here\n"))())

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length", "0")
                if "Transfer-Encoding" in self.headers or not length.isdecimal() or int(length) > _LARGEST_BODY:
                    self.close_connection = True
                    return self._say(Said(413, b"too large\n"))
                self.rfile.read(int(length))
                self._say(posted(self.path.partition("?")[0], dict(self.headers.items())))

            def _say(self, answer: Said) -> None:
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.kind)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *args: object) -> None:
                """What is asked here is asked every few seconds, and told nobody."""

        try:
            self._server = ThreadingHTTPServer((host.strip("[]"), int(port)), Handler)
        except OSError as problem:
            raise SettingsError(f"nothing can listen at SEATKEEPER_CONSOLE={place}: {problem.strerror}") from None
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="health", daemon=True).start()

    def close(self) -> None:
        """Answer nothing more."""
        self._server.shutdown()
        self._server.server_close()
