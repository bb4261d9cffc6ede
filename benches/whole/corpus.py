"""What the panes print: made from a seed and this repo's own sources, the same bytes on every machine and commit range.

Of each hundred bytes 45 are source code, 30 a coloured build log, 10 CJK, emoji and combining marks, 15 short lines.
"""
import random
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def block(size, seed=7):
    """About `size` bytes of mixed lines, each ending in a line feed."""
    chance = random.Random(seed)
    source = [line for path in sorted(ROOT.glob("src/core/*.rs")) for line in path.read_text().splitlines()]
    words = sorted({word for line in source for word in line.split() if word.isalnum()})

    def log():
        kind = chance.random()
        if kind < 0.4:
            return f"\x1b[1m\x1b[32m   Compiling\x1b[0m {chance.choice(words)} v{chance.randrange(9)}.{chance.randrange(40)}.0"
        if kind < 0.6:
            return f"test {chance.choice(words)}::{chance.choice(words)} ... \x1b[32mok\x1b[0m"
        if kind < 0.8:
            sign, colour = chance.choice([("+", 32), ("-", 31)])
            return f"\x1b[{colour}m{sign}{chance.choice(source)[:110]}\x1b[m"
        if kind < 0.9:
            rgb = ";".join(str(chance.randrange(256)) for _ in range(3))
            return f"\x1b[38;2;{rgb}m" + " ".join(chance.choice(words) for _ in range(9)) + "\x1b[39m"
        return "  ".join(f"\x1b[01;34m{chance.choice(words)}\x1b[0m" for _ in range(7))

    def wide():
        cells = []
        for _ in range(12):
            kind = chance.random()
            if kind < 0.5:
                cells.append("".join(chr(0x4E00 + chance.randrange(2500)) for _ in range(5)))
            elif kind < 0.7:
                cells.append(chance.choice(["🚀", "👍🏽", "❤️", "✅", "🦀"]))
            elif kind < 0.85:
                cells.append(chance.choice(["e\u0301", "a\u0308", "n\u0303"]) * 4)
            else:
                cells.append(chance.choice("─│┌┐└┘├┤█▓▒░") * 8)
        return " ".join(cells)

    def short():
        return f"[{chance.randrange(10**6):06}] {chance.choice(words)} {chance.choice(words)}"

    kinds = [(0.45, lambda: chance.choice(source)), (0.30, log), (0.10, wide), (0.15, short)]
    chunks = []
    for share, line in kinds:
        left = size * share
        while left > 0:
            chunk = "".join(line() + "\n" for _ in range(200)).encode()
            chunks.append(chunk)
            left -= len(chunk)
    chance.shuffle(chunks)
    return b"".join(chunks)


def write(path, megabytes):
    """A file of exactly `megabytes` million bytes."""
    one = block(4_000_000)
    left = megabytes * 1_000_000
    with open(path, "wb") as file:
        while left > 0:
            left -= file.write(one[:left])
