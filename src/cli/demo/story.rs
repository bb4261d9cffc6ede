//! `nopeek demo --headless`: what a person would do at the board, done by the same requests, and told.

use super::super::error::{CliError, INTERNAL};
use super::super::print;
use crate::client::Client;
use crate::core::model::event::Answer;
use crate::core::model::task::TaskState;
use crate::core::views::board::{Board, TaskView};
use crate::values::text::Shown;
use crate::wire::client::{Act, FromDaemon, Reply, Request, TaskRef, ToDaemon};
use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

/// Longest story: the longest task has 120 seconds an attempt.
const STORY_MAX: Duration = Duration::from_secs(300);

/// Drives the six tasks to their ends; an error says which end was not as it must be.
pub(super) async fn tell(mut client: Client) -> Result<ExitCode, CliError> {
    let mut story = Story::default();
    let told = tokio::time::timeout(STORY_MAX, story.play(&mut client)).await;
    match told {
        Ok(told) => told.map(|()| ExitCode::SUCCESS),
        Err(_) => {
            let last: Vec<String> =
                story.seen.iter().map(|(name, state)| format!("{name} {}", state.0.label())).collect();
            Err(CliError::new(INTERNAL, "the demo did not finish", last.join(", ")))
        }
    }
}

#[derive(Default)]
struct Story {
    /// Task by name: state and attempt last told.
    seen: HashMap<String, (TaskState, u32)>,
    rolled_back: bool,
}

impl Story {
    async fn play(&mut self, client: &mut Client) -> Result<(), CliError> {
        client.send(ToDaemon::Subscribe(true)).await?;
        let mut board = match client.request(Request::Board).await? {
            Reply::Board(board) => *board,
            other => return Err(CliError::odd(&other)),
        };
        loop {
            for task in &board.tasks {
                self.tell_change(task)?;
                self.act_on(task, client).await?;
            }
            if self.rolled_back && is_over(&board) {
                return check(&board);
            }
            board = loop {
                match client.next().await {
                    Some(FromDaemon::Board(board)) => break *board,
                    Some(_) => {}
                    None => return Err(CliError::new(INTERNAL, "the demo's daemon went away", "")),
                }
            };
        }
    }

    fn tell_change(&mut self, task: &TaskView) -> Result<(), CliError> {
        let no = task.attempts.len().try_into().unwrap_or(u32::MAX);
        if self.seen.insert(task.name.clone(), (task.state, no)) == Some((task.state, no)) {
            return Ok(());
        }
        let why = if task.why.is_empty() { String::new() } else { format!(": {}", task.why) };
        print::line(&format!("{:<12} {} (attempt {no}){why}", Shown::line(&task.name), task.state.label()))
    }

    async fn act_on(&mut self, task: &TaskView, client: &mut Client) -> Result<(), CliError> {
        let act = match task.state {
            TaskState::Asking => Act::Answer(Answer::Text("6 minutes".to_owned())),
            TaskState::Review => Act::Approve { head: None },
            TaskState::Landed if task.name == "pour" && !self.rolled_back => Act::Rollback,
            _ => return Ok(()),
        };
        let rolls_back = act == Act::Rollback;
        let words = match &act {
            Act::Answer(_) => "you answer: 6 minutes",
            Act::Approve { .. } => "you read the diff and approve it",
            _ => "you roll it back",
        };
        let asked = TaskRef { repo: Some(task.repo.clone()), name: task.id.to_string() };
        match client.request(Request::Act { task: asked, act }).await {
            Ok(_) => {
                print::line(&format!("{:<12} {words}", Shown::line(&task.name)))?;
                self.rolled_back |= rolls_back;
            }
            // The board was a moment old: the next one says what is so.
            Err(crate::client::ClientError::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// Whether nothing more will happen; a landed `pour` is still to be rolled back.
fn is_over(board: &Board) -> bool {
    board.tasks.iter().all(|task| match task.state {
        TaskState::Landed => task.name != "pour",
        TaskState::Stuck => true,
        state => state.is_ended(),
    })
}

fn check(board: &Board) -> Result<(), CliError> {
    let mut wrong = Vec::new();
    let mut sent_back = false;
    for task in &board.tasks {
        let wanted = match task.name.as_str() {
            "pour" => TaskState::RolledBack,
            "perfect" => TaskState::Stuck,
            _ => TaskState::Landed,
        };
        if task.state != wanted {
            wrong.push(format!(
                "{} is {} instead of {}: {}",
                task.name,
                task.state.label(),
                wanted.label(),
                task.why
            ));
        }
        if task.name == "minutes" && task.attempts.len() < 2 {
            wrong.push("minutes had no second attempt".to_owned());
        }
        sent_back |= task.name.starts_with("menu-") && task.attempts.len() > 1;
    }
    if !sent_back {
        wrong.push("the two menu tasks did not conflict".to_owned());
    }
    if wrong.is_empty() {
        return print::line("\nfour landed, one was rolled back, one timed out; nobody peeked");
    }
    Err(CliError::new(INTERNAL, "the demo did not end as it must", wrong.join("\n")))
}
