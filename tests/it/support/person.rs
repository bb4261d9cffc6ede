//! Somebody who wants something without pause, and writes down what was acknowledged and what is uncertain.

use super::world::World;
use nopeek::client::{Client, ClientError, Start};
use nopeek::core::model::event::Answer;
use nopeek::core::model::task::TaskState;
use nopeek::os::paths::Paths;
use nopeek::wire::client::{Act, RefusalKind, Reply, Request, RunRequest, TaskRef};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How many things are wanted of one daemon, that the ledger does not grow with the machine's speed.
const WISHES: usize = 10;

/// What was wanted and what of it was acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Names of launched tasks that only wait.
    pub(crate) waiting: Vec<String>,
    /// Names of launched tasks that work.
    pub(crate) working: Vec<String>,
    /// Those of them that were approved.
    pub(crate) approved: Vec<String>,
    /// Answers that were given.
    pub(crate) answers: Vec<String>,
    /// Pauses and resumes.
    pub(crate) pauses: usize,
    pub(crate) resumes: usize,
    /// Whether the sleeper is paused; none while that is uncertain.
    pub(crate) paused: Option<bool>,
    asked: usize,
}

/// How much was acknowledged so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Acknowledged {
    pub(crate) launches: usize,
    /// Resumes as well.
    pub(crate) pauses: usize,
    pub(crate) answers: usize,
}

pub(crate) struct Person {
    thread: std::thread::JoinHandle<Record>,
    enough: Arc<AtomicBool>,
    acknowledged: Arc<Mutex<Acknowledged>>,
}

struct Desk {
    paths: Paths,
    repo: PathBuf,
    env: Vec<(String, String)>,
    working_max: usize,
    enough: Arc<AtomicBool>,
    acknowledged: Arc<Mutex<Acknowledged>>,
    record: Record,
}

impl Person {
    /// Begins: tasks behind `p0`; at most `working_max` that work, every other of `typed`, and are approved; pauses of
    /// `sleeper`; answers to `asker`.
    pub(crate) fn sit_down(world: &World, working_max: usize) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
        let mut desk = Desk {
            paths: world.paths.clone(),
            repo: world.repo(),
            env: world.env(),
            working_max,
            enough: enough.clone(),
            acknowledged: acknowledged.clone(),
            record: Record { paused: Some(false), ..Record::default() },
        };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(desk.sit());
            desk.record
        });
        Self { thread, enough, acknowledged }
    }

    /// How much was acknowledged so far.
    pub(crate) fn acknowledged(&self) -> Acknowledged {
        *self.acknowledged.lock().unwrap()
    }

    /// Ends, once the daemon that runs now has answered.
    pub(crate) fn stand_up(self) -> Record {
        self.enough.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

impl Desk {
    async fn sit(&mut self) {
        while !self.enough.load(Ordering::Relaxed) {
            let Ok(mut client) = Client::connect(&self.paths, Start::Never).await else {
                tokio::time::sleep(Duration::from_millis(2)).await;
                continue;
            };
            for wish in 0.. {
                let alive = match wish {
                    0 => self.launch(&mut client).await,
                    1..WISHES if wish % 3 == 0 => self.approve(&mut client).await,
                    1..WISHES if wish % 3 == 1 => self.pause_or_resume(&mut client).await,
                    1..WISHES => self.answer(&mut client).await,
                    // Whoever waits for an answer to be acknowledged gets one, however slow the agent is to ask.
                    _ if self.record.answers.is_empty() => self.answer(&mut client).await,
                    _ => client.request(Request::Board).await.is_ok(),
                };
                *self.acknowledged.lock().unwrap() = Acknowledged {
                    launches: self.record.waiting.len() + self.record.working.len(),
                    pauses: self.record.pauses + self.record.resumes,
                    answers: self.record.answers.len(),
                };
                if !alive || self.enough.load(Ordering::Relaxed) {
                    break;
                }
            }
        }
    }

    async fn launch(&mut self, client: &mut Client) -> bool {
        self.record.asked += 1;
        let works = self.record.asked.is_multiple_of(8) && self.record.working.len() < self.working_max;
        let name = format!("{}{}", if works { "w" } else { "k" }, self.record.asked);
        let after = if works { Vec::new() } else { vec!["p0".to_owned()] };
        let is_typed = works && self.record.working.len() % 2 == 1;
        let prompt = super::agent::edits(&format!("{name}.txt"), "good");
        let prompt = if is_typed { format!("good {name}") } else { prompt };
        let (repo, env) = (self.repo.clone(), self.env.clone());
        let agent = Some(if is_typed { "typed" } else { "scripted" }.to_owned());
        let run =
            RunRequest { repo, env, prompt, agent, after, name: Some(name.clone()), ..RunRequest::default() };
        let Some(done) = answered(client.request(Request::Run(vec![run])).await) else { return false };
        assert!(done, "a launch was refused");
        if works { &mut self.record.working } else { &mut self.record.waiting }.push(name);
        true
    }

    async fn pause_or_resume(&mut self, client: &mut Client) -> bool {
        let pause = !self.record.paused.unwrap_or(false);
        let was = self.record.paused.take();
        let act = if pause { Act::Pause } else { Act::Resume };
        let Some(done) = self.act(client, "sleeper", act).await else { return false };
        // A refusal says as well how it stands: what was uncertain before has happened.
        assert!(done || was.is_none(), "refused though it was {was:?}");
        if done {
            *(if pause { &mut self.record.pauses } else { &mut self.record.resumes }) += 1;
        }
        self.record.paused = Some(pause);
        true
    }

    async fn answer(&mut self, client: &mut Client) -> bool {
        self.record.asked += 1;
        let text = format!("a{}", self.record.asked);
        let act = Act::Answer(Answer::Text(text.clone()));
        match self.act(client, "asker", act).await {
            Some(true) => self.record.answers.push(text),
            // It does not ask at this moment.
            Some(false) => {}
            None => return false,
        }
        true
    }

    async fn approve(&mut self, client: &mut Client) -> bool {
        let Record { working, approved, asked, .. } = &mut self.record;
        *asked += 1;
        let open: Vec<&String> = working.iter().filter(|name| !approved.contains(name)).collect();
        let Some(next) = open.get(*asked % open.len().max(1)).map(|name| (*name).clone()) else {
            return true;
        };
        match self.act(client, &next, Act::Approve { head: None }).await {
            Some(true) => self.record.approved.push(next),
            // It is not yet in review; or it was approved, and that was not acknowledged.
            Some(false) => {
                let Ok(Reply::Board(board)) = client.request(Request::Board).await else { return false };
                let task = board.tasks.iter().find(|task| task.name == next).unwrap();
                if matches!(task.state, TaskState::Merging | TaskState::Landed) {
                    self.record.approved.push(next);
                }
            }
            None => return false,
        }
        true
    }

    async fn act(&self, client: &mut Client, name: &str, act: Act) -> Option<bool> {
        let task = TaskRef { repo: Some(self.repo.clone()), name: name.to_owned() };
        answered(client.request(Request::Act { task, act }).await)
    }
}

/// Whether it was done or refused for now; none if nobody knows.
fn answered(result: Result<Reply, ClientError>) -> Option<bool> {
    match result {
        Ok(Reply::Done | Reply::Launched(_)) => Some(true),
        Err(ClientError::Refused(refusal)) if refusal.kind == RefusalKind::NotNow => Some(false),
        Err(ClientError::Io { .. } | ClientError::Closed) => None,
        other => panic!("an odd answer: {other:?}"),
    }
}
