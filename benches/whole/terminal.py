"""A terminal of our own: a PTY that runs one program, reads all it prints, and waits for what should appear.

It answers the queries that programs send at their start the way a modern terminal does, so that none waits in vain.
"""
import fcntl
import os
import pty
import re
import signal
import struct
import termios
import threading
import time

ANSWERS = {
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[>c": b"\x1b[>1;10;0c",
    b"\x1b[5n": b"\x1b[0n",
    b"\x1b[6n": b"\x1b[1;1R",
    b"\x1b[?u": b"\x1b[?0u",
    b"\x1b]10;?": b"\x1b]10;rgb:dddd/dddd/dddd\x1b\\",
    b"\x1b]11;?": b"\x1b]11;rgb:0000/0000/0000\x1b\\",
    b"\x1b[18t": b"\x1b[8;50;200t",
}
QUERY = re.compile(b"|".join(re.escape(query) for query in ANSWERS))
# What may be cut by the end of a read: longer than any query and any text that is waited for.
OVERLAP = 48


class Awaited:
    """Bytes that should appear, and when they did (seconds of `time.perf_counter`)."""

    def __init__(self, text):
        self.text = text
        self.at = None
        self.seen = threading.Event()

    def wait(self, seconds):
        self.seen.wait(seconds)
        return self.at


class Terminal:
    def __init__(self, argv, env, folder, cols=200, rows=50):
        self.began = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
                os.chdir(folder)
                os.execvpe(argv[0], argv, env)
            finally:
                os._exit(127)
        self.received = 0
        self.awaited = []
        self.lock = threading.Lock()
        self.rest = b""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return
            now = time.perf_counter()
            if not data:
                return
            self.received += len(data)
            window = self.rest + data
            if self.awaited:
                with self.lock:
                    for awaited in self.awaited:
                        if awaited.text in window:
                            awaited.at = now
                            awaited.seen.set()
                    self.awaited = [awaited for awaited in self.awaited if awaited.at is None]
            # Bulk output holds no queries of the program under test.
            if len(data) < 1024 or b"\x1b[?u" in data:
                for query in QUERY.finditer(window):
                    if query.end() > len(self.rest):
                        self.send(ANSWERS[query.group()])
            self.rest = window[-OVERLAP:]

    def expect(self, text):
        """From now on `text` is waited for; what was printed before does not count."""
        awaited = Awaited(text)
        with self.lock:
            self.rest = b""
            self.awaited.append(awaited)
        return awaited

    def send(self, data):
        try:
            os.write(self.fd, data)
        except OSError:
            pass

    def type_until(self, keys, text, seconds=10):
        """Types `keys` and waits until `text` is printed; an error if it is not."""
        awaited = self.expect(text)
        self.send(keys)
        at = awaited.wait(seconds)
        if at is None:
            raise RuntimeError(f"{text!r} did not appear after {keys!r}")
        return at

    def close(self):
        for sig in (signal.SIGHUP, signal.SIGKILL):
            try:
                os.kill(self.pid, sig)
            except ProcessLookupError:
                break
            for _ in range(100):
                try:
                    if os.waitpid(self.pid, os.WNOHANG)[0]:
                        break
                except ChildProcessError:
                    break
                time.sleep(0.01)
            else:
                continue
            break
        try:
            os.close(self.fd)
        except OSError:
            pass
