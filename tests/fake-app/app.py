"""A fake Streamlit server: what the agent and a browser need of one, and failures on demand.

FAKE_APP_* variables select the failures; README.md lists them. Output is not flushed here: the image must make it
unbuffered (python3 -u, PYTHONUNBUFFERED).
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

# Streamlit's own variables. The defaults are those of RAGstream's image.
PORT = int(os.environ.get("STREAMLIT_SERVER_PORT", "8501"))
ADDRESS = os.environ.get("STREAMLIT_SERVER_ADDRESS", "")
VERSION = pathlib.Path(os.environ.get("FAKE_APP_VERSION_FILE", "/app/VERSION")).read_text(encoding="utf-8").strip()
STARTED = time.monotonic()

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>RAGstream fake app {version}</title></head>
<body><h1>RAGstream fake app</h1>
<p>Version <b id="version">{version}</b>, connection <b id="connection">opening</b>, opened <b id="opened">0</b> times</p>
<script>
  // Like Streamlit's page: it reconnects automatically, and then shows the server's current version.
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
    """None if the variable is not set, infinity for `forever`."""
    value = os.environ.get(name, "")
    if not value:
        return None
    return float("inf") if value == "forever" else float(value)


class Handler(tornado.web.RequestHandler):
    async def prepare(self):
        slow = seconds("FAKE_APP_SLOW_SECONDS")
        if slow is not None and pathlib.Path("/tmp/slow").exists():
            await asyncio.sleep(slow)


class Health(Handler):
    def get(self):
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        unhealthy_for = seconds("FAKE_APP_UNHEALTHY_FOR")
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
        self.set_status(int(os.environ.get("FAKE_APP_GATE_STATUS", "404")))


RUN_BEGAN = b"\x82\x02\x22\x00"
ELEMENT = b"\x82\x06\x2a\x04\x1a\x02\xfa\x02"
LARGE = 64 * 2**20
LARGE_ELEMENT = (b"\x2a\xfa\xff\xff\x1f\x1a\xf5\xff\xff\x1f" + bytes(LARGE))[:LARGE]

# What a session gets for its first message, in frames of a WebSocket: these bytes, and then those for ever.
BAD_SESSIONS = {
    "large": (RUN_BEGAN + b"\x82\x7f" + LARGE.to_bytes(8, "big") + LARGE_ELEMENT, b""),
    "elements": (RUN_BEGAN, ELEMENT * 1000),
    "fragments": (RUN_BEGAN + b"\x02\x01\x22", (b"\x00\x01" + bytes(1)) * 1000),
    "frame": (RUN_BEGAN + b"\x82\x7f" + (2**63 - 1).to_bytes(8, "big"), bytes(2**20)),
}


class Stream(tornado.websocket.WebSocketHandler):
    def select_subprotocol(self, subprotocols):
        return "streamlit" if "streamlit" in subprotocols else None

    def check_origin(self, origin):
        return urlsplit(origin).netloc.lower() == self.request.headers.get("Host", "").lower()

    async def on_message(self, message):
        bad = BAD_SESSIONS.get(os.environ.get("FAKE_APP_SESSION", ""))
        if not bad:
            self.write_message(message, binary=isinstance(message, bytes))
            return
        beginning, repeated = bad
        await self.ws_connection.stream.write(beginning)
        while repeated:
            await self.ws_connection.stream.write(repeated)


async def exit_later(after, code):
    await asyncio.sleep(after)
    print(f"fake app {VERSION} exits with code {code}")
    os._exit(code)


async def hang_later(after):
    await asyncio.sleep(after)
    print(f"fake app {VERSION} stops answering")
    # This blocks the event loop. The kernel still accepts connections, but nothing reads them.
    time.sleep(10**9)


async def leak(mebibytes_per_second):
    kept = []
    while True:
        # Not zeros: pages that are never written use no memory.
        kept.append(b"x" * int(mebibytes_per_second * 2**20))
        await asyncio.sleep(1)


async def main():
    tasks = []
    exit_code = os.environ.get("FAKE_APP_EXIT_CODE", "")
    exit_after = seconds("FAKE_APP_EXIT_AFTER")
    if exit_code or exit_after is not None:
        if not exit_after:
            print(f"fake app {VERSION} exits at once with code {exit_code or 0}")
            sys.exit(int(exit_code or 0))
        tasks.append(asyncio.create_task(exit_later(exit_after, int(exit_code or 0))))

    refused = os.environ.get("FAKE_APP_REFUSES_KEYS", "")
    if refused and os.environ.get("OPENAI_API_KEY", "").startswith(refused):
        print(f"fake app {VERSION} rejects its key", file=sys.stderr)
        sys.exit(4)

    await asyncio.sleep(seconds("FAKE_APP_START_AFTER") or 0)
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
    print(f"fake app {VERSION} serves on port {PORT}")

    # Streamlit also handles SIGTERM only once it has started. Until then, PID 1 decides what happens.
    stopping = asyncio.Event()
    if os.environ.get("FAKE_APP_IGNORE_SIGTERM"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)

    hang_after = seconds("FAKE_APP_HANG_AFTER")
    if hang_after is not None:
        tasks.append(asyncio.create_task(hang_later(hang_after)))
    leaked = seconds("FAKE_APP_LEAK_MIB_PER_SECOND")
    if leaked:
        tasks.append(asyncio.create_task(leak(leaked)))
    await stopping.wait()
    print(f"fake app {VERSION} stops")


asyncio.run(main())
