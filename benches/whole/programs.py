"""The programs that are compared: a bare PTY, tmux, nopeek with the lid on and with the lid off.

Each starts panes from shell scripts, then has a client that is attached in a terminal of ours.
"""
import os
import subprocess
import time
from pathlib import Path

import processes
from terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
NOPEEK = Path(os.environ.get("NOPEEK", ROOT / "target/release/nopeek"))
COLS, ROWS = 200, 50


class Program:
    name = "?"
    # Whether the panes' content is on the client's screen.
    visible = True

    def __init__(self, folder, run):
        self.folder = Path(folder)
        self.terminal = None
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("TMUX", "NOPEEK"))}
        self.env = inherited | {
            processes.MARK: run,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LC_ALL": "C.UTF-8",
            "HOME": str(folder),
            "SHELL": "/bin/sh",
        }
        self.run = run

    def call(self, *argv, check=True):
        done = subprocess.run(argv, env=self.env, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True)
        if check and done.returncode != 0:
            raise RuntimeError(f"{argv}: {done.stdout.decode()} {done.stderr.decode()}")
        return done.stdout.decode()

    def open(self, argv):
        self.terminal = Terminal(argv, self.env, self.folder, COLS, ROWS)
        return self.terminal

    def start(self, scripts):
        """Starts a pane for each script (a path), detached."""
        raise NotImplementedError

    def attach(self):
        """A client that shows the panes, the first one in focus."""
        raise NotImplementedError

    def client_argv(self):
        raise NotImplementedError

    def pids(self):
        """The pids of (server, holders of panes, client)."""
        raise NotImplementedError

    def end(self):
        if self.terminal:
            self.terminal.close()
        self.stop()
        processes.end(self.run)

    def stop(self):
        pass


class Bare(Program):
    name = "bare PTY"

    def start(self, scripts):
        self.scripts = scripts

    def attach(self):
        self.open(["/bin/sh", str(self.scripts[0])])

    def pids(self):
        return [], [], []


class Tmux(Program):
    name = "tmux"
    # A terminal can be attached, or not.
    attached = True

    def base(self):
        return ["tmux", "-u", "-f", str(self.folder / "tmux.conf"), "-S", str(self.folder / "tmux.socket")]

    def start(self, scripts):
        (self.folder / "tmux.conf").write_text(
            "set -g history-limit 10000\nset -g default-terminal tmux-256color\nset -s escape-time 0\n"
        )
        first, *others = [f"exec /bin/sh {script}" for script in scripts]
        self.call(*self.base(), "new-session", "-d", "-s", "b", "-x", str(COLS), "-y", str(ROWS), first)
        for other in others:
            self.call(*self.base(), "split-window", "-d", "-t", "b", other, ";", "select-layout", "-t", "b", "tiled")

    def client_argv(self):
        return [*self.base(), "attach", "-t", "b"]

    def attach(self):
        if self.attached:
            self.open(self.client_argv())

    def pids(self):
        client = self.terminal.pid if self.terminal else None
        mine = [pid for pid, argv in processes.of_run(self.run) if argv and Path(argv[0]).name.startswith("tmux")]
        return [pid for pid in mine if pid != client], [], [client] if client else []

    def stop(self):
        self.call(*self.base(), "kill-server", check=False)


class TmuxDetached(Tmux):
    name = "tmux, detached"
    attached = False
    visible = False


class Nopeek(Program):
    name = "nopeek, lid off"
    lid = "off"

    def start(self, scripts):
        self.env["NOPEEK_HOME"] = str(self.folder / "home")
        self.repo = self.folder / "repo"
        config = self.folder / "home/config"
        config.mkdir(parents=True)
        (config / "config.toml").write_text(
            f'parallel = 64\nlid = "{self.lid}"\nagent = "pane"\n[agents.pane]\ncommand = ["/bin/sh", "{{prompt}}"]\n'
        )
        git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
        self.call(*git, "init", "-q", "-b", "main", str(self.repo))
        self.call(*git, "-C", str(self.repo), "commit", "-q", "--allow-empty", "-m", "start")
        names = [word for n in range(len(scripts)) for word in ("--name", f"pane-{n:02}")]
        self.call(str(NOPEEK), "-C", str(self.repo), "run", *names, *map(str, scripts))

    def client_argv(self):
        return [str(NOPEEK), "-C", str(self.repo)]

    def attach(self):
        self.open(self.client_argv())
        self.terminal.expect(b"pane-00").wait(10)
        if self.visible:
            # All side by side; the first is in focus.
            self.terminal.type_until(b"2", b"panes")
            self.terminal.send(b"\x1b[H")
        time.sleep(0.3)

    def focus(self):
        self.terminal.type_until(b"i", b"stops typing")

    def roles(self):
        daemon, keepers = [], []
        for pid, argv in processes.of_run(self.run):
            if len(argv) > 1 and Path(argv[0]).name == NOPEEK.name:
                if argv[1] == "daemon":
                    daemon.append(pid)
                elif argv[1] == "keeper":
                    keepers.append(pid)
        return daemon, keepers

    def pids(self):
        daemon, keepers = self.roles()
        return daemon, keepers, [self.terminal.pid] if self.terminal else []


class NopeekCovered(Nopeek):
    name = "nopeek, lid on"
    lid = "on"
    visible = False
