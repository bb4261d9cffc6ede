//! A world of its own for a test: a NOPEEK_HOME, a git repo, the CLI, the daemon's life.
//!
//! Promises: nothing of the machine's own environment gets in; when a world goes, its daemon and all its keepers
//! with their trees have ended, by their process ids.

use super::wait::{self, PATIENCE};
use nopeek::client::{Client, Start};
use nopeek::core::model::task::TaskState;
use nopeek::core::views::board::{Board, TaskView};
use nopeek::os::clock;
use nopeek::os::lock::Lock;
use nopeek::os::paths::Paths;
use nopeek::os::process;
use nopeek::wire::client::{FromDaemon, Reply, Request, ToDaemon};
use nopeek::wire::frame;
use nopeek::wire::keeper::{KeeperFile, ToKeeper};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// How long a keeper may take to end its tree before the two are killed.
const END_MAX: Duration = Duration::from_secs(5);

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_nopeek");

/// One test's own machine, as far as nopeek can tell.
pub(crate) struct World {
    root: TempDir,
    pub(crate) paths: Paths,
}

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl World {
    /// A repo without nopeek.toml, with one commit on `main`.
    pub(crate) fn new() -> Self {
        let world = Self::empty();
        std::fs::create_dir(world.repo()).unwrap();
        world.git(&["init", "-q", "-b", "main"]);
        world.git(&["config", "user.name", "Test"]);
        world.git(&["config", "user.email", "test@nopeek.invalid"]);
        world.write("README.md", "A repo of a test.\n");
        world.commit("Begin");
        world
    }

    /// The same with a trusted nopeek.toml.
    pub(crate) fn with_config(config: &str) -> Self {
        let world = Self::new();
        world.configure(config);
        world
    }

    /// No repo at all.
    pub(crate) fn empty() -> Self {
        // Socket paths are short: below /tmp, whatever TMPDIR says.
        let root = tempfile::Builder::new().prefix("np-").tempdir_in("/tmp").unwrap();
        std::fs::create_dir(root.path().join("user")).unwrap();
        let paths = Paths::below(&root.path().join("home")).unwrap();
        Self { root, paths }
    }

    /// Commits `config` as nopeek.toml and trusts it.
    pub(crate) fn configure(&self, config: &str) {
        self.write("nopeek.toml", config);
        self.commit("Configure");
        self.ok(&["trust"]);
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn repo(&self) -> PathBuf {
        self.root().join("repo")
    }

    /// Writes a file outside of the repo.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.root().join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Writes a file of the repo.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let file = self.repo().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    /// Runs git in the repo and gives what it says.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.repo(), args)
    }

    pub(crate) fn git_in(&self, folder: &Path, args: &[&str]) -> String {
        let mut git = Command::new("git");
        self.environment(&mut git);
        let output = git.arg("-C").arg(folder).args(args).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// A file as it is on `main`.
    pub(crate) fn on_main(&self, file: &str) -> Option<String> {
        let mut git = Command::new("git");
        self.environment(&mut git);
        let output = git.arg("-C").arg(self.repo()).args(["show", &format!("main:{file}")]).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    fn environment(&self, command: &mut Command) {
        command.env_clear().envs(self.env());
    }

    /// All that the program gets to see of the environment.
    pub(crate) fn env(&self) -> Vec<(String, String)> {
        let path = std::env::var("PATH").unwrap();
        let home = self.root().join("user").to_str().unwrap().to_owned();
        let nopeek = self.root().join("home").to_str().unwrap().to_owned();
        [
            ("PATH", path),
            ("HOME", home),
            ("NOPEEK_HOME", nopeek),
            ("USER", "tester".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("TERM", "xterm-256color".to_owned()),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
            ("NOPEEK_LOG", "nopeek=trace".to_owned()),
            ("NOPEEK_SCRIPTED_SPEED", "20".to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .to_vec()
    }

    /// The program in the repo (or the root if there is none), not yet run.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        self.environment(&mut command);
        let folder = if self.repo().is_dir() { self.repo() } else { self.root().to_owned() };
        command.args(args).current_dir(folder).stdin(Stdio::null());
        command
    }

    /// Runs the program to its end, which must come.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.finish(self.command(args), args)
    }

    /// Runs it in another folder.
    pub(crate) fn run_in(&self, folder: &Path, args: &[&str]) -> Ran {
        let mut command = self.command(args);
        command.current_dir(folder);
        self.finish(command, args)
    }

    fn finish(&self, mut command: Command, args: &[&str]) -> Ran {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let read = |mut from: Box<dyn std::io::Read + Send>| {
            std::thread::spawn(move || {
                let mut text = Vec::new();
                from.read_to_end(&mut text).unwrap();
                String::from_utf8(text).unwrap()
            })
        };
        let out = read(Box::new(child.stdout.take().unwrap()));
        let err = read(Box::new(child.stderr.take().unwrap()));
        let ended = wait::patiently(|| child.try_wait().unwrap());
        let Some(status) = ended else {
            child.kill().unwrap();
            panic!("nopeek {args:?} did not end\n{}", self.log_tail());
        };
        Ran { code: status.code().unwrap_or(-1), out: out.join().unwrap(), err: err.join().unwrap() }
    }

    /// Runs the program, which must say yes.
    #[track_caller]
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "nopeek {args:?}: {}\n{}\n{}", ran.err, ran.out, self.log_tail());
        ran.out
    }

    /// The same with `--json`, read.
    #[track_caller]
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        serde_json::from_str(&self.ok(&args)).unwrap_or_else(|error| panic!("nopeek {args:?}: {error}"))
    }

    /// Runs the program, which must refuse with this code; gives what it says.
    #[track_caller]
    pub(crate) fn refused(&self, args: &[&str], code: i32) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, code, "nopeek {args:?}: {}\n{}\n{}", ran.err, ran.out, self.log_tail());
        assert!(!ran.err.contains("panicked"), "nopeek {args:?}: {}", ran.err);
        ran.err
    }

    /// Launches one task of the scripted agent (or what `more` says) by this name.
    #[track_caller]
    pub(crate) fn launch(&self, name: &str, prompt: &str, more: &[&str]) -> Value {
        let mut args = vec!["run", "--name", name];
        if !more.contains(&"--agent") {
            args.extend(["--agent", "scripted"]);
        }
        args.extend(more);
        args.extend(["--", prompt]);
        let mut args: Vec<&str> = args;
        args.insert(1, "--json");
        let mut tasks: Value = serde_json::from_str(&self.ok(&args)).unwrap();
        tasks[0].take()
    }

    /// The task as `show --json` has it.
    #[track_caller]
    pub(crate) fn show(&self, name: &str) -> Value {
        self.json(&["show", name])
    }

    /// Waits for boards until the task looks as wanted. The daemon may come and go meanwhile.
    #[track_caller]
    pub(crate) fn until(&self, name: &str, what: &str, good: impl Fn(&TaskView) -> bool) -> TaskView {
        let mut last = None;
        let found = self.watch(|board| {
            let task = board.tasks.iter().find(|task| task.name == name)?;
            last = Some(task.clone());
            good(task).then(|| task.clone())
        });
        found.unwrap_or_else(|| {
            panic!("waited {PATIENCE:?} for {name}: {what}\nlast: {last:#?}\n{}", self.log_tail())
        })
    }

    /// Waits until the task stands there.
    #[track_caller]
    pub(crate) fn until_state(&self, name: &str, state: TaskState) -> TaskView {
        self.until(name, state.label(), |task| task.state == state)
    }

    /// Looks at boards as they come until `look` finds something; none after [`PATIENCE`].
    pub(crate) fn watch<T>(&self, mut look: impl FnMut(&Board) -> Option<T>) -> Option<T> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            tokio::time::timeout(PATIENCE, async {
                loop {
                    if let Ok(mut client) = Client::connect(&self.paths, Start::Never).await
                        && let Some(found) = watch_one(&mut client, &mut look).await
                    {
                        return found;
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            })
            .await
            .ok()
        })
    }

    /// The daemon's process id, if one answers.
    pub(crate) fn daemon(&self) -> Option<u32> {
        // A proxy may stand in front of it.
        let real = super::proxy::real(&self.paths.socket());
        let socket = if real.exists() { real } else { self.paths.socket() };
        let stream = UnixStream::connect(socket).ok()?;
        let peer = rustix::net::sockopt::socket_peercred(&stream).ok()?;
        u32::try_from(peer.pid.as_raw_pid()).ok()
    }

    /// All daemons of this world, those that are only starting too.
    fn daemons(&self) -> Vec<u32> {
        self.processes(|argv| argv.iter().any(|part| part == "daemon"))
    }

    /// Keepers of this world, whether or not they have taken their locks.
    fn keepers(&self) -> Vec<u32> {
        self.keepers_of(&self.paths.jobs())
    }

    /// Keepers of the jobs at or below `folder`. They are known by their arguments: a test may have started them.
    pub(crate) fn keepers_of(&self, folder: &Path) -> Vec<u32> {
        let is_one = |argv: &[String]| {
            let mut args = argv.iter().skip(1);
            args.next().is_some_and(|word| word == "keeper")
                && args.next().is_some_and(|dir| Path::new(dir).starts_with(folder))
        };
        processes().filter(|pid| is_one(&parts(*pid, "cmdline"))).collect()
    }

    /// Processes of this world, by their arguments: those whose environment names its NOPEEK_HOME.
    pub(crate) fn processes(&self, is_wanted: impl Fn(&[String]) -> bool) -> Vec<u32> {
        let home = format!("NOPEEK_HOME={}", self.root().join("home").display());
        processes()
            .filter(|pid| parts(*pid, "environ").contains(&home) && is_wanted(&parts(*pid, "cmdline")))
            .collect()
    }

    /// The end of the daemon's log.
    pub(crate) fn log_tail(&self) -> String {
        let log = std::fs::read(self.paths.log()).unwrap_or_default();
        let tail = String::from_utf8_lossy(&log[log.len().saturating_sub(4096)..]).into_owned();
        format!("--- the daemon's log ends ---\n{tail}")
    }

    /// Folders of jobs.
    pub(crate) fn jobs(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.paths.jobs()).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    }
}

async fn watch_one<T>(client: &mut Client, look: &mut impl FnMut(&Board) -> Option<T>) -> Option<T> {
    client.send(ToDaemon::Subscribe(true)).await.ok()?;
    if let Ok(Reply::Board(board)) = client.request(Request::Board).await
        && let Some(found) = look(&board)
    {
        return Some(found);
    }
    loop {
        if let FromDaemon::Board(board) = client.next().await?
            && let Some(found) = look(&board)
        {
            return Some(found);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // Not the one that answers alone: another may just be starting, to find that it has lost the race or won it.
        let all_end = |pids: Vec<u32>| {
            pids.iter().copied().for_each(kill);
            pids.into_iter().all(|pid| !process::is_alive(pid)).then_some(())
        };
        wait::patiently(|| all_end(self.daemons()));
        // Their git, which would go on in a folder that is about to go.
        wait::patiently(|| all_end(process::holders(&self.paths.git_lock())));
        for job in self.jobs() {
            end_job(&job);
        }
        // A keeper that had not yet taken its lock, as its daemon was killed in the moment in which it started it.
        wait::patiently(|| all_end(self.keepers()));
    }
}

/// All processes of the machine.
fn processes() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The arguments (`cmdline`) or the environment (`environ`) of a process.
fn parts(pid: u32, file: &str) -> Vec<String> {
    let bytes = std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    bytes.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

/// `kill -9`.
pub(crate) fn kill(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Ends a job's tree and its keeper, if it lives.
pub(crate) fn end_job(job: &Path) {
    let lives = || job.join("lock").exists() && matches!(Lock::try_take(&job.join("lock")), Ok(None));
    if !lives() {
        return;
    }
    if let Ok(mut stream) = UnixStream::connect(job.join("socket")) {
        let _ = stream.write_all(&frame::encode(&ToKeeper::End { grace_ms: 0 }).unwrap());
        let _ = stream.set_read_timeout(Some(END_MAX));
        let mut bytes = [0; 4096];
        while let Ok(1..) = stream.read(&mut bytes) {}
    }
    let began = clock::instant();
    while lives() && began.elapsed() < END_MAX {
        std::thread::sleep(Duration::from_millis(5));
    }
    if lives() {
        let file = std::fs::read(job.join("keeper.json")).unwrap_or_default();
        if let Ok(keeper) = serde_json::from_slice::<KeeperFile>(&file) {
            let tree = process::descendants(keeper.keeper);
            tree.into_iter().chain([keeper.keeper]).for_each(kill);
        }
    }
}
