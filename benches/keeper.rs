//! Bytes from a program through a real keeper's PTY into its spool, and on through the screen: one keeper, and eight.
//!
//! This is a covered job as the daemon has it, but for the daemon: the release build's keeper, a reader of the spool.

#![expect(clippy::expect_used, reason = "a bench that can't go on says why")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nopeek::os::{clock, process};
use nopeek::screen::covered::Covered;
use nopeek::screen::emulator::Emulator;
use nopeek::values::ids::JobId;
use nopeek::wire::frame::{self, Decoder};
use nopeek::wire::keeper::{ExitFile, FromKeeper, JobSpec, KEEPER_PROTOCOL, ToKeeper};
use std::fs::File;
use std::hint::black_box;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

const BYTES: u64 = 20_000_000;

/// A job whose program waits for a line before it prints `text`.
struct Job {
    _dir: tempfile::TempDir,
    path: PathBuf,
    stream: UnixStream,
    decoder: Decoder,
}

impl Job {
    fn start(text: &Path) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().to_owned();
        let spec = JobSpec {
            version: KEEPER_PROTOCOL,
            argv: ["/bin/sh", "-c", "read go; exec cat \"$0\"", &text.display().to_string()]
                .map(str::to_owned)
                .to_vec(),
            env: vec![("PATH".into(), "/usr/bin:/bin".into())],
            cwd: path.clone(),
            stdin: None,
            rows: 50,
            cols: 200,
        };
        std::fs::write(path.join("spec.json"), serde_json::to_vec(&spec).expect("JSON")).expect("a spec");
        process::spawn_keeper(Path::new(env!("CARGO_BIN_EXE_nopeek")), &path).expect("a keeper");
        let until = clock::instant() + Duration::from_secs(10);
        let stream = loop {
            match UnixStream::connect(path.join("socket")) {
                Ok(stream) => break stream,
                Err(error) if clock::instant() > until => panic!("no keeper: {error}"),
                Err(_) => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        Self { _dir: dir, path, stream, decoder: Decoder::default() }
    }

    fn go(&mut self) {
        let go = frame::encode(&ToKeeper::Input(b"\n".to_vec())).expect("a frame");
        self.stream.write_all(&go).expect("a keeper that listens");
    }

    /// Reads the spool as it grows, to the job's end; gives each piece to `take`.
    fn follow(mut self, mut take: impl FnMut(&[u8])) -> u64 {
        let mut spool: Option<File> = None;
        let (mut read, mut piece, mut bytes) = (0, vec![0; 64 * 1024], [0; 4096]);
        loop {
            let n = self.stream.read(&mut bytes).expect("a keeper that speaks");
            self.decoder.push(&bytes[..n]);
            let (mut grown, mut ended) = (read, false);
            if n == 0 {
                // Who reads slowly is not waited for with the last word: it stands in a file.
                let file = std::fs::read(self.path.join("exit.json")).expect("how it ended");
                let exit = serde_json::from_slice(&file).expect("JSON");
                let ExitFile::Ended { spool, .. } = exit else { panic!("it was not started: {exit:?}") };
                (grown, ended) = (spool, true);
            }
            while let Some(message) = self.decoder.next_message().expect("the protocol") {
                match message {
                    FromKeeper::Grown(len) => grown = len,
                    FromKeeper::Exited(ExitFile::Ended { spool, .. }) => (grown, ended) = (spool, true),
                    _ => {}
                }
            }
            while read < grown {
                let file = match &mut spool {
                    Some(file) => file,
                    None => spool.insert(File::open(self.path.join("spool")).expect("a spool")),
                };
                let n = read_some(file, &mut piece, read, grown).expect("a spool that can be read");
                take(&piece[..n]);
                read += n as u64;
            }
            if ended {
                return read;
            }
        }
    }
}

fn read_some(file: &File, piece: &mut [u8], from: u64, to: u64) -> io::Result<usize> {
    let want = usize::try_from(to - from).unwrap_or(piece.len()).min(piece.len());
    file.read_at(&mut piece[..want], from)
}

fn run(jobs: Vec<Job>, screens: bool) -> Duration {
    let mut jobs = jobs;
    let began = clock::instant();
    jobs.iter_mut().for_each(Job::go);
    std::thread::scope(|scope| {
        for job in jobs {
            scope.spawn(move || {
                let mut covered = Covered::new(JobId(1), Emulator::new(50, 200));
                let read = job.follow(|piece| {
                    if screens {
                        black_box(covered.feed(piece));
                    }
                });
                assert!(read >= BYTES, "all of it was read");
            });
        }
    });
    began.elapsed()
}

fn keepers(bench: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    let text = dir.path().join("text");
    let lines = include_bytes!("keeper.rs").repeat(1 + BYTES as usize / include_bytes!("keeper.rs").len());
    std::fs::write(&text, &lines[..BYTES as usize]).expect("a file");
    let mut group = bench.benchmark_group("keeper");
    group.sample_size(10);
    for count in [1, 8] {
        group.throughput(Throughput::Bytes(BYTES * count));
        for (name, screens) in [("to the spool", false), ("to the screen", true)] {
            group.bench_function(BenchmarkId::new(name, count), |bench| {
                bench.iter_custom(|times| {
                    (0..times).map(|_| run((0..count).map(|_| Job::start(&text)).collect(), screens)).sum()
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, keepers);
criterion_main!(benches);
