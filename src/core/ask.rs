//! A question that an agent puts through nopeek's tools, not through its terminal; and what it reports there.
//!
//! Promises: the same question put again by the same attempt is the same question, so that whoever waits for its
//! answer may be cut off and ask anew; its answer goes to who asked, never into a terminal; it ends with its attempt.
//! Only an attempt whose agent works can ask, report or have tasks added, and each of that has a bound.

use super::attempt::{Ask, AskKind};
use super::engine::{Refused, RefusedKind};
use super::event::{Answer, Launch};
use super::fact::Fact;
use super::ids::{AttemptId, TaskId};
use super::notice::NoticeKind;
use super::state::{Stage, State};
use super::text::Shown;
use super::time::Time;
use super::turn::Turn;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest question or report, in bytes.
pub const TEXT_MAX: usize = 4 * 1024;
/// Most answers to choose from.
pub const OPTIONS_MAX: usize = 10;
/// Longest of them, in bytes.
pub const OPTION_MAX: usize = 200;
/// Open questions of one attempt: a person is asked one thing after the other.
pub const OPEN_MAX: usize = 10;
/// All questions of one attempt, the answered ones too.
pub const ASKED_MAX: usize = 200;
/// Reports of one attempt.
pub const REPORTS_MAX: usize = 10;
/// Longest answer, in bytes.
pub const ANSWER_MAX: usize = 16 * 1024;
/// Tasks that the agents of one task may add.
pub const ADDED_MAX: usize = 20;
/// How many tasks a line may have in which each was added by the one before, the first by a person.
pub const DEPTH_MAX: usize = 3;

/// What agents can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskCommand {
    /// A question for a person, from a working attempt. Put again, it is the same question.
    Put {
        /// Who asks.
        attempt: AttemptId,
        /// What.
        text: String,
        /// Answers to choose from; any other may be given too.
        options: Vec<String>,
    },
    /// The agent says that it is done, and what it did. The branch and the gates still decide.
    Done {
        /// Whose.
        attempt: AttemptId,
        /// In its own words.
        summary: String,
    },
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
pub enum AskFact {
    /// A question waits for a person.
    #[strum(serialize = "question_put")]
    Put {
        /// Its number, over all tasks.
        question: u64,
        /// Who asks.
        attempt: AttemptId,
        /// What.
        text: String,
        /// Answers to choose from.
        options: Vec<String>,
    },
    /// A person has answered.
    #[strum(serialize = "question_answered")]
    Answered {
        /// The question.
        question: u64,
        /// Who asked.
        attempt: AttemptId,
        /// The answer, as the agent gets it.
        answer: String,
    },
    /// Nobody waits for the answer any more.
    #[strum(serialize = "question_dropped")]
    Dropped {
        /// The question.
        question: u64,
        /// Who asked.
        attempt: AttemptId,
    },
    /// An agent has said that it is done.
    #[strum(serialize = "reported_done")]
    Done {
        /// Whose.
        attempt: AttemptId,
        /// In its own words.
        summary: String,
    },
}

/// A question as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Its number, over all tasks.
    pub no: u64,
    /// Who asked.
    pub attempt: AttemptId,
    /// What.
    pub text: String,
    /// Answers to choose from.
    pub options: Vec<String>,
    /// How far it is.
    pub state: QuestionState,
}

/// How far a question is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionState {
    /// It waits for a person.
    Open,
    /// It was answered with this.
    Answered(String),
    /// Its attempt ended before somebody answered.
    Dropped,
}

impl Question {
    /// Whether it waits for a person.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, QuestionState::Open)
    }

    /// As a person reads it: the text, and what there is to choose from.
    #[must_use]
    pub fn shown(&self) -> Shown {
        shown(&self.text, &self.options, 0)
    }
}

/// The text with its choices, and how many more questions wait behind it.
fn shown(text: &str, options: &[String], more: usize) -> Shown {
    let mut words = text.to_owned();
    if !options.is_empty() {
        let list: Vec<String> =
            options.iter().enumerate().map(|(n, option)| format!("{}: {option}", n + 1)).collect();
        words = format!("{words} ({})", list.join("; "));
    }
    if more > 0 {
        words = format!("{words} [{more} more to answer]");
    }
    Shown::line(&words)
}

impl AskFact {
    /// The ledger's word for the variant, which scripts filter by: never changed.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.into()
    }

    /// The attempt that it is about.
    #[must_use]
    pub const fn attempt(&self) -> AttemptId {
        match self {
            Self::Put { attempt, .. }
            | Self::Answered { attempt, .. }
            | Self::Dropped { attempt, .. }
            | Self::Done { attempt, .. } => *attempt,
        }
    }

    /// The task that it is about.
    #[must_use]
    pub const fn task(&self) -> Option<TaskId> {
        Some(self.attempt().task)
    }

    /// For people.
    #[must_use]
    pub fn describe(&self) -> Shown {
        Shown::line(&match self {
            Self::Put { question, text, options, .. } => {
                format!("asks (q{question}): {}", shown(text, options, 0))
            }
            Self::Answered { question, answer, .. } => format!("answered {answer:?} to q{question}"),
            Self::Dropped { question, .. } => format!("q{question} is dropped: its attempt is over"),
            Self::Done { summary, .. } => format!("reports that it is done: {summary}"),
        })
    }
}

/// Its part of the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    last: u64,
    all: BTreeMap<u64, Question>,
    done: BTreeMap<AttemptId, Vec<String>>,
}

impl Asks {
    /// The question of this number.
    #[must_use]
    pub fn get(&self, no: u64) -> Option<&Question> {
        self.all.get(&no)
    }

    /// The question that an attempt put with this text, unless it was dropped.
    #[must_use]
    pub fn find(&self, attempt: AttemptId, text: &str) -> Option<&Question> {
        let text = text.trim();
        self.of(attempt).find(|question| question.text == text && question.state != QuestionState::Dropped)
    }

    /// What an attempt has reported, oldest first.
    #[must_use]
    pub fn reports(&self, attempt: AttemptId) -> &[String] {
        self.done.get(&attempt).map_or(&[], Vec::as_slice)
    }

    /// The oldest open question of an attempt, as a board shows it.
    pub(in crate::core) fn asked(&self, attempt: AttemptId) -> Option<Ask> {
        let first = self.open_of(attempt).next()?;
        let more = self.open_of(attempt).count() - 1;
        Some(Ask { kind: AskKind::Question, text: shown(&first.text, &first.options, more) })
    }

    fn of(&self, attempt: AttemptId) -> impl Iterator<Item = &Question> {
        self.all.values().filter(move |question| question.attempt == attempt)
    }

    fn open_of(&self, attempt: AttemptId) -> impl Iterator<Item = &Question> {
        self.of(attempt).filter(|question| question.is_open())
    }

    /// Takes in a fact. Total.
    pub(in crate::core) fn apply(&mut self, _at: Time, fact: &AskFact) {
        match fact {
            AskFact::Put { question, attempt, text, options } => {
                self.last = self.last.max(*question);
                let (text, options) = (text.clone(), options.clone());
                let asked =
                    Question { no: *question, attempt: *attempt, text, options, state: QuestionState::Open };
                self.all.insert(*question, asked);
            }
            AskFact::Answered { question, answer, .. } => {
                self.set(*question, QuestionState::Answered(answer.clone()));
            }
            AskFact::Dropped { question, .. } => self.set(*question, QuestionState::Dropped),
            AskFact::Done { attempt, summary } => {
                self.done.entry(*attempt).or_default().push(summary.clone());
            }
        }
    }

    fn set(&mut self, no: u64, state: QuestionState) {
        if let Some(question) = self.all.get_mut(&no) {
            question.state = state;
        }
    }

    /// Lets go of a task's.
    pub(in crate::core) fn forget(&mut self, task: TaskId) {
        self.all.retain(|_, question| question.attempt.task != task);
        self.done.retain(|attempt, _| attempt.task != task);
    }
}

/// Carries out a command.
pub(in crate::core) fn command(turn: &mut Turn<'_>, command: AskCommand) -> Result<(), Refused> {
    match command {
        AskCommand::Put { attempt, text, options } => put(turn, attempt, text.trim(), options),
        AskCommand::Done { attempt, summary } => done(turn, attempt, summary.trim()),
    }
}

fn put(turn: &mut Turn<'_>, attempt: AttemptId, text: &str, options: Vec<String>) -> Result<(), Refused> {
    let bad = |what: String, remedy: &str| Err(Refused::new(RefusedKind::BadInput, what, remedy));
    if text.is_empty() {
        return bad("the question is empty".to_owned(), "say what you want to know");
    }
    if text.len() > TEXT_MAX {
        return bad(format!("the question is longer than {TEXT_MAX} bytes"), "ask in fewer words");
    }
    if options.len() > OPTIONS_MAX {
        return bad(format!("there are more than {OPTIONS_MAX} options"), "give fewer");
    }
    if options.iter().any(|option| option.trim().is_empty() || option.len() > OPTION_MAX) {
        return bad(format!("an option is empty or longer than {OPTION_MAX} bytes"), "give a few words each");
    }
    // What a person answers, they have read whole.
    if shown(text, &options, OPEN_MAX).as_str().chars().count() > Shown::MAX {
        return bad(
            format!("the question and its options do not fit into {} characters as shown", Shown::MAX),
            "ask in fewer words",
        );
    }
    let is_known = turn.state.asks.find(attempt, text).is_some();
    live(turn.state, attempt, "asked a question")?;
    if is_known {
        return Ok(());
    }
    let asks = &turn.state.asks;
    if asks.open_of(attempt).count() >= OPEN_MAX {
        return Err(Refused::new(
            RefusedKind::NotNow,
            format!("{OPEN_MAX} questions of {attempt} wait for an answer already"),
            "wait for the answers",
        ));
    }
    if asks.of(attempt).count() >= ASKED_MAX {
        return Err(Refused::new(
            RefusedKind::NotNow,
            format!("{attempt} has asked {ASKED_MAX} questions already"),
            "decide by yourself from here on",
        ));
    }
    let (question, text) = (asks.last + 1, text.to_owned());
    let notice = shown(&text, &options, 0);
    turn.fact(Fact::Ask(AskFact::Put { question, attempt, text, options }));
    turn.notice(attempt.task, NoticeKind::NeedsYou, notice.as_str());
    Ok(())
}

fn done(turn: &mut Turn<'_>, attempt: AttemptId, summary: &str) -> Result<(), Refused> {
    let bad = |what: String, remedy: &str| Err(Refused::new(RefusedKind::BadInput, what, remedy));
    if summary.is_empty() {
        return bad("the summary is empty".to_owned(), "say what was done");
    }
    if summary.len() > TEXT_MAX {
        return bad(format!("the summary is longer than {TEXT_MAX} bytes"), "use fewer words");
    }
    live(turn.state, attempt, "reported as done")?;
    let reports = turn.state.asks.reports(attempt);
    if reports.last().is_some_and(|last| last == summary) {
        return Ok(());
    }
    if reports.len() >= REPORTS_MAX {
        return Err(Refused::new(
            RefusedKind::NotNow,
            format!("{attempt} has reported {REPORTS_MAX} times already"),
            "end your work",
        ));
    }
    turn.fact(Fact::Ask(AskFact::Done { attempt, summary: summary.to_owned() }));
    Ok(())
}

/// A person answers the oldest open question of a task's newest attempt; none if there is none.
pub(in crate::core) fn answer(
    turn: &mut Turn<'_>,
    task: TaskId,
    answer: &Answer,
) -> Option<Result<(), Refused>> {
    let attempt = turn.state.tasks.get(&task)?.attempt()?.id;
    let question = turn.state.asks.open_of(attempt).next()?.clone();
    let answer = match answer {
        Answer::Text(text) if text.trim().is_empty() => {
            return Some(Err(Refused::new(
                RefusedKind::BadInput,
                "an empty answer says nothing",
                "give a text",
            )));
        }
        Answer::Text(text) if text.len() > ANSWER_MAX => {
            let what = format!("the answer is longer than {ANSWER_MAX} bytes");
            return Some(Err(Refused::new(RefusedKind::BadInput, what, "answer in fewer words")));
        }
        Answer::Text(text) => chosen(text.trim(), &question.options).to_owned(),
        Answer::Accept => question.options.first().map_or("yes", String::as_str).to_owned(),
        Answer::Decline => "no".to_owned(),
    };
    turn.fact(Fact::Ask(AskFact::Answered { question: question.no, attempt, answer }));
    super::question::goes_on(turn, task);
    Some(Ok(()))
}

/// The option of that number, else the text itself.
fn chosen<'a>(text: &'a str, options: &'a [String]) -> &'a str {
    let at = text.parse::<usize>().ok().and_then(|no| no.checked_sub(1));
    at.and_then(|at| options.get(at)).map_or(text, String::as_str)
}

/// Whether an attempt may have this task launched.
pub(in crate::core) fn may_add(state: &State, by: AttemptId, launch: &Launch) -> Result<(), Refused> {
    live(state, by, "given more tasks")?;
    let of = |task: TaskId| state.tasks.get(&task).map(|task| &task.launch);
    if of(by.task).is_none_or(|own| own.repo != launch.repo) {
        return Err(Refused::new(
            RefusedKind::BadInput,
            format!("{by} works in another repo"),
            "an agent adds tasks to its own repo alone",
        ));
    }
    let added = state.tasks.values().filter(|task| task.launch.by.is_some_and(|other| other.task == by.task));
    if added.count() >= ADDED_MAX {
        return Err(Refused::new(
            RefusedKind::NotNow,
            format!("agents of {} have added {ADDED_MAX} tasks already", by.task),
            "do the rest yourself, or ask a human to launch it",
        ));
    }
    let line = std::iter::successors(Some(by.task), |task| of(*task)?.by.map(|by| by.task));
    if line.take(DEPTH_MAX).count() >= DEPTH_MAX {
        return Err(Refused::new(
            RefusedKind::NotNow,
            format!("{} was added by an agent of a task that was added itself, and so on", by.task),
            "do it yourself, or ask a human to launch it",
        ));
    }
    Ok(())
}

/// Drops what nobody waits for any more.
pub(in crate::core) fn settle(turn: &mut Turn<'_>) {
    let open = turn.state.asks.all.values().filter(|question| question.is_open());
    let over: Vec<(u64, AttemptId)> = open
        .filter(|question| !is_live(turn.state, question.attempt))
        .map(|question| (question.no, question.attempt))
        .collect();
    for (question, attempt) in over {
        turn.fact(Fact::Ask(AskFact::Dropped { question, attempt }));
    }
}

/// Whether the attempt's agent works.
fn is_live(state: &State, id: AttemptId) -> bool {
    let Some(task) = state.tasks.get(&id.task).filter(|task| task.stage == Stage::Trying) else {
        return false;
    };
    let newest = task.attempt().is_some_and(|a| a.id == id && a.read.is_none());
    newest && state.live_agent(task).is_some_and(|job| job.ending.is_none())
}

fn live(state: &State, id: AttemptId, what: &str) -> Result<(), Refused> {
    if !state.tasks.contains_key(&id.task) {
        return Err(Refused::new(
            RefusedKind::NotFound,
            format!("there is no task {}", id.task),
            "nopeek ls shows all tasks",
        ));
    }
    if is_live(state, id) {
        return Ok(());
    }
    Err(Refused::new(
        RefusedKind::NotNow,
        format!("attempt {id} can't be {what}: its agent does not work"),
        "",
    ))
}

#[cfg(test)]
#[path = "ask_tests.rs"]
mod tests;
