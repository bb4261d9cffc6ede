//! Bytes through a screen under its lid, and what a client is sent of it.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use nopeek::screen::changes::{Seen, changes};
use nopeek::screen::covered::Covered;
use nopeek::screen::emulator::Emulator;
use nopeek::values::ids::JobId;
use std::hint::black_box;

const ROWS: u16 = 50;
const COLS: u16 = 200;

/// Printed as one line or frame each, over and over, until there is a megabyte of it.
fn megabyte(part: impl Fn(usize) -> String) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut n = 0;
    while bytes.len() < 1_000_000 {
        bytes.extend(part(n).bytes());
        n += 1;
    }
    bytes
}

fn source(n: usize) -> String {
    let lines: Vec<&str> = include_str!("screen.rs").lines().collect();
    format!("{}\r\n", lines[n % lines.len()])
}

fn log(n: usize) -> String {
    format!("\x1b[1m\x1b[32m   Compiling\x1b[0m crate-{} v0.{}.{}\r\n", n % 97, n % 40, n % 7)
}

fn wide(n: usize) -> String {
    let cjk: String = (0..20).filter_map(|k| char::from_u32(0x4e00 + ((n * 20 + k) % 2500) as u32)).collect();
    format!("{cjk} 🚀 e\u{301}e\u{301} ✅ ───\r\n")
}

/// An agent's screen: a synchronised update of a status line and a few runs in colour.
fn frame(n: usize) -> String {
    let mut text = format!("\x1b[?2026h\x1b[1;1H\x1b[38;5;208m⠋\x1b[0m Working… ({n}s)\x1b[K");
    for k in 0..6 {
        let (row, col) = ((n * 7 + k * 11) % 49 + 1, (n * 13 + k * 29) % 140 + 1);
        text += &format!("\x1b[{row};{col}H\x1b[38;2;{};90;160mlet value = {n};\x1b[0m", n % 256);
    }
    text + "\x1b[?2026l"
}

fn feed(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("screen/feed");
    for (name, bytes) in [
        ("source code", megabyte(source)),
        ("coloured log", megabyte(log)),
        ("wide characters", megabyte(wide)),
        ("agent's frames", megabyte(frame)),
    ] {
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        let mut covered = Covered::new(JobId(1), Emulator::new(ROWS, COLS));
        group.bench_function(name, |bench| {
            bench.iter(|| {
                for piece in bytes.chunks(64 * 1024) {
                    black_box(covered.feed(piece));
                }
            });
        });
    }
    group.finish();
}

fn look(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("screen/changes");
    let mut emulator = Emulator::new(ROWS, COLS);
    emulator.feed(&megabyte(source)[..200_000]);
    group.bench_function("a whole screen", |bench| {
        bench.iter_batched_ref(
            Seen::default,
            |seen| black_box(changes(&mut emulator, seen, ROWS, COLS, 0)),
            BatchSize::SmallInput,
        );
    });
    let mut seen = Seen::default();
    let mut n = 0;
    group.bench_function("a status line", |bench| {
        bench.iter(|| {
            n += 1;
            emulator.feed(format!("\x1b[1;1HWorking… ({n}s)\x1b[K").as_bytes());
            black_box(changes(&mut emulator, &mut seen, ROWS, COLS, 0))
        });
    });
    group.bench_function("nothing", |bench| {
        bench.iter(|| black_box(changes(&mut emulator, &mut seen, ROWS, COLS, 0)));
    });
    group.finish();
}

criterion_group!(benches, feed, look);
criterion_main!(benches);
