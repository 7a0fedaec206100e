"""Answers what the agent and a browser need of a Streamlit server, and fails on request.

What it does wrong is said by STAND_IN_* variables: README.md beside this file lists them. No line is flushed:
that one is seen at once is up to the image (python3 -u, PYTHONUNBUFFERED).
"""

import asyncio
import hashlib
import os
import pathlib
import signal
import sys
import time
from urllib.parse import urlsplit

import tornado.web
import tornado.websocket

# As Streamlit is told it; without a word of it, as RAGstream's image has it.
PORT = int(os.environ.get("STREAMLIT_SERVER_PORT", "8501"))
ADDRESS = os.environ.get("STREAMLIT_SERVER_ADDRESS", "")
VERSION = pathlib.Path(os.environ.get("STAND_IN_VERSION_FILE", "/app/VERSION")).read_text(encoding="utf-8").strip()
STARTED = time.monotonic()

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>RAGstream stand-in {version}</title></head>
<body><h1>RAGstream stand-in</h1><p>Version <b id="version">{version}</b>, connection <b id="connection">opening</b>, opened <b id="opened">0</b> times</p>
<script>
  // As Streamlit's own page: it stays, connects again by itself, and then shows what the server is by now.
  const show = (id, text) => {{ document.getElementById(id).textContent = text; }};
  let opened = 0;
  function connect() {{
    const stream = new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/_stcore/stream", ["streamlit"]);
    stream.onopen = async () => {{
      show("version", await (await fetch("/version")).text());
      show("opened", ++opened);
      show("connection", "open");
    }};
    stream.onclose = () => {{ show("connection", "closed"); setTimeout(connect, 500); }};
  }}
  connect();
</script></body></html>
"""


def seconds(name):
    """None when the variable is not set; `forever` is as long as anybody waits."""
    value = os.environ.get(name, "")
    if not value:
        return None
    return float("inf") if value == "forever" else float(value)


class Handler(tornado.web.RequestHandler):
    async def prepare(self):
        slow = seconds("STAND_IN_SLOW_SECONDS")
        if slow is not None and pathlib.Path("/tmp/slow").exists():
            await asyncio.sleep(slow)


class Health(Handler):
    def get(self):
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        unhealthy_for = seconds("STAND_IN_UNHEALTHY_FOR")
        if unhealthy_for is not None and time.monotonic() - STARTED < unhealthy_for:
            self.set_status(503)
            self.write("unavailable")
        else:
            self.write("ok")

    head = get


class HostConfig(Handler):
    def get(self):
        self.write({"allowedOrigins": [], "useExternalAuthToken": False, "enableCustomParentMessages": False})


class Page(Handler):
    def get(self):
        self.write(PAGE.format(version=VERSION))


class Version(Handler):
    def get(self):
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.write(VERSION)


class KeySha256(Handler):
    def get(self):
        key = os.environ.get("OPENAI_API_KEY", "")
        if not key:
            raise tornado.web.HTTPError(404)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.write(hashlib.sha256(key.encode()).hexdigest())


@tornado.web.stream_request_body
class Upload(tornado.web.RequestHandler):
    def prepare(self):
        self.digest = hashlib.sha256()
        self.request.connection.set_max_body_size(2**40)

    def data_received(self, chunk):
        self.digest.update(chunk)

    def put(self, _):
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.write(f"{VERSION} {self.digest.hexdigest()}")


class Gate(tornado.web.RequestHandler):
    def get(self):
        self.set_status(int(os.environ.get("STAND_IN_GATE_STATUS", "404")))


class Stream(tornado.websocket.WebSocketHandler):
    def select_subprotocol(self, subprotocols):
        return "streamlit" if "streamlit" in subprotocols else None

    def check_origin(self, origin):
        return urlsplit(origin).netloc.lower() == self.request.headers.get("Host", "").lower()

    def on_message(self, message):
        self.write_message(message, binary=isinstance(message, bytes))


async def exit_later(after, code):
    await asyncio.sleep(after)
    print(f"stand-in {VERSION} ends with code {code}")
    os._exit(code)


async def hang_later(after):
    await asyncio.sleep(after)
    print(f"stand-in {VERSION} answers nobody any more")
    # The loop is blocked: the kernel still accepts connections, nobody reads them.
    time.sleep(10**9)


async def leak(mebibytes_per_second):
    kept = []
    while True:
        # Not zeros: pages that are never written to take no memory.
        kept.append(b"x" * int(mebibytes_per_second * 2**20))
        await asyncio.sleep(1)


async def main():
    tasks = []
    exit_code = os.environ.get("STAND_IN_EXIT_CODE", "")
    exit_after = seconds("STAND_IN_EXIT_AFTER")
    if exit_code or exit_after is not None:
        if not exit_after:
            print(f"stand-in {VERSION} ends at once with code {exit_code or 0}")
            sys.exit(int(exit_code or 0))
        tasks.append(asyncio.create_task(exit_later(exit_after, int(exit_code or 0))))

    refused = os.environ.get("STAND_IN_REFUSES_KEYS", "")
    if refused and os.environ.get("OPENAI_API_KEY", "").startswith(refused):
        print(f"stand-in {VERSION} does not like its key", file=sys.stderr)
        sys.exit(4)

    await asyncio.sleep(seconds("STAND_IN_START_AFTER") or 0)
    tornado.web.Application(
        [
            (r"/", Page),
            (r"/version", Version),
            (r"/key-sha256", KeySha256),
            (r"/_stcore/health", Health),
            (r"/_stcore/host-config", HostConfig),
            (r"/_stcore/upload_file/(.*)", Upload),
            (r"/cgi-bin/gate", Gate),
            (r"/_stcore/stream", Stream),
        ],
        websocket_ping_interval=30,
    ).listen(PORT, ADDRESS)
    print(f"stand-in {VERSION} serves on port {PORT}")

    # As with Streamlit, only from here on: a SIGTERM during the start is left to the one who runs it as PID 1.
    stopping = asyncio.Event()
    if os.environ.get("STAND_IN_IGNORE_SIGTERM"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)

    hang_after = seconds("STAND_IN_HANG_AFTER")
    if hang_after is not None:
        tasks.append(asyncio.create_task(hang_later(hang_after)))
    leaked = seconds("STAND_IN_LEAK_MIB_PER_SECOND")
    if leaked:
        tasks.append(asyncio.create_task(leak(leaked)))
    await stopping.wait()
    print(f"stand-in {VERSION} stops")


asyncio.run(main())
