//! Rules of questions that agents put through nopeek's tools, and of what they report there.
//!
//! Promises: the same question put again by the same attempt is the same question, so that whoever waits for its
//! answer may be cut off and ask anew; its answer goes to who asked, never into a terminal; it ends with its attempt.
//! Only an attempt whose agent works can ask, report or have tasks added, and each of that has a bound.

use crate::core::model::event::Answer;
use crate::core::model::fact::Fact;
use crate::core::model::notice::NoticeKind;
use crate::core::model::question::{
    ADDED_MAX, ANSWER_MAX, ASKED_MAX, DEPTH_MAX, OPEN_MAX, OPTION_MAX, OPTIONS_MAX, QuestionCommand,
    QuestionFact, REPORTS_MAX, TEXT_MAX, shown,
};
use crate::core::model::refused::{Refused, RefusedKind};
use crate::core::model::state::State;
use crate::core::model::task::{Launch, Stage};
use crate::core::rules::step::Step;
use crate::values::ids::{AttemptId, TaskId};
use crate::values::text::Shown;

/// Carries out a command.
pub(in crate::core) fn command(step: &mut Step<'_>, command: QuestionCommand) -> Result<(), Refused> {
    match command {
        QuestionCommand::Put { attempt, text, options } => put(step, attempt, text.trim(), options),
        QuestionCommand::Done { attempt, summary } => done(step, attempt, summary.trim()),
    }
}

pub(in crate::core) fn put(
    step: &mut Step<'_>,
    attempt: AttemptId,
    text: &str,
    options: Vec<String>,
) -> Result<(), Refused> {
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
    let is_known = step.state.questions.find(attempt, text).is_some();
    live(step.state, attempt, "asked a question")?;
    if is_known {
        return Ok(());
    }
    let asks = &step.state.questions;
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
    step.fact(Fact::Question(QuestionFact::Put { question, attempt, text, options }));
    step.notice(attempt.task, NoticeKind::NeedsYou, notice.as_str());
    Ok(())
}

pub(in crate::core) fn done(step: &mut Step<'_>, attempt: AttemptId, summary: &str) -> Result<(), Refused> {
    let bad = |what: String, remedy: &str| Err(Refused::new(RefusedKind::BadInput, what, remedy));
    if summary.is_empty() {
        return bad("the summary is empty".to_owned(), "say what was done");
    }
    if summary.len() > TEXT_MAX {
        return bad(format!("the summary is longer than {TEXT_MAX} bytes"), "use fewer words");
    }
    live(step.state, attempt, "reported as done")?;
    let reports = step.state.questions.reports(attempt);
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
    step.fact(Fact::Question(QuestionFact::Done { attempt, summary: summary.to_owned() }));
    Ok(())
}

/// A person answers the oldest open question of a task's newest attempt; none if there is none.
pub(in crate::core) fn answer(
    step: &mut Step<'_>,
    task: TaskId,
    answer: &Answer,
) -> Option<Result<(), Refused>> {
    let attempt = step.state.tasks.get(&task)?.attempt()?.id;
    let question = step.state.questions.open_of(attempt).next()?.clone();
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
    step.fact(Fact::Question(QuestionFact::Answered { question: question.no, attempt, answer }));
    crate::core::rules::step::goes_on(step, task);
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
pub(in crate::core) fn settle(step: &mut Step<'_>) {
    let open = step.state.questions.all.values().filter(|question| question.is_open());
    let over: Vec<(u64, AttemptId)> = open
        .filter(|question| !is_live(step.state, question.attempt))
        .map(|question| (question.no, question.attempt))
        .collect();
    for (question, attempt) in over {
        step.fact(Fact::Question(QuestionFact::Dropped { question, attempt }));
    }
}

/// Whether the attempt's agent works.
fn is_live(state: &State, id: AttemptId) -> bool {
    let Some(task) = state.tasks.get(&id.task).filter(|task| task.stage == Stage::Trying) else {
        return false;
    };
    let newest = task.attempt().is_some_and(|a| a.id == id && a.read.is_none());
    newest && state.live_agent(task).is_some_and(|job| job.ending().is_none())
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
#[path = "tool_question_tests.rs"]
mod tests;
