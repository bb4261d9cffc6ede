"""CPU time and memory of the processes of one run; a run's processes carry its mark in their environment."""
import os
import signal
import time

MARK = "NOPEEK_BENCH_RUN"


def of_run(run):
    """All processes of a run but this one, as (pid, command line)."""
    wanted = f"{MARK}={run}".encode()
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if wanted not in file.read().split(b"\0"):
                    continue
            with open(f"/proc/{name}/cmdline", "rb") as file:
                found.append((int(name), file.read().decode(errors="replace").split("\0")[:-1]))
        except OSError:
            continue
    return found


def cpu(pids):
    """Seconds that all threads of `pids` have run."""
    total = 0
    for pid in pids:
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                    total += int(file.read().split()[0])
        except OSError:
            continue
    return total / 1e9


def memory(pids):
    """(proportional, private) MiB of `pids` together."""
    proportional = private = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                for line in file:
                    if line.startswith("Pss:"):
                        proportional += int(line.split()[1])
                    elif line.startswith(("Private_Clean:", "Private_Dirty:")):
                        private += int(line.split()[1])
        except OSError:
            continue
    return proportional / 1024, private / 1024


def end(run):
    """Ends what is left of a run."""
    for _ in range(50):
        left = [pid for pid, _ in of_run(run)]
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.02)
