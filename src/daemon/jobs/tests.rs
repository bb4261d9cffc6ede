//! A job's thread against a keeper that the test plays: its story is told once, in order, whatever breaks.

use super::begin;
use super::files::Files;
use super::{Begin, Jobs, Kind, Order};
use crate::core::model::agent::Exit;
use crate::core::model::event::{Answer, EffectOutcome, Event};
use crate::daemon::message::{FromWorld, World};
use crate::os::clock::Clock;
use crate::os::lock::Lock;
use crate::os::paths::Paths;
use crate::values::ids::{EffectId, JobId};
use crate::values::time::Span;
use crate::wire::frame::{self, Decoder};
use crate::wire::keeper::{ExitFile, FromKeeper, ToKeeper};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use tokio::sync::mpsc::Receiver;

const JOB: JobId = JobId(7);

struct World7 {
    _home: tempfile::TempDir,
    files: Files,
    jobs: Jobs,
    world: Receiver<FromWorld>,
}

impl World7 {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        let paths = Paths { config: at("config"), data: at("data"), runtime: at("run") };
        let dir = paths.job(JOB.0);
        std::fs::create_dir_all(&dir).unwrap();
        let (sender, world) = World::new();
        let jobs = Jobs::new(paths, "/nowhere/nopeek".into(), Arc::new(Clock::start()), sender);
        Self { _home: home, files: Files::new(dir), jobs, world }
    }

    /// What the engine hears next, signs of life left out.
    fn event(&mut self) -> Event {
        loop {
            match self.world.blocking_recv().unwrap() {
                FromWorld::Event(Event::Alive(_)) | FromWorld::Loaded(_) | FromWorld::Screen(_) => {}
                FromWorld::Event(event) => return event,
                other => panic!("{other:?}"),
            }
        }
    }

    fn print(&self, text: &str) -> u64 {
        let mut spool = File::options().create(true).append(true).open(self.files.spool()).unwrap();
        spool.write_all(text.as_bytes()).unwrap();
        spool.metadata().unwrap().len()
    }

    fn write_exit(&self, exit: &ExitFile) {
        std::fs::write(self.files.dir().join("exit.json"), serde_json::to_vec(exit).unwrap()).unwrap();
    }
}

/// The keeper's end, played by the test.
struct Keeper {
    _lock: Lock,
    listener: UnixListener,
}

impl Keeper {
    fn new(files: &Files) -> Self {
        let lock = Lock::try_take(&files.lock()).unwrap().unwrap();
        Self { _lock: lock, listener: UnixListener::bind(files.socket()).unwrap() }
    }

    fn accept(&self, spool: u64) -> Line {
        let mut line = Line { stream: self.listener.accept().unwrap().0, decoder: Decoder::default() };
        line.say(&FromKeeper::Hello { version: 1, child: 1, frozen: false, spool });
        line
    }
}

struct Line {
    stream: UnixStream,
    decoder: Decoder,
}

impl Line {
    fn say(&mut self, message: &FromKeeper) {
        self.stream.write_all(&frame::encode(message).unwrap()).unwrap();
    }

    fn hear(&mut self) -> ToKeeper {
        loop {
            if let Some(message) = self.decoder.next_message().unwrap() {
                return message;
            }
            let mut bytes = [0; 256];
            let n = self.stream.read(&mut bytes).unwrap();
            assert_ne!(n, 0, "the daemon hung up");
            self.decoder.push(&bytes[..n]);
        }
    }
}

fn ended(code: i32, spool: u64) -> ExitFile {
    ExitFile::Ended { code: Some(code), signal: None, spool }
}

fn exited(exit: Exit, tail: &str) -> Event {
    Event::Exited { job: JOB, exit, tail: tail.to_owned(), tests: None }
}

fn done(effect: u64) -> Event {
    Event::EffectDone { effect: EffectId(effect), outcome: EffectOutcome::Done }
}

#[test]
fn orders_reach_the_keeper_and_the_end_comes_after_all_output() {
    let mut w = World7::new();
    let keeper = Keeper::new(&w.files);
    let spool = w.print("one\n");
    w.jobs.begin(JOB, Begin::Attach(Kind::Gate, None)).unwrap();
    let mut line = keeper.accept(spool);
    assert!(w.jobs.order(JOB, Order::Freeze(EffectId(1))));
    assert_eq!(line.hear(), ToKeeper::Freeze);
    line.say(&FromKeeper::Frozen(3));
    assert_eq!(w.event(), done(1));
    assert!(w.jobs.order(JOB, Order::End { effect: EffectId(2), grace: Span(5) }));
    assert_eq!(line.hear(), ToKeeper::End { grace_ms: 5 });
    let spool = w.print("two");
    w.write_exit(&ended(3, spool));
    line.say(&FromKeeper::Exited(ended(3, spool)));
    drop(line);
    assert_eq!(w.event(), done(2), "nothing of it is left: it is ended");
    let Event::Exited { exit, tail, .. } = w.event() else { panic!("no end") };
    assert_eq!((exit, tail.contains("one") && tail.contains("two")), (Exit::Code(3), true), "{tail:?}");
    w.jobs.ended(JOB);
    assert!(!w.jobs.order(JOB, Order::Freeze(EffectId(3))), "an ended job takes no orders");
}

#[test]
fn a_broken_connection_is_made_again_with_what_was_not_answered() {
    let mut w = World7::new();
    let keeper = Keeper::new(&w.files);
    w.jobs.begin(JOB, Begin::Attach(Kind::Agent, None)).unwrap();
    let mut line = keeper.accept(0);
    w.jobs.order(JOB, Order::Freeze(EffectId(1)));
    assert_eq!(line.hear(), ToKeeper::Freeze);
    drop(line);
    let mut line = keeper.accept(0);
    assert_eq!(line.hear(), ToKeeper::Freeze, "said again");
    line.say(&FromKeeper::Frozen(1));
    assert_eq!(w.event(), done(1));
    line.say(&FromKeeper::Exited(ended(0, 0)));
    assert_eq!(w.event(), exited(Exit::Code(0), ""));
}

#[test]
fn an_answer_is_typed_and_entered_after_a_pause() {
    let mut w = World7::new();
    let keeper = Keeper::new(&w.files);
    w.jobs.begin(JOB, Begin::Attach(Kind::Agent, None)).unwrap();
    let mut line = keeper.accept(0);
    w.jobs.order(JOB, Order::Type { effect: EffectId(4), answer: Answer::Text("yes".to_owned()) });
    assert_eq!(line.hear(), ToKeeper::Once { effect: 4, step: 0, bytes: b"yes".to_vec() });
    assert_eq!(line.hear(), ToKeeper::Once { effect: 4, step: 1, bytes: b"\r".to_vec() });
    assert_eq!(w.event(), done(4));
}

#[test]
fn after_a_restart_the_directory_tells_how_it_ended() {
    let mut w = World7::new();
    w.print("secret");
    w.write_exit(&ended(1, 6));
    w.jobs.begin(JOB, Begin::Attach(Kind::Agent, None)).unwrap();
    assert_eq!(w.event(), exited(Exit::Code(1), ""), "an agent's output goes nowhere");

    let mut w = World7::new();
    w.jobs.begin(JOB, Begin::Attach(Kind::Agent, None)).unwrap();
    assert_eq!(w.event(), exited(Exit::Unknown, ""), "no keeper and no last word");
}

#[test]
fn a_job_that_is_given_up_is_marked_for_a_keeper_that_comes_late() {
    for program in ["/nowhere/nopeek", "/bin/false"] {
        let w = World7::new();
        begin::start(&w.files, program.as_ref()).unwrap_err();
        assert!(
            matches!(w.files.exit(), Some(ExitFile::NotStarted { .. })),
            "{program}: {:?}",
            w.files.exit()
        );
    }
}

#[test]
fn a_job_that_a_keeper_has_is_not_given_up_though_our_own_could_not_be_started() {
    let w = World7::new();
    let keeper = Keeper::new(&w.files);
    let files = w.files.clone();
    let found = std::thread::spawn(move || begin::start(&files, "/nowhere/nopeek".as_ref()));
    std::fs::write(w.files.dir().join("keeper.json"), "{}").unwrap();
    assert!(matches!(found.join().unwrap(), Ok(begin::Found::Live(_))));
    drop(keeper);
}
