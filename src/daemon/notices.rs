//! Notices on their way to the user's command and webhook. (Clients are told by `clients`.)
//!
//! Promises: command and webhook are run by a thread, one after the other, each with a time limit; what is told within a
//! second is told as one; a failure is logged and kept for `nopeek doctor`. A daemon that is killed may lose the last second.

use crate::config::notice::NoticeConfig;
use crate::config::user::UserConfig;
use crate::core::engine::Engine;
use crate::core::model::notice::{Notice, NoticeKind};
use crate::os::paths::Paths;
use crate::os::{clock, post, program};
use crate::values::text::Shown;
use crate::values::time::Time;
use crate::values::words::cut;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// What is told within so long is told as one.
const GATHER: Duration = Duration::from_secs(1);
/// Most notices that wait; of more only the number is told.
const WAITING_MAX: usize = 50;
/// Longest run of the command, and longest wait for the webhook.
const LIMIT: Duration = Duration::from_secs(10);
/// Most words of one message.
const TEXT_MAX: usize = 500;
/// How long a daemon that ends waits for its last notices.
const FLUSH_MAX: Duration = Duration::from_secs(3);

/// A notice as command and webhook get it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct OutgoingNotice {
    at: Time,
    kind: NoticeKind,
    needs_you: bool,
    id: Option<u64>,
    task: Option<String>,
    repo: Option<PathBuf>,
    text: Shown,
}

impl OutgoingNotice {
    /// A notice with what its task is called and where.
    pub(super) fn new(notice: &Notice, engine: &Engine, at: Time) -> Self {
        Self {
            at,
            kind: notice.kind,
            needs_you: notice.needs_you(),
            id: notice.task.map(|task| task.0),
            task: notice.task.and_then(|task| engine.name_of(task)),
            repo: notice.task.and_then(|task| engine.repo_of(task)),
            text: notice.text.clone(),
        }
    }

    /// The main checkout of its task's repo.
    pub(super) fn repo(&self) -> Option<&Path> {
        self.repo.as_deref()
    }

    fn words(&self) -> String {
        match &self.task {
            Some(task) => format!("{task}: {}", self.text),
            None => format!("{}: {}", self.kind.label(), self.text),
        }
    }
}

/// What waits for command and webhook.
#[derive(Debug, Default)]
pub(super) struct Post {
    waiting: Vec<OutgoingNotice>,
    /// How many more there were.
    more: usize,
    due: Option<Instant>,
    /// A thread is at it.
    busy: Arc<AtomicBool>,
}

impl Post {
    /// Takes a notice that is in the ledger.
    pub(super) fn put(&mut self, notice: OutgoingNotice) {
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push(notice);
        } else {
            self.more += 1;
        }
        self.due.get_or_insert_with(|| clock::instant() + GATHER);
    }

    /// When it wants to be looked at.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Hands over what has waited long enough; never waits itself.
    pub(super) fn hand_over(&mut self, paths: &Paths) {
        let now = clock::instant();
        if self.due.is_none_or(|due| now < due) {
            return;
        }
        if self.busy.swap(true, Ordering::AcqRel) {
            self.due = Some(now + GATHER);
            return;
        }
        drop(self.start(paths));
    }

    /// Tells what is left, and waits a little for it.
    pub(super) fn flush(&mut self, paths: &Paths) {
        if !self.waiting.is_empty() {
            let _ = self.start(paths).recv_timeout(FLUSH_MAX);
        }
    }

    /// A thread tells what waits; the receiver hears when it is through.
    fn start(&mut self, paths: &Paths) -> mpsc::Receiver<()> {
        self.due = None;
        let (notices, more) = (std::mem::take(&mut self.waiting), std::mem::take(&mut self.more));
        let (paths, busy) = (paths.clone(), Arc::clone(&self.busy));
        let (sender, through) = mpsc::channel();
        let piece = move || {
            tell(&paths, notices, more);
            busy.store(false, Ordering::Release);
            let _ = sender.send(());
        };
        if let Err(error) = std::thread::Builder::new().name("notices".to_owned()).spawn(piece) {
            tracing::error!(%error, "no thread can be started for notices: they are lost");
            self.busy.store(false, Ordering::Release);
        }
        through
    }
}

/// Tells people by whatever they have set up.
fn tell(paths: &Paths, mut notices: Vec<OutgoingNotice>, more: usize) {
    let config = match UserConfig::load(paths) {
        Ok(config) => config.notice,
        Err(error) => {
            tracing::warn!(%error, "notices are not sent: the config can't be read");
            return;
        }
    };
    notices.retain(|notice| config.on.contains(&notice.kind));
    let Some(last) = notices.last() else { return };
    if config.command.is_empty() && config.webhook.is_none() {
        return;
    }
    let at = last.at;
    let failed = send(&config, &notices, more);
    for failure in &failed {
        tracing::warn!(way = failure.way, error = %failure.what, "a notice was not sent");
    }
    let failed: Vec<Failure> = failed.into_iter().map(|failure| Failure { at, ..failure }).collect();
    keep(paths, &failed);
}

/// By the command and by the webhook; what went wrong.
fn send(config: &NoticeConfig, notices: &[OutgoingNotice], more: usize) -> Vec<Failure> {
    let text = words(notices, more);
    let body = serde_json::json!({ "text": text, "notices": notices, "more": more }).to_string();
    let mut failed = Vec::new();
    let mut failure = |way: &str, error: &dyn std::fmt::Display| {
        failed.push(Failure { way: way.to_owned(), at: Time(0), what: Shown::line(&error.to_string()) });
    };
    if let Some((program, args)) = config.command.split_first() {
        let args: Vec<String> = args.iter().map(|arg| filled(arg, &text, notices)).collect();
        if let Err(error) = program::run(program, &args, body.as_bytes(), LIMIT) {
            failure("command", &error);
        }
    }
    if let Some(url) = &config.webhook
        && let Err(error) = post::post(url, "application/json", &[], &body, LIMIT)
    {
        failure("webhook", &error);
    }
    failed
}

/// All of it in one line.
fn words(notices: &[OutgoingNotice], more: usize) -> String {
    let all = notices.iter().map(OutgoingNotice::words).collect::<Vec<_>>().join("; ");
    let text: String = match notices {
        [_] if more == 0 => all,
        _ => format!("{} notices: {all}", notices.len() + more),
    };
    cut::chars(&text, TEXT_MAX)
}

/// An argument of the command with its places filled in. One that was none does not become an option by that.
fn filled(arg: &str, text: &str, notices: &[OutgoingNotice]) -> String {
    let one = |of: fn(&OutgoingNotice) -> String| {
        let mut all: Vec<String> = notices.iter().map(of).filter(|word| !word.is_empty()).collect();
        all.dedup();
        all.join(",")
    };
    let mut out = String::new();
    let mut rest = arg;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let word = after.split_once('}').and_then(|(name, after)| {
            let word = match name {
                "text" => text.to_owned(),
                "kind" => one(|notice| notice.kind.key().to_owned()),
                "task" => one(|notice| notice.task.clone().unwrap_or_default()),
                "repo" => one(|notice| {
                    notice.repo.as_ref().map(|repo| repo.display().to_string()).unwrap_or_default()
                }),
                _ => return None,
            };
            Some((word, after))
        });
        rest = match word {
            Some((word, after)) => {
                out.push_str(&word);
                after
            }
            None => {
                out.push('{');
                after
            }
        };
    }
    out.push_str(rest);
    if out.starts_with('-') && !arg.starts_with('-') { format!(" {out}") } else { out }
}

/// A way of telling people that did not work the last time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// `command` or `webhook`.
    pub way: String,
    pub at: Time,
    pub what: Shown,
}

/// What did not work the last time that notices were told.
#[must_use]
pub fn failures(paths: &Paths) -> Vec<Failure> {
    let text = std::fs::read_to_string(file(paths)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn keep(paths: &Paths, failed: &[Failure]) {
    let kept = if failed.is_empty() {
        match std::fs::remove_file(file(paths)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    } else {
        std::fs::write(file(paths), serde_json::json!(failed).to_string())
    };
    if let Err(error) = kept {
        tracing::warn!(%error, "how notices fared can't be kept for `nopeek doctor`");
    }
}

fn file(paths: &Paths) -> PathBuf {
    paths.data.join("notices-failed.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(task: &str, text: &str) -> OutgoingNotice {
        OutgoingNotice {
            at: Time(5),
            kind: NoticeKind::Red,
            needs_you: false,
            id: Some(1),
            task: Some(task.to_owned()),
            repo: None,
            text: Shown::line(text),
        }
    }

    #[test]
    fn places_of_the_command_are_filled_in_and_make_no_options() {
        let one = [notice("a", "is {kind}")];
        let text = words(&one, 0);
        assert_eq!(text, "a: is {kind}");
        let is = |arg: &str, text: &str| filled(arg, text, &one);
        assert_eq!(is("{text}", &text), "a: is {kind}", "what is filled in is not filled in again");
        assert_eq!(is("[{kind}] {task}{nothing}{", &text), "[red] a{nothing}{");
        assert_eq!((is("{text}", "-rf"), is("-t{text}", "-rf")), (" -rf".to_owned(), "-t-rf".to_owned()));
        assert_eq!(words(&[notice("a", "x"), notice("b", "y\u{1b}]0;z")], 3), "5 notices: a: x; b: y␛]0;z");
        assert_eq!(words(&[notice("a", &"x".repeat(900))], 0).chars().count(), TEXT_MAX);
    }

    #[test]
    fn several_at_once_are_told_as_one_and_a_failure_is_kept_until_it_works() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::below(home.path()).unwrap();
        let set = |script: &str| {
            let text =
                format!("[notice]\non = ['red']\ncommand = ['sh', '-c', '{script}', 'sh', '{{text}}']");
            std::fs::write(paths.config.join("config.toml"), text).unwrap();
        };
        let mut post = Post::default();
        let say = |post: &mut Post| {
            post.put(notice("a", "x"));
            post.put(OutgoingNotice { kind: NoticeKind::Done, ..notice("b", "not told") });
            post.put(notice("c", "y"));
            assert!(post.due().is_some());
            post.hand_over(&paths);
            assert_eq!(post.waiting.len(), 3, "not before a second is over");
            post.flush(&paths);
        };
        set("echo broken >&2; exit 9");
        say(&mut post);
        let failed = failures(&paths);
        assert_eq!((failed.len(), failed[0].what.as_str()), (1, "sh ended with code 9: broken"));
        let out = home.path().join("out");
        set(&format!("echo \"$1\" >> {0}; cat >> {0}", out.display()));
        say(&mut post);
        assert_eq!(failures(&paths), []);
        let said = std::fs::read_to_string(out).unwrap();
        let (line, json) = said.split_once('\n').unwrap();
        assert_eq!(line, "2 notices: a: x; c: y");
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!((&json["notices"][1]["task"], &json["notices"][1]["kind"]), (&"c".into(), &"red".into()));
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut post = Post::default();
        (0..10_000).for_each(|_| post.put(notice("a", "x")));
        assert_eq!((post.waiting.len(), post.more), (WAITING_MAX, 10_000 - WAITING_MAX));
    }
}
