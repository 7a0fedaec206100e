"""Opens a session as the agent's gate does, and writes each message to a file, after its length (4 bytes, big endian).

Usage: record.py PORT FILE. Uses no package, so that it runs in every environment.
"""
import base64
import os
import pathlib
import socket
import struct
import sys
import time
import urllib.request

RERUN = b"\x5a\x00"  # BackMsg.rerun_script = {}
QUIET_SECONDS = 2.0  # the script has ended, or does nothing more worth recording


def wait_until_healthy(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


class Session:
    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET /_stcore/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: streamlit\r\n\r\n".encode()
        )
        self._socket.settimeout(QUIET_SECONDS)
        self._stream = self._socket.makefile("rb")
        status = self._stream.readline()
        if b" 101 " not in status:
            raise SystemExit(f"record.py: the app answered the handshake with {status!r}")
        while self._stream.readline() != b"\r\n":
            pass

    def send(self, message: bytes, opcode: int = 2) -> None:
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(message))
        self._socket.sendall(bytes([0x80 | opcode, 0x80 | len(message)]) + mask + masked)

    def messages(self):
        """Yields each binary message, until the app is quiet or closes."""
        message = b""
        while True:
            try:
                first, second = self._stream.read(2)
                length = second & 0x7F
                if length == 126:
                    (length,) = struct.unpack(">H", self._stream.read(2))
                elif length == 127:
                    (length,) = struct.unpack(">Q", self._stream.read(8))
                content = self._stream.read(length)
            except (TimeoutError, ValueError):
                return
            opcode = first & 0x0F
            if opcode == 8:
                return
            if opcode == 9:
                self.send(content, opcode=10)
            if opcode > 2:
                continue
            message += content
            if first & 0x80:
                yield message
                message = b""


def main() -> None:
    port, file = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    wait_until_healthy(port)
    session = Session(port)
    session.send(RERUN)
    recorded = list(session.messages())
    file.write_bytes(b"".join(struct.pack(">I", len(message)) + message for message in recorded))


main()
