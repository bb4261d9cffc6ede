//! The panel: personas that vote on a trade-off by their weights. What it says, and what a human says where it does not.
//!
//! Promises: a vote is in the ledger whole, with its question, its panel and each ballot; what the panel did not decide
//! waits for a human, and the task that asked needs one. The newest [`POLLS_MAX`] are at hand; older ones stay in the
//! ledger.

mod question;
#[cfg(test)]
mod tests;
mod vote;

pub use question::{
    Criterion, HEURISTIC_MAX, NAME_MAX, OPTIONS_MAX, OptionScored, PERSONAS_MAX, Panel, Persona, Question,
    Score, WEIGHT_MAX, is_name,
};
pub use vote::{Ballot, Missing, Outcome, POINTS_MAX, Ranked, Reason, Total, Vote, vote};

use super::engine::{Refused, RefusedKind};
use super::fact::Fact;
use super::ids::{PanelId, TaskId};
use super::notice::NoticeKind;
use super::state::{State, Task};
use super::task::{get, is_ended, not_now};
use super::text::Shown;
use super::time::Time;
use super::turn::Turn;
use super::view::TaskView;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most polls at hand.
pub const POLLS_MAX: usize = 1_000;
/// Most questions that one task may put.
pub const POLLS_OF_TASK_MAX: usize = 100;
/// Most polls of a repo that may wait for a human.
pub const WAITING_MAX: usize = 100;
/// Most decisions that a merge commit cites.
const CITED_MAX: usize = 20;
/// Longest question and longest reason in a citation, in characters.
const CITED_LENGTH: usize = 160;

/// What people and scripts can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PanelCommand {
    /// Let a panel vote on a question.
    Put {
        /// The repo's main checkout.
        repo: PathBuf,
        /// The task that is worked on, if it is about one.
        task: Option<TaskId>,
        /// What is asked.
        question: Box<Question>,
        /// Who votes: the repo's panel as its config says.
        panel: Box<Panel>,
    },
    /// A human decides what the panel did not.
    Settle {
        /// Which poll.
        id: PanelId,
        /// One of its options.
        option: String,
        /// Why; not empty.
        why: String,
    },
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
pub enum PanelFact {
    /// A panel voted.
    #[strum(serialize = "panel_voted")]
    Voted {
        /// The poll.
        id: PanelId,
        /// The repo's main checkout.
        repo: PathBuf,
        /// The task that it is about.
        task: Option<TaskId>,
        /// What was asked.
        question: Box<Question>,
        /// Who voted, with all weights.
        panel: Box<Panel>,
        /// What they said.
        vote: Box<Vote>,
    },
    /// A human decided.
    #[strum(serialize = "panel_decided")]
    Decided {
        /// The poll.
        id: PanelId,
        /// The task that it is about.
        task: Option<TaskId>,
        /// The option.
        option: String,
        /// Why.
        why: Shown,
    },
}

impl PanelFact {
    /// The ledger's word for the variant, which scripts filter by: never changed.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.into()
    }

    /// The task that it is about, if it is about one.
    #[must_use]
    pub const fn task(&self) -> Option<TaskId> {
        match self {
            Self::Voted { task, .. } | Self::Decided { task, .. } => *task,
        }
    }

    /// For people.
    #[must_use]
    pub fn describe(&self) -> Shown {
        match self {
            Self::Voted { id, question, vote, .. } => match &vote.outcome {
                Outcome::Decided(option) => {
                    let how = tally(vote, option);
                    Shown::line(&format!("panel {id}: {} → {option} ({how})", question.text))
                }
                Outcome::AskHuman(reason) => {
                    let why = reason.words(vote.margin);
                    Shown::line(&format!("panel {id}: {} → asks a human: {why}", question.text))
                }
            },
            Self::Decided { id, option, why, .. } => {
                Shown::line(&format!("panel {id} decided by a human: {option}: {why}"))
            }
        }
    }
}

/// A question and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poll {
    /// Its number.
    pub id: PanelId,
    /// When the panel voted.
    pub at: Time,
    /// The repo's main checkout.
    pub repo: PathBuf,
    /// The task that it is about.
    pub task: Option<TaskId>,
    /// What was asked.
    pub question: Question,
    /// Who voted.
    pub panel: Panel,
    /// What they said.
    pub vote: Vote,
    /// What a human said, where the panel did not decide.
    pub decision: Option<Decision>,
}

/// What a human decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// When.
    pub at: Time,
    /// One of the options.
    pub option: String,
    /// Why.
    pub why: Shown,
}

impl Poll {
    /// The option that is taken, if that is decided.
    #[must_use]
    pub fn decided(&self) -> Option<&str> {
        match (&self.vote.outcome, &self.decision) {
            (Outcome::Decided(option), _) => Some(option),
            (Outcome::AskHuman(_), Some(decision)) => Some(&decision.option),
            (Outcome::AskHuman(_), None) => None,
        }
    }

    /// How it came out, in a line: `sqlite (margin 23 %, 9 of 12)`.
    #[must_use]
    pub fn outcome(&self) -> String {
        match (&self.vote.outcome, &self.decision) {
            (Outcome::Decided(option), _) => format!("{option} ({})", tally(&self.vote, option)),
            (Outcome::AskHuman(_), Some(decision)) => {
                format!("{} (by a human: {})", decision.option, short(&decision.why))
            }
            (Outcome::AskHuman(reason), None) => format!("asks a human: {}", reason.words(self.vote.margin)),
        }
    }
}

/// `margin 23 %, 9 of 12`.
fn tally(vote: &Vote, option: &str) -> String {
    format!("margin {} %, {} of {}", vote.margin, vote.voices(option), vote.ballots.len())
}

fn short(text: &Shown) -> String {
    let mut chars = text.as_str().chars();
    let mut head: String = chars.by_ref().take(CITED_LENGTH).collect();
    if chars.next().is_some() {
        head.push('…');
    }
    head
}

/// Its part of the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Panels {
    polls: BTreeMap<PanelId, Arc<Poll>>,
    last: u64,
}

impl Panels {
    /// Polls at hand, oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Poll> {
        self.polls.values().map(AsRef::as_ref)
    }

    /// The poll of this number, if it is at hand.
    #[must_use]
    pub fn get(&self, id: PanelId) -> Option<&Poll> {
        self.polls.get(&id).map(AsRef::as_ref)
    }

    /// The number of the next poll.
    #[must_use]
    pub const fn next(&self) -> PanelId {
        PanelId(self.last + 1)
    }

    /// Takes in a fact. Total.
    pub(in crate::core) fn apply(&mut self, at: Time, fact: &PanelFact) {
        match fact {
            PanelFact::Voted { id, repo, task, question, panel, vote } => {
                self.last = self.last.max(id.0);
                let poll = Poll {
                    id: *id,
                    at,
                    repo: repo.clone(),
                    task: *task,
                    question: (**question).clone(),
                    panel: (**panel).clone(),
                    vote: (**vote).clone(),
                    decision: None,
                };
                self.polls.insert(*id, Arc::new(poll));
                while self.polls.len() > POLLS_MAX {
                    let decided = self.all().find(|poll| poll.decided().is_some()).map(|poll| poll.id);
                    let Some(oldest) = decided.or_else(|| self.polls.keys().next().copied()) else { break };
                    self.polls.remove(&oldest);
                }
            }
            PanelFact::Decided { id, option, why, .. } => {
                if let Some(poll) = self.polls.get_mut(id) {
                    let decision = Decision { at, option: option.clone(), why: why.clone() };
                    Arc::make_mut(poll).decision = Some(decision);
                }
            }
        }
    }
}

/// Carries out a command.
pub(in crate::core) fn command(turn: &mut Turn<'_>, command: PanelCommand) -> Result<(), Refused> {
    match command {
        PanelCommand::Put { repo, task, question, panel } => put(turn, repo, task, question, panel),
        PanelCommand::Settle { id, option, why } => settle(turn, id, &option, &why),
    }
}

fn put(
    turn: &mut Turn<'_>,
    repo: PathBuf,
    task: Option<TaskId>,
    question: Box<Question>,
    panel: Box<Panel>,
) -> Result<(), Refused> {
    question.check()?;
    panel.check()?;
    if let Some(id) = task {
        let of = get(turn.state, id)?;
        if is_ended(&of.stage) {
            return Err(not_now(of, "ask the panel for", "ask without a task"));
        }
        if turn.state.panels.all().filter(|poll| poll.task == Some(id)).count() >= POLLS_OF_TASK_MAX {
            let remedy = "it has had 100 votes, which is the limit: decide without the panel";
            return Err(not_now(of, "ask the panel for", remedy));
        }
    }
    let waiting = |poll: &&Poll| poll.repo == repo && waits(turn.state, poll);
    if turn.state.panels.all().filter(waiting).count() >= WAITING_MAX {
        return Err(Refused::new(
            RefusedKind::NotNow,
            format!("{WAITING_MAX} votes of {} wait for a human", Shown::line(&repo.to_string_lossy())),
            "decide some of them first: `nopeek panel ls` shows them",
        ));
    }
    let id = turn.state.panels.next();
    let vote = Box::new(vote(&panel, &question));
    if let Some(why) = vote.asks() {
        let text = format!("the panel asks you: {id} {} ({why})", question.text);
        turn.notice(task, NoticeKind::NeedsYou, text);
    }
    turn.fact(Fact::Panel(PanelFact::Voted { id, repo, task, question, panel, vote }));
    Ok(())
}

fn settle(turn: &mut Turn<'_>, id: PanelId, option: &str, why: &str) -> Result<(), Refused> {
    let Some(poll) = turn.state.panels.get(id) else {
        let what = format!("there is no vote {id} at hand");
        return Err(Refused::new(RefusedKind::NotFound, what, "`nopeek panel ls` shows them"));
    };
    if let Some(taken) = poll.decided() {
        let what = format!("{id} is decided: {taken}");
        return Err(Refused::new(RefusedKind::NotNow, what, "put a new question"));
    }
    let names: Vec<&str> = poll.question.options.iter().map(|option| option.name.as_str()).collect();
    if !names.contains(&option) {
        let what = format!("{id} has no option {}", Shown::line(option));
        return Err(Refused::new(
            RefusedKind::BadInput,
            what,
            format!("its options are {}", names.join(", ")),
        ));
    }
    let why = Shown::line(why.trim());
    if why.is_empty() || question::too_long(&why) {
        let what = "the reason is empty or longer than 2,000 characters";
        return Err(Refused::new(RefusedKind::BadInput, what, "say in a sentence why: it is kept"));
    }
    let (task, option) = (poll.task, option.to_owned());
    turn.fact(Fact::Panel(PanelFact::Decided { id, task, option, why }));
    if let Some(task) = task {
        super::question::goes_on(turn, task);
    }
    Ok(())
}

/// Whether a poll waits for a human: nobody waits for that of a task that has ended or is gone.
fn waits(state: &State, poll: &Poll) -> bool {
    let live = |id: &TaskId| state.tasks.get(id).is_some_and(|task| !is_ended(&task.stage));
    poll.decided().is_none() && poll.task.as_ref().is_none_or(live)
}

/// Whether a vote of a task waits for a human; its agent may wait for that too.
pub(in crate::core) fn asks(state: &State, task: &Task) -> bool {
    state.panels.all().any(|poll| poll.task == Some(task.id) && waits(state, poll))
}

/// Puts into a task's view that a vote of it waits for a human.
pub(in crate::core) fn mark(state: &State, task: &Task, view: &mut TaskView) {
    let waiting = |poll: &&Poll| poll.task == Some(task.id) && waits(state, poll);
    let Some(poll) = state.panels.all().find(waiting) else { return };
    view.needs_you = true;
    if view.why.is_empty() {
        let text = &poll.question.text;
        let id = poll.id;
        view.why =
            Shown::line(&format!("its vote {id} waits for you: {text} (nopeek panel decide {id} OPTION)"));
    }
}

/// What a task's merge commit says of the panel: a section with a line a decided vote, or nothing.
#[must_use]
pub(in crate::core) fn cited(state: &State, task: TaskId) -> String {
    let decided: Vec<&Poll> =
        state.panels.all().filter(|poll| poll.task == Some(task) && poll.decided().is_some()).collect();
    if decided.is_empty() {
        return String::new();
    }
    let mut section = String::from("\nPanel decisions:\n");
    for poll in decided.iter().take(CITED_MAX) {
        section.push_str(&format!("{} {} → {}\n", poll.id, short(&poll.question.text), poll.outcome()));
    }
    if let Some(more) = decided.len().checked_sub(CITED_MAX).filter(|more| *more > 0) {
        section.push_str(&format!("and {more} more, in the ledger\n"));
    }
    section
}

/// A poll as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollLine {
    /// Its number.
    pub id: PanelId,
    /// When the panel voted.
    pub at: Time,
    /// The repo's main checkout.
    pub repo: PathBuf,
    /// The task that it is about.
    pub task: Option<TaskId>,
    /// What was asked.
    pub text: Shown,
    /// The option that is taken; none: a human must decide.
    pub decided: Option<String>,
    /// How it came out, in words.
    pub outcome: Shown,
}

/// Polls that wait for a human, oldest first.
pub(in crate::core) fn waiting(state: &State) -> Vec<PollLine> {
    state.panels.all().filter(|poll| waits(state, poll)).map(line).collect()
}

/// Polls that a client asked for, newest first: of a repo, of a task, or all.
#[must_use]
pub fn pick(panels: &Panels, repo: Option<&Path>, task: Option<TaskId>, limit: usize) -> Vec<PollLine> {
    let here = |poll: &&Poll| repo.is_none_or(|repo| poll.repo == repo);
    let of = |poll: &&Poll| task.is_none_or(|task| poll.task == Some(task));
    panels.all().rev().filter(here).filter(of).take(limit).map(line).collect()
}

fn line(poll: &Poll) -> PollLine {
    PollLine {
        id: poll.id,
        at: poll.at,
        repo: poll.repo.clone(),
        task: poll.task,
        text: poll.question.text.clone(),
        decided: poll.decided().map(str::to_owned),
        outcome: Shown::line(&poll.outcome()),
    }
}
