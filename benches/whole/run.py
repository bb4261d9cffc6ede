#!/usr/bin/env python3
"""Whole-program figures of nopeek beside tmux and a bare PTY, all in one run and by turns.

    python3 benches/whole/run.py [MEASURE ...] [--rounds N] [--quick] [--json FILE]

Measures: one, eight, keys, attach, idle, memory, crash; all of them if none is named. Needs a release build
(`cargo build --release`), tmux and a C compiler. Machines are noisy: compare the ratios within one run.
"""
import argparse
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import corpus
import processes
from programs import NOPEEK, Bare, Nopeek, NopeekCovered, Tmux, TmuxDetached

MARKS = "①②③④⑤⑥⑦⑧"


class Case:
    """One program at one measure, in a folder of its own."""

    def __init__(self, kind, work):
        self.folder = Path(tempfile.mkdtemp(prefix="case.", dir=work))
        self.program = kind(self.folder, self.folder.name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def script(self, n, body):
        path = self.folder / f"pane{n}.sh"
        path.write_text(body)
        return path

    def until(self, *names, seconds=180):
        """Waits until files of these names are there and hold something."""
        end = time.monotonic() + seconds
        while not all(self.holds(name) for name in names):
            if time.monotonic() > end:
                raise RuntimeError(f"{self.program.name}: no {names} after {seconds} s")
            time.sleep(0.01)

    def holds(self, name):
        path = self.folder / name
        return path.exists() and path.stat().st_size > 0

    def read(self, name):
        return float((self.folder / name).read_text())


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def throughput(kind, panes, file, work):
    """Megabytes a second that `panes` panes print at once, and until the last is seen."""
    with Case(kind, work) as case:
        folder, program = case.folder, case.program
        scripts = [
            case.script(
                n,
                f"echo > {folder}/ready{n}; while [ ! -e {folder}/go ]; do sleep 0.01; done\n"
                f"date +%s.%N > {folder}/start{n}; cat {file}; date +%s.%N > {folder}/end{n}\n"
                f"printf '\\033[0m\\r\\n{MARKS[n]}\\r\\n'; while [ ! -e {folder}/stop ]; do sleep 0.2; done\n",
            )
            for n in range(panes)
        ]
        program.start(scripts)
        program.attach()
        case.until(*(f"ready{n}" for n in range(panes)))
        time.sleep(0.5)
        server, holders, client = program.pids()
        before = processes.cpu(server + holders), processes.cpu(client)
        marks = [program.terminal.expect(MARKS[n].encode()) for n in range(panes)] if program.visible else []
        began = time.perf_counter()
        (folder / "go").touch()
        case.until(*(f"end{n}" for n in range(panes)))
        seen = [mark.wait(60) for mark in marks]
        if None in seen:
            raise RuntimeError(f"{program.name}: the end of a pane was not shown")
        wall = max(case.read(f"end{n}") for n in range(panes)) - min(case.read(f"start{n}") for n in range(panes))
        size = os.path.getsize(file) * panes / 1e6
        return {
            "MB/s": size / wall,
            "s until seen": max(seen) - began if seen else None,
            "server CPU s": processes.cpu(server + holders) - before[0],
            "client CPU s": processes.cpu(client) - before[1],
        }


def keys(kind, flood, count, file, work):
    """Milliseconds from a typed character to its echo on the outer terminal; another pane may print without pause."""
    with Case(kind, work) as case:
        folder, program = case.folder, case.program
        scripts = [case.script(0, f"echo > {folder}/ready0; exec cat\n")]
        if flood:
            body = f"echo > {folder}/ready1; while [ ! -e {folder}/stop ]; do cat {file}; done\n"
            scripts.append(case.script(1, body))
        program.start(scripts)
        program.attach()
        case.until(*(f"ready{n}" for n in range(len(scripts))))
        time.sleep(1)
        if isinstance(program, Nopeek):
            program.focus()
        time.sleep(0.5)
        server, holders, client = program.pids()
        before = processes.cpu(server + holders + client)
        chance = random.Random(1)
        took, lost = [], 0
        for n in range(count):
            # No two within a line alike, and none that the rest of the screen holds.
            character = chr(0x100 + n % 127).encode()
            echo = program.terminal.expect(character)
            began = time.perf_counter()
            program.terminal.send(character)
            at = echo.wait(3)
            if at is None:
                lost += 1
            else:
                took.append((at - began) * 1e3)
            if n % 30 == 29:
                time.sleep(0.03)
                program.terminal.send(b"\x15")
            time.sleep(chance.uniform(0.015, 0.045))
        if not took:
            raise RuntimeError(f"{program.name}: no echo was seen")
        name = "flood" if flood else "idle"
        return {
            f"{name} p50 ms": percentile(took, 0.5),
            f"{name} p90 ms": percentile(took, 0.9),
            f"{name} p99 ms": percentile(took, 0.99),
            f"{name} lost": lost,
            f"{name} CPU ms a key": (processes.cpu(server + holders + client) - before) * 1e3 / count,
        }


def attach(kind, count, work):
    """Milliseconds from the start of a client until its first full frame: of tmux the pane, of nopeek the board; and
    until the pane is there that `s` opens on the board."""
    with Case(kind, work) as case:
        folder, program = case.folder, case.program
        lines = "".join(f"line {n} of the screen, with some text on it\\r\\n" for n in range(38))
        body = (
            f"printf '\\033[2J\\033[H{MARKS[0]}\\r\\n{lines}{MARKS[1]}'; echo > {folder}/ready0\n"
            f"while [ ! -e {folder}/stop ]; do sleep 0.2; done\n"
        )
        program.start([case.script(0, body)])
        program.attach()
        case.until("ready0")
        time.sleep(1)
        program.terminal.close()
        first, whole, pane = [], [], []
        for _ in range(count):
            time.sleep(0.2)
            board = isinstance(program, Nopeek)
            terminal = program.open(program.client_argv())
            # The footer is the last that is drawn of the board, the second mark the last of the pane.
            awaited = terminal.expect(b"help" if board else MARKS[1].encode())
            task = terminal.expect(b"pane-00" if board else MARKS[0].encode())
            at = [awaited.wait(10), task.wait(10)]
            if None in at:
                raise RuntimeError(f"{program.name}: the screen was never whole")
            whole.append((max(at) - terminal.began) * 1e3)
            if board:
                terminal.type_until(b"s", MARKS[1].encode())
                pane.append((time.perf_counter() - terminal.began) * 1e3)
            terminal.close()
        return {
            "first full frame ms": statistics.median(whole),
            "largest ms": max(whole),
            "and the pane ms": statistics.median(pane) if pane else statistics.median(whole),
        }


def idle(kind, panes, seconds, spin, work):
    """Per cent of a core that panes cost which redraw a line ten times a second."""
    with Case(kind, work) as case:
        program = case.program
        program.start([case.script(n, f"exec {spin}\n") for n in range(panes)])
        program.attach()
        # Agents that have just started are listened to more closely.
        time.sleep(8)
        server, holders, client = program.pids()
        groups = {"server": server, "keepers": holders, "client": client}
        before = {name: processes.cpu(pids) for name, pids in groups.items()}
        received = program.terminal.received
        began = time.perf_counter()
        time.sleep(seconds)
        took = time.perf_counter() - began
        used = {name: (processes.cpu(pids) - before[name]) * 100 / took for name, pids in groups.items()}
        running = sum(1 for _, argv in processes.of_run(program.run) if argv and argv[0] == str(spin))
        if running != panes:
            raise RuntimeError(f"{program.name}: {running} of {panes} panes run")
        return {
            "CPU %": sum(used.values()),
            **{f"{name} %": value for name, value in used.items()},
            "kB/s to the terminal": (program.terminal.received - received) / 1e3 / took,
        }


def memory(kind, panes, work):
    """MiB that a pane adds which has printed 10,000 lines of 200 columns."""
    with Case(kind, work) as case:
        folder, program = case.folder, case.program
        text = folder / "lines"
        text.write_text("".join(f"{n:06} ".ljust(199, "x") + "\n" for n in range(10_000)))
        quiet = case.script(0, f"echo > {folder}/ready0; while [ ! -e {folder}/stop ]; do sleep 0.2; done\n")
        program.start([quiet])
        program.attach()
        case.until("ready0")
        time.sleep(1)
        base, _ = processes.memory(program.pids()[0])
    with Case(kind, work) as case:
        folder, program = case.folder, case.program
        text = folder / "lines"
        text.write_text("".join(f"{n:06} ".ljust(199, "x") + "\n" for n in range(10_000)))
        program.start(
            [
                case.script(
                    n, f"cat {text}; echo > {folder}/ready{n}; while [ ! -e {folder}/stop ]; do sleep 0.2; done\n"
                )
                for n in range(panes)
            ]
        )
        program.attach()
        case.until(*(f"ready{n}" for n in range(panes)))
        time.sleep(2)
        server, holders, _ = program.pids()
        proportional, _ = processes.memory(server)
        of_holders, private = processes.memory(holders)
        return {
            "MiB a pane": (proportional - base) / max(panes - 1, 1) + of_holders / panes,
            "of it the keeper": of_holders / panes,
            "keeper private": private / panes,
            "server with one quiet pane MiB": base,
        }


def crash(kind, work):
    """Milliseconds from `kill -9` of the server until new output of a pane is on the attached client's screen."""
    with Case(kind, work) as case:
        folder, program = case.folder, case.program
        waits = (
            "import os, sys, time\n"
            f"print(1, file=open('{folder}/ready0', 'w'))\n"
            "for n in range(1000): print('line', n)\n"
            f"while not os.path.exists('{folder}/go'): time.sleep(0.001)\n"
            f"print('{MARKS[0]}', flush=True)\n"
            "time.sleep(0.5)\n"
            f"open('{folder}/alive', 'w')\n"
            f"while not os.path.exists('{folder}/stop'): time.sleep(0.2)\n"
        )
        source = folder / "waits.py"
        source.write_text(waits)
        program.start([case.script(0, f"exec {sys.executable} {source}\n")])
        program.attach()
        case.until("ready0")
        time.sleep(1.5)
        server, _, _ = program.pids()
        mark = program.terminal.expect(MARKS[0].encode())
        began = time.perf_counter()
        for pid in server:
            os.kill(pid, signal.SIGKILL)
        (folder / "go").touch()
        at = mark.wait(5)
        time.sleep(1)
        return {
            "live again ms": (at - began) * 1e3 if at else None,
            "the agent lives": (folder / "alive").exists(),
        }


def measures(work, quick):
    sizes = {"one": 20 if quick else 200, "eight": 5 if quick else 50, "flood": 10}
    files = {name: work / f"{name}.txt" for name in sizes}
    spin = work / "spin"

    def file(name):
        if not files[name].exists():
            corpus.write(files[name], sizes[name])
        return files[name]

    def spinner():
        if not spin.exists():
            subprocess.run(["cc", "-O2", "-o", spin, HERE / "spin.c"], check=True)
        return spin

    typed = 150 if quick else 500

    def typing(kind):
        return keys(kind, False, typed, None, work) | keys(kind, True, typed, file("flood"), work)

    return {
        "one": ([Bare, Tmux, TmuxDetached, Nopeek, NopeekCovered], lambda kind: throughput(kind, 1, file("one"), work)),
        "eight": ([Tmux, TmuxDetached, Nopeek, NopeekCovered], lambda kind: throughput(kind, 8, file("eight"), work)),
        "keys": ([Tmux, Nopeek], typing),
        "attach": ([Tmux, Nopeek], lambda kind: attach(kind, 5 if quick else 15, work)),
        "idle": ([Tmux, Nopeek, NopeekCovered], lambda kind: idle(kind, 32, 5 if quick else 20, spinner(), work)),
        "memory": ([Tmux, Nopeek, NopeekCovered], lambda kind: memory(kind, 8, work)),
        "crash": ([Tmux, Nopeek], lambda kind: crash(kind, work)),
    }


def shown(value):
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def table(results):
    """The medians of one measure, a program a line."""
    names = list(next(iter(results.values()))[0])
    lines = ["| program | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for program, rounds in results.items():
        cells = []
        for name in names:
            values = [result[name] for result in rounds if result[name] is not None]
            value = all(values) if values and isinstance(values[0], bool) else statistics.median(values) if values else None
            cells.append(shown(value))
        lines.append(f"| {program} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measures", nargs="*", metavar="MEASURE")
    parser.add_argument("--rounds", type=int, default=3, help="each program so often, by turns (default 3)")
    parser.add_argument("--quick", action="store_true", help="small files and short times: to see that it works")
    parser.add_argument("--json", type=Path, help="also write every single result to this file")
    arguments = parser.parse_args()
    for tool in ("tmux", "git", "cc"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is not on the PATH: it is needed to compare")
    if not NOPEEK.exists():
        sys.exit(f"{NOPEEK} is not there: cargo build --release")
    every = {}
    with tempfile.TemporaryDirectory(prefix="nopeek-bench.") as work:
        all_of_them = measures(Path(work), arguments.quick)
        unknown = set(arguments.measures) - set(all_of_them)
        if unknown:
            sys.exit(f"no such measure: {', '.join(sorted(unknown))}; there are {', '.join(all_of_them)}")
        for name in arguments.measures or all_of_them:
            kinds, measure = all_of_them[name]
            results = {kind.name: [] for kind in kinds}
            for _ in range(arguments.rounds):
                # By turns, so that a machine that slows down slows down all of them.
                for kind in kinds:
                    results[kind.name].append(measure(kind))
                    print(".", end="", file=sys.stderr, flush=True)
            print(f"\n## {name}\n\n{table(results)}\n", flush=True)
            every[name] = results
    if arguments.json:
        arguments.json.write_text(json.dumps(every, indent=1) + "\n")


if __name__ == "__main__":
    main()
