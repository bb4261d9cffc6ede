//! The keeper alone, without a daemon: one job, its folder and its socket.

use crate::support::wait::{self, PATIENCE};
use crate::support::world::{PROGRAM, end_job, kill};
use nopeek::os::lock::Lock;
use nopeek::os::process::{is_alive, spawn_keeper};
use nopeek::wire::frame::{Decoder, encode};
use nopeek::wire::keeper::{ExitFile, FromKeeper, JobSpec, KEEPER_PROTOCOL, KeeperFile, ToKeeper};
use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A job's folder, with room beside it; what is left of its tree goes with it.
struct Job {
    root: TempDir,
    dir: PathBuf,
}

impl Job {
    fn new() -> Self {
        // Socket paths are short: below /tmp, whatever TMPDIR says.
        let root = tempfile::Builder::new().prefix("np-").tempdir_in("/tmp").unwrap();
        let dir = root.path().join("job");
        fs::create_dir(&dir).unwrap();
        Self { root, dir }
    }

    /// Keeps a shell script; `$HERE` is the folder beside the job's.
    fn shell(script: &str, stdin: Option<&str>) -> Self {
        let job = Self::new();
        job.keep(&["sh", "-c", script], job.root.path(), stdin);
        job
    }

    fn keep(&self, argv: &[&str], cwd: &Path, stdin: Option<&str>) {
        let spec = JobSpec {
            version: KEEPER_PROTOCOL,
            argv: argv.iter().map(|arg| (*arg).to_owned()).collect(),
            env: vec![
                ("PATH".to_owned(), std::env::var("PATH").unwrap()),
                ("HERE".to_owned(), self.root.path().display().to_string()),
            ],
            cwd: cwd.to_owned(),
            stdin: stdin.map(str::to_owned),
            rows: 24,
            cols: 80,
        };
        fs::write(self.dir.join("spec.json"), serde_json::to_vec(&spec).unwrap()).unwrap();
        self.start();
    }

    fn start(&self) {
        spawn_keeper(Path::new(PROGRAM), &self.dir).unwrap();
    }

    fn exit(&self) -> ExitFile {
        let read = || serde_json::from_slice(&fs::read(self.dir.join("exit.json")).ok()?).ok();
        wait::until("exit.json", read)
    }

    fn spool(&self) -> Vec<u8> {
        fs::read(self.dir.join("spool")).unwrap_or_default()
    }

    /// A file beside the job, once it holds a line.
    fn left(&self, name: &str) -> String {
        let read =
            || fs::read_to_string(self.root.path().join(name)).ok().filter(|text| text.ends_with('\n'));
        wait::until(name, read).trim().to_owned()
    }

    /// The process ids that the script left in files.
    fn pids(&self, names: &[&str]) -> Vec<u32> {
        names.iter().map(|name| self.left(name).parse().unwrap()).collect()
    }

    fn connect(&self) -> Line {
        let stream = wait::until("the keeper's socket", || UnixStream::connect(self.dir.join("socket")).ok());
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Line { stream, inbox: Decoder::default() }
    }

    fn until_spool(&self, what: &[u8]) {
        let found = || self.spool().windows(what.len()).any(|bytes| bytes == what).then_some(());
        wait::patiently(found)
            .unwrap_or_else(|| panic!("{:?} never came: {:?}", String::from_utf8_lossy(what), self.spool()));
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        end_job(&self.dir);
    }
}

/// A connection to a keeper.
struct Line {
    stream: UnixStream,
    inbox: Decoder,
}

impl Line {
    fn tell(&mut self, order: &ToKeeper) {
        self.stream.write_all(&encode(order).unwrap()).unwrap();
    }

    fn type_in(&mut self, text: &str) {
        self.tell(&ToKeeper::Input(text.as_bytes().to_vec()));
    }

    /// The next message; none if the keeper has closed the connection.
    fn next(&mut self) -> Option<FromKeeper> {
        loop {
            if let Some(message) = self.inbox.next_message().unwrap() {
                return Some(message);
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(n) => self.inbox.push(&bytes[..n]),
                // It left with words of ours unread.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("the keeper said nothing for {PATIENCE:?}: {error}"),
            }
        }
    }

    fn hear<T>(&mut self, what: &str, pick: impl Fn(&FromKeeper) -> Option<T>) -> T {
        loop {
            let message = self.next().unwrap_or_else(|| panic!("closed before {what}"));
            if let Some(found) = pick(&message) {
                return found;
            }
        }
    }

    /// Hello: whether the tree is frozen, and how long the spool is.
    fn hello(&mut self) -> (bool, u64) {
        match self.next() {
            Some(FromKeeper::Hello { frozen, spool, version: KEEPER_PROTOCOL, .. }) => (frozen, spool),
            other => panic!("{other:?} is no hello"),
        }
    }
}

/// All byte values, in an order that repeats only after long: escapes cut anywhere, broken UTF-8, zeros.
fn awkward(len: usize) -> Vec<u8> {
    let mut state: u32 = 1;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(len).collect()
}

fn ended(code: i32, spool: usize) -> ExitFile {
    ExitFile::Ended { code: Some(code), signal: None, spool: spool as u64 }
}

#[test]
fn every_byte_is_kept_whether_or_not_anybody_reads() {
    const LEN: usize = 3_000_001;
    let script = "stty raw -echo\nread -r go\ncat \"$HERE/blob\"\nexit 7\n";
    let job = Job::shell(script, None);
    let blob = awkward(LEN);
    fs::write(job.root.path().join("blob"), &blob).unwrap();
    let mut line = job.connect();
    // Not typed before the terminal is raw, or what is typed would be echoed.
    let is_raw = || {
        let child: serde_json::Value =
            serde_json::from_slice(&fs::read(job.dir.join("keeper.json")).ok()?).ok()?;
        let tty = fs::read_link(format!("/proc/{}/fd/0", child["child"])).ok()?;
        let tty = rustix::fs::open(
            tty,
            rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY,
            rustix::fs::Mode::empty(),
        );
        let modes = rustix::termios::tcgetattr(tty.ok()?).ok()?.local_modes;
        (!modes.contains(rustix::termios::LocalModes::ECHO)).then_some(())
    };
    wait::until("the terminal to be raw", is_raw);
    // This connection is never read from: it holds nothing up.
    line.type_in("go\n");
    assert_eq!(job.exit(), ended(7, LEN));
    let spool = job.spool();
    let differ = blob.iter().zip(&spool).position(|(a, b)| a != b);
    assert_eq!((spool.len(), differ), (LEN, None));
}

#[test]
fn standard_input_is_handed_over_whole_and_closed() {
    let text = "a line with \u{1b}[31m, \0 and \u{4} in it\n".repeat(10_000);
    let job = Job::shell("test -t 0 && exit 9\ntest -t 1 || exit 8\ncat > \"$HERE/got\"\n", Some(&text));
    assert_eq!(job.exit(), ended(0, 0));
    assert!(fs::read(job.root.path().join("got")).unwrap() == text.as_bytes(), "it got something else");
}

#[test]
fn a_job_that_never_reads_its_input_ends_as_it_likes() {
    let job = Job::shell("exit 3", Some(&"x".repeat(1_000_000)));
    assert_eq!(job.exit(), ended(3, 0));
}

#[test]
fn what_can_not_be_started_says_so_once() {
    let (program, folder, nothing) = (Job::new(), Job::new(), Job::new());
    program.keep(&["nopeek-no-such-program"], program.root.path(), None);
    folder.keep(&["sh", "-c", "exit 0"], &folder.root.path().join("gone"), None);
    nothing.keep(&[], nothing.root.path(), None);
    let all = [(&program, "nopeek-no-such-program"), (&folder, "/gone"), (&nothing, "no program")];
    for (job, named) in all {
        let exit = job.exit();
        assert!(matches!(&exit, ExitFile::NotStarted { error } if error.contains(named)), "{exit:?}");
        assert!(!job.dir.join("keeper.json").exists(), "nobody was started");
        let lock = job.dir.join("lock");
        wait::until("the keeper to leave", || Lock::try_take(&lock).unwrap());
    }
}

#[test]
fn a_job_begins_in_its_folder_as_the_leader_of_its_terminal_with_nothing_of_the_keepers() {
    let script = "pwd -P > \"$HERE/at\"\nps -o pid=,sid=,tty= -p $$ > \"$HERE/session\"\nls /proc/self/fd > \"$HERE/fds\"\n\
                  env | cut -d= -f1 | grep -v -x -e PATH -e HERE -e SHELL -e PWD -e OLDPWD -e SHLVL -e _ > \"$HERE/env\"\n\
                  echo done > \"$HERE/done\"\n";
    for stdin in [None, Some("text")] {
        let job = Job::shell(script, stdin);
        job.left("done");
        let read = |name: &str| fs::read_to_string(job.root.path().join(name)).unwrap();
        assert_eq!(read("at").trim(), job.root.path().canonicalize().unwrap().to_str().unwrap());
        let session = read("session");
        let words: Vec<&str> = session.split_whitespace().collect();
        assert!(words[0] == words[1] && words[2].starts_with("pts/"), "{session}");
        // The three standard ones, and the one by which ls reads the list.
        assert_eq!(read("fds").split_whitespace().collect::<Vec<_>>(), ["0", "1", "2", "3"]);
        assert_eq!(read("env"), "", "names in its environment that its spec does not have");
    }
}

#[test]
fn one_job_has_one_keeper_and_is_run_once() {
    let job = Job::shell("echo ran >> \"$HERE/runs\"\nread -r go\nexit 0\n", None);
    let mut line = job.connect();
    line.hello();
    job.left("runs");
    let first = fs::read(job.dir.join("keeper.json")).unwrap();
    job.start();
    line.type_in("go\n");
    assert!(matches!(job.exit(), ExitFile::Ended { code: Some(0), .. }));
    job.start();
    wait::until("all keepers to leave", || Lock::try_take(&job.dir.join("lock")).unwrap());
    assert_eq!(fs::read(job.dir.join("keeper.json")).unwrap(), first);
    assert_eq!(job.left("runs"), "ran");
}

#[test]
fn a_signal_is_told_apart_from_a_code() {
    let job = Job::shell("kill -9 $$", None);
    assert_eq!(job.exit(), ExitFile::Ended { code: None, signal: Some(9), spool: 0 });
}

/// Three processes that no polite signal ends: the child, one in a session of its own, one that was forked twice.
const TREE: &str = r#"
setsid sh "$HERE/stay" session < /dev/null > /dev/null 2>&1 &
sh -c 'setsid sh "$HERE/stay" daemon < /dev/null > /dev/null 2>&1 & exit 0'
"#;
const STAY: &str = "trap '' HUP TERM INT\necho $$ > \"$HERE/$1.new\"\nmv \"$HERE/$1.new\" \"$HERE/$1\"\nwhile :; do sleep 0.05; done\n";

/// A job that starts [`TREE`] and then does `last`.
fn tree(last: &str) -> Job {
    let job = Job::new();
    fs::write(job.root.path().join("stay"), STAY).unwrap();
    job.keep(&["sh", "-c", &format!("{TREE}\n{last}")], job.root.path(), None);
    job
}

fn all_gone(pids: &[u32]) {
    wait::until("all to be dead", || pids.iter().all(|pid| !is_alive(*pid)).then_some(()));
}

fn all_are(pids: &[u32], frozen: bool) {
    let what = if frozen { "all to be stopped" } else { "all to run" };
    wait::until(what, || pids.iter().all(|pid| wait::is_still(*pid) == frozen).then_some(()));
}

#[test]
fn a_tree_is_frozen_thawed_and_killed_whole_wherever_it_went() {
    let job = tree("set -- child\n. \"$HERE/stay\"");
    let pids = job.pids(&["child", "session", "daemon"]);
    let mut line = job.connect();
    assert!(!line.hello().0);
    line.tell(&ToKeeper::Freeze);
    let count = line.hear("frozen", |message| match message {
        FromKeeper::Frozen(count) => Some(*count),
        _ => None,
    });
    assert!(count >= 3, "{count} were frozen");
    all_are(&pids, true);
    drop(line);
    let mut line = job.connect();
    assert!(line.hello().0, "a later daemon learns that it is frozen");
    line.tell(&ToKeeper::Thaw);
    line.hear("thawed", |message| (*message == FromKeeper::Thawed).then_some(()));
    all_are(&pids, false);
    line.tell(&ToKeeper::Freeze);
    line.hear("frozen", |message| matches!(message, FromKeeper::Frozen(_)).then_some(()));
    line.tell(&ToKeeper::End { grace_ms: 100 });
    line.hear("ended", |message| (*message == FromKeeper::Ended).then_some(()));
    let exit = line.hear("exited", |message| match message {
        FromKeeper::Exited(exit) => Some(exit.clone()),
        _ => None,
    });
    assert!(matches!(exit, ExitFile::Ended { signal: Some(9), .. }), "{exit:?}");
    assert_eq!(exit, job.exit(), "what is told is in the file");
    all_gone(&pids);
}

#[test]
fn what_a_job_leaves_behind_does_not_outlive_it() {
    let job = tree("until [ -e \"$HERE/session\" ] && [ -e \"$HERE/daemon\" ]; do sleep 0.01; done\nexit 5");
    let pids = job.pids(&["session", "daemon"]);
    assert_eq!(job.exit(), ended(5, 0));
    all_gone(&pids);
}

#[test]
fn a_keeper_whose_folder_has_gone_ends_its_tree() {
    let job = tree("set -- child\n. \"$HERE/stay\"");
    let pids = job.pids(&["child", "session", "daemon"]);
    fs::remove_dir_all(&job.dir).unwrap();
    all_gone(&pids);
}

#[test]
fn a_keeper_waits_for_its_lock_and_starts_no_job_that_was_started() {
    let job = Job::new();
    let held = Lock::try_take(&job.dir.join("lock")).unwrap().unwrap();
    job.keep(&["sh", "-c", "echo run >> \"$HERE/runs\"; exec sleep 1000"], job.root.path(), None);
    drop(held);
    assert_eq!(job.left("runs"), "run");
    let keeper = || serde_json::from_slice::<KeeperFile>(&fs::read(job.dir.join("keeper.json")).ok()?).ok();
    let keeper = wait::until("keeper.json", keeper);
    kill(keeper.keeper);
    kill(keeper.child);
    all_gone(&[keeper.keeper, keeper.child]);
    let second = spawn_keeper(Path::new(PROGRAM), &job.dir).unwrap();
    wait::until("the second keeper's end", || second.has_ended().then_some(()));
    assert_eq!(job.left("runs"), "run");
}

/// Says each line again, in angle brackets.
const PARROT: &str =
    "stty -echo -opost\nprintf ready\nwhile read -r line; do printf '<%s>' \"$line\"; done\n";

#[test]
fn a_second_connection_goes_on_where_the_first_stopped() {
    let job = Job::shell(PARROT, None);
    let mut first = job.connect();
    job.until_spool(b"ready");
    first.type_in("one\n");
    job.until_spool(b"<one>");
    drop(first);
    let mut second = job.connect();
    let (_, from) = second.hello();
    assert_eq!(from, job.spool().len() as u64, "nothing was said since");
    second.type_in("two\n");
    let to = second.hear("more", |message| match message {
        FromKeeper::Grown(len) if *len >= from + 5 => Some(*len),
        _ => None,
    });
    let (from, to) = (usize::try_from(from).unwrap(), usize::try_from(to).unwrap());
    assert_eq!(&job.spool()[from..to], b"<two>");
    assert_eq!(job.spool(), b"ready<one><two>");
}

#[test]
fn of_many_connections_none_loses_an_order_and_the_newest_is_heard() {
    let job = Job::shell(PARROT, None);
    job.until_spool(b"ready");
    let mut said = "ready".to_owned();
    for n in 0..30 {
        job.connect().type_in(&format!("{n}\n"));
        said += &format!("<{n}>");
    }
    // Open at once: each takes the place of the one before, whose orders come first.
    let mut lines: Vec<Line> = Vec::new();
    for n in 30..36 {
        let mut line = job.connect();
        line.type_in(&format!("{n}\n"));
        lines.push(line);
        said += &format!("<{n}>");
    }
    job.until_spool(b"<35>");
    assert_eq!(String::from_utf8(job.spool()).unwrap(), said);
    let mut newest = lines.pop().unwrap();
    for line in &mut lines {
        while line.next().is_some() {}
    }
    newest.type_in("last\n");
    job.until_spool(b"<last>");
    newest.hear("more", |message| (*message == FromKeeper::Grown(job.spool().len() as u64)).then_some(()));
}

#[test]
fn what_is_typed_once_is_typed_once_however_often_it_is_said() {
    let job = Job::shell(PARROT, None);
    job.until_spool(b"ready");
    let once = |effect, step, text: &str| ToKeeper::Once { effect, step, bytes: text.as_bytes().to_vec() };
    for _ in 0..2 {
        let mut line = job.connect();
        line.tell(&once(4, 0, "an an"));
        line.tell(&once(4, 1, "swer\n"));
    }
    let mut line = job.connect();
    line.tell(&once(3, 9, "older\n"));
    line.tell(&once(5, 0, "next\n"));
    job.until_spool(b"<next>");
    assert_eq!(String::from_utf8(job.spool()).unwrap(), "ready<an answer><next>");
}

#[test]
fn words_that_are_none_end_the_connection_and_not_the_job() {
    let job = Job::shell(PARROT, None);
    job.until_spool(b"ready");
    let mut line = job.connect();
    line.stream.write_all(&[0xff; 64]).unwrap();
    while line.next().is_some() {}
    let mut line = job.connect();
    line.tell(&ToKeeper::Resize { rows: 50, cols: 132 });
    line.type_in("still here\n");
    job.until_spool(b"<still here>");
}

#[test]
fn the_terminal_is_as_large_as_it_was_told_to_be() {
    let job = Job::shell("stty size\nread -r go\nstty size\n", None);
    job.until_spool(b"24 80");
    let mut line = job.connect();
    line.tell(&ToKeeper::Resize { rows: 50, cols: 132 });
    line.type_in("go\n");
    job.exit();
    job.until_spool(b"50 132");
}

#[test]
fn a_job_that_nobody_waits_for_loses_nothing_and_is_told_of_all_the_same() {
    let script = "while read -r word; do echo \"got $word\"; [ \"$word\" = end ] && break; done
        head -c 300000 /dev/zero | tr '\\0' x; echo done";
    let job = Job::shell(script, None);
    let mut line = job.connect();
    line.hello();
    line.tell(&ToKeeper::Calm(true));
    for word in ["one", "two", "three"] {
        line.type_in(&format!("{word}\n"));
        let got = format!("got {word}");
        while !job.spool().windows(got.len()).any(|bytes| bytes == got.as_bytes()) {
            line.hear("growth", |message| matches!(message, FromKeeper::Grown(_)).then_some(()));
        }
    }
    // Much at once, and the end, are not waited for.
    line.type_in("end\n");
    let exit = line.hear("the end", |message| match message {
        FromKeeper::Exited(exit) => Some(exit.clone()),
        _ => None,
    });
    let spool = job.spool();
    assert_eq!(exit, ExitFile::Ended { code: Some(0), signal: None, spool: spool.len() as u64 });
    assert_eq!(spool.iter().filter(|byte| **byte == b'x').count(), 300_000);
    assert!(spool.ends_with(b"done\r\n"));
}
