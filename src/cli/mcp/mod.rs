//! `nopeek mcp`: nopeek's tools for agents, by the Model Context Protocol on standard input and output.
//!
//! One message a line, JSON-RPC 2.0. Standard output carries nothing else. Promises: whatever comes in is answered with
//! an error that names what is wrong, or taken; every message, call and queue has a bound; nothing here looks at a
//! screen, approves, answers or moves a target (`tools.rs` has all there is).

mod call;
mod lines;
mod memory;
mod rpc;
mod session;
mod tools;

use super::error::CliError;
use super::{print, talk};
use crate::os::paths::Paths;
use crate::values::ids::{AttemptId, TaskId};
use crate::values::text::Shown;
use call::{Desk, Failed};
use lines::{LINE_MAX, Line, Lines};
use rpc::{INVALID_REQUEST, RpcError};
use serde_json::{Value, json};
use session::{Session, Todo};
use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Calls of tools at once.
const CALLS_MAX: usize = 16;
/// Messages that may come as one.
const BATCH_MAX: usize = 100;
/// Lines that wait to be read.
const QUEUE_MAX: usize = 16;
/// One read of standard input.
const READ: usize = 64 * 1024;
/// How often a call that waits for a person says that it still does.
const PROGRESS: Duration = Duration::from_secs(10);
/// How long calls may take that are under way when nobody asks any more.
const LAST: Duration = Duration::from_secs(10);

/// Serve nopeek's tools to an agent: the Model Context Protocol on standard input and output.
///
/// Agents that nopeek starts have `NOPEEK_TASK` and `NOPEEK_ATTEMPT` and speak for that attempt. Without, it is a person's
/// own agent, in the repo of the current folder. No tool peeks, approves or moves a target.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Speak for this attempt, as t3.1.
    #[arg(long, value_name = "ATTEMPT", value_parser = attempt)]
    task: Option<AttemptId>,
    /// Where the daemon's socket is, for programs that give their servers no environment.
    #[arg(long, value_name = "FOLDER")]
    runtime: Option<PathBuf>,
}

/// Reads an attempt's number, as `t3.1`.
fn attempt(text: &str) -> Result<AttemptId, String> {
    let read = || {
        let (task, no) = text.strip_prefix('t')?.split_once('.')?;
        let no: u32 = no.parse().ok()?;
        Some(AttemptId { task: TaskId(task.parse().ok()?), no })
    };
    read()
        .filter(|id| id.no > 0)
        .ok_or_else(|| format!("{text:?} is no attempt: write t3.1 for the first of t3"))
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let desk = Arc::new(desk(args)?);
    let (sender, receiver) = mpsc::channel(QUEUE_MAX);
    std::thread::spawn(move || listen(&sender));
    let runtime = talk::runtime()?;
    runtime.block_on(async {
        let (told, tells) = mpsc::channel(QUEUE_MAX);
        Server {
            desk,
            session: Session::default(),
            calls: BTreeMap::new(),
            batches: BTreeMap::new(),
            last: 0,
            told,
        }
        .serve(receiver, tells)
        .await;
    });
    // The thread that reads may still stand in a read.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

fn desk(args: &Args) -> Result<Desk, CliError> {
    let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let named = match (args.task, var("NOPEEK_TASK"), var("NOPEEK_ATTEMPT")) {
        (Some(task), ..) => Some(task),
        (None, Some(task), Some(no)) => Some(attempt(&format!("{task}.{no}")).map_err(|what| {
            CliError::usage(format!("NOPEEK_TASK and NOPEEK_ATTEMPT name no attempt: {what}"), "")
        })?),
        (None, ..) => None,
    };
    let paths = match &args.runtime {
        // Nothing but the socket is needed; nothing is made.
        Some(folder) => Paths { config: folder.clone(), data: folder.clone(), runtime: folder.clone() },
        None => talk::paths()?,
    };
    let who = named
        .map_or_else(|| format!("{}'s agent", crate::client::who()), |attempt| format!("agent {attempt}"));
    let here = std::env::current_dir().ok().and_then(|folder| {
        let main = crate::git::repo::find(&folder).ok()?.main;
        let top = git2::Repository::discover(&folder).ok()?.workdir()?.to_owned();
        Some((main, top.canonicalize().ok()?))
    });
    Ok(Desk { paths, attempt: named, who, here: here.filter(|_| named.is_none()) })
}

/// Reads standard input to its end; on a thread of its own.
fn listen(sender: &mpsc::Sender<Line>) {
    let (mut input, mut lines) = (io::stdin().lock(), Lines::new(LINE_MAX));
    let mut bytes = vec![0; READ];
    let mut is_heard = true;
    loop {
        match input.read(&mut bytes) {
            Ok(0) => break,
            Ok(n) => lines.push(&bytes[..n], |line| is_heard &= sender.blocking_send(line).is_ok()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
        if !is_heard {
            return;
        }
    }
    if let Some(line) = lines.end() {
        let _ = sender.blocking_send(Line::Whole(line));
    }
}

/// What calls tell while they go on and at their end.
enum Told {
    /// The answer to a request.
    Ended { call: u64, answer: Value },
    /// Something on the way.
    Progress { call: u64, message: Value },
}

/// A call under way.
struct Running {
    id: Value,
    handle: AbortHandle,
    batch: Option<u64>,
    patient: bool,
}

/// Messages that came as one: answered as one.
struct Batch {
    answers: Vec<Value>,
    open: usize,
}

struct Server {
    desk: Arc<Desk>,
    session: Session,
    calls: BTreeMap<u64, Running>,
    batches: BTreeMap<u64, Batch>,
    last: u64,
    told: mpsc::Sender<Told>,
}

impl Server {
    /// Until there is nothing more to read, or nobody reads us.
    async fn serve(mut self, mut lines: mpsc::Receiver<Line>, mut tells: mpsc::Receiver<Told>) {
        let done = loop {
            tokio::select! {
                line = lines.recv() => match line {
                    Some(line) => if self.line(line).is_err() { return },
                    None => break clock_after(LAST),
                },
                Some(told) = tells.recv() => if self.hear(told).is_err() { return },
            }
        };
        // Nobody asks any more: what is quick is still answered, a person is not waited for.
        for call in self.calls.values().filter(|call| call.patient) {
            call.handle.abort();
        }
        self.calls.retain(|_, call| !call.patient);
        while !self.calls.is_empty() {
            let Ok(Some(told)) = tokio::time::timeout_at(done, tells.recv()).await else { return };
            if self.hear(told).is_err() {
                return;
            }
        }
    }

    fn line(&mut self, line: Line) -> io::Result<()> {
        let bytes = match line {
            Line::Whole(bytes) => bytes,
            Line::TooLong => return say(&rpc::answer(&Value::Null, Err(rpc::too_long()))),
        };
        match rpc::json_of(&bytes) {
            Ok(Value::Array(values)) => self.batch(values),
            Ok(value) => match self.message(value, None) {
                Some(answer) => say(&answer),
                None => Ok(()),
            },
            Err(error) => say(&rpc::answer(&Value::Null, Err(error))),
        }
    }

    fn batch(&mut self, values: Vec<Value>) -> io::Result<()> {
        let refused = if !self.session.takes_batches() {
            Some("several messages as one are of protocol 2025-03-26 alone".to_owned())
        } else if values.is_empty() || values.len() > BATCH_MAX {
            Some(format!("{} messages came as one; 1 to {BATCH_MAX} are allowed", values.len()))
        } else {
            None
        };
        if let Some(what) = refused {
            return say(&rpc::answer(&Value::Null, Err(RpcError::new(INVALID_REQUEST, what))));
        }
        self.last += 1;
        let no = self.last;
        // Open until all of it was looked at.
        self.batches.insert(no, Batch { answers: Vec::new(), open: 1 });
        for value in values {
            if let Some(answer) = self.message(value, Some(no))
                && let Some(batch) = self.batches.get_mut(&no)
            {
                batch.answers.push(answer);
            }
        }
        if let Some(batch) = self.batches.get_mut(&no) {
            batch.open -= 1;
        }
        self.end_batch(no)
    }

    /// Says the answers of a batch if none is missing.
    fn end_batch(&mut self, no: u64) -> io::Result<()> {
        let Some(batch) = self.batches.remove(&no) else { return Ok(()) };
        if batch.open > 0 {
            self.batches.insert(no, batch);
            return Ok(());
        }
        if batch.answers.is_empty() { Ok(()) } else { say(&Value::Array(batch.answers)) }
    }

    /// What one message is answered with at once.
    fn message(&mut self, value: Value, batch: Option<u64>) -> Option<Value> {
        match self.session.take(rpc::read(value), batch.is_some()) {
            Todo::Nothing => None,
            Todo::Say(answer) => Some(answer),
            Todo::Cancel(id) => {
                self.cancel(&id);
                None
            }
            Todo::Call { id, call, token } => {
                if self.calls.values().any(|running| running.id == id) {
                    let error = RpcError::new(INVALID_REQUEST, "a request with this `id` is under way");
                    return Some(rpc::answer(&id, Err(error)));
                }
                if self.calls.len() >= CALLS_MAX {
                    let what = format!("{CALLS_MAX} calls are under way");
                    return Some(rpc::answer(&id, Ok(tools::failed(&what, "wait until one has ended"))));
                }
                self.begin(id, call, token, batch);
                None
            }
        }
    }

    fn begin(&mut self, id: Value, call: tools::Call, token: Option<Value>, batch: Option<u64>) {
        self.last += 1;
        let no = self.last;
        let (desk, told, version) = (Arc::clone(&self.desk), self.told.clone(), self.session.version());
        let (request, patient) = (id.clone(), call.is_patient());
        let task = tokio::spawn(async move {
            let done = desk.call(call);
            tokio::pin!(done);
            let mut waited = 0_u64;
            let outcome = loop {
                match tokio::time::timeout(PROGRESS, &mut done).await {
                    Ok(outcome) => break outcome,
                    Err(_) => {
                        waited += 1;
                        if let Some(token) = &token {
                            let message = progress(token, waited);
                            let _ = told.send(Told::Progress { call: no, message }).await;
                        }
                    }
                }
            };
            let result = match outcome {
                Ok((text, data)) => tools::worked(version, &text, &data),
                Err(Failed { what, remedy }) => tools::failed(&what, &remedy),
            };
            let _ = told.send(Told::Ended { call: no, answer: rpc::answer(&request, Ok(result)) }).await;
        });
        if let Some(batch) = batch.and_then(|no| self.batches.get_mut(&no)) {
            batch.open += 1;
        }
        self.calls.insert(no, Running { id, handle: task.abort_handle(), batch, patient });
    }

    /// The call gets no answer; what it had done stays done.
    fn cancel(&mut self, id: &Value) {
        let Some(no) = self.calls.iter().find(|(_, call)| call.id == *id).map(|(no, _)| *no) else { return };
        let Some(call) = self.calls.remove(&no) else { return };
        call.handle.abort();
        if let Some(batch) = call.batch {
            if let Some(of) = self.batches.get_mut(&batch) {
                of.open -= 1;
            }
            if self.end_batch(batch).is_err() {
                print::complain(format_args!("nopeek mcp: nobody reads the answers any more"));
            }
        }
    }

    fn hear(&mut self, told: Told) -> io::Result<()> {
        match told {
            // Of one that was cancelled nothing more is said.
            Told::Progress { call, message } if self.calls.contains_key(&call) => say(&message),
            Told::Progress { .. } => Ok(()),
            Told::Ended { call, answer } => {
                let Some(running) = self.calls.remove(&call) else { return Ok(()) };
                let Some(no) = running.batch else { return say(&answer) };
                if let Some(batch) = self.batches.get_mut(&no) {
                    batch.open -= 1;
                    batch.answers.push(answer);
                }
                self.end_batch(no)
            }
        }
    }
}

fn clock_after(span: Duration) -> tokio::time::Instant {
    (crate::os::clock::instant() + span).into()
}

fn progress(token: &Value, waited: u64) -> Value {
    let params = json!({ "progressToken": token, "progress": waited, "message": "still waiting" });
    json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": params })
}

/// One line on standard output.
fn say(value: &Value) -> io::Result<()> {
    let mut line = value.to_string();
    line.push('\n');
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes()).and_then(|()| out.flush()).inspect_err(|error| {
        if error.kind() != io::ErrorKind::BrokenPipe {
            let error = error.to_string();
            print::complain(format_args!("nopeek mcp: can't answer: {}", Shown::line(&error)));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_named_by_task_and_number() {
        assert_eq!(attempt("t3.1"), Ok(AttemptId { task: TaskId(3), no: 1 }));
        for bad in ["", "t3", "3.1", "t3.0", "t3.x", "t-1.1", "t3.1.1", "t9999999999999999999999.1"] {
            assert!(attempt(bad).is_err(), "{bad}");
        }
    }
}
