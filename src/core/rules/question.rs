//! A question: what an agent says of itself, when it waits for a human, and the answer it gets.

use crate::core::model::agent::{AgentQuestion, AgentState, Observation, QuestionKind, Source};
use crate::core::model::effect::EffectKind;
use crate::core::model::event::Answer;
use crate::core::model::fact::Fact;
use crate::core::model::notice::NoticeKind;
use crate::core::model::refused::{Refused, RefusedKind};
use crate::core::rules::lookup::{asked, get, kind_words, not_now};
use crate::core::rules::step::{Step, goes_on};
use crate::values::ids::{JobId, TaskId};
use crate::values::text::Shown;

/// Takes in what was observed of an agent. A worse source never overrules a better one.
pub(in crate::core) fn observed(step: &mut Step<'_>, id: JobId, what: Observation, read: u64) {
    let Some(job) = step.state.jobs.get(id).filter(|job| job.is_live()) else { return };
    // What an agent has used counts to its end; nothing else that it says does once it is being ended.
    if job.ending().is_some() && !matches!(what, Observation::Usage(_)) {
        return;
    }
    let attempt_id = job.attempt;
    let Some(task) = step.state.tasks.get(&attempt_id.task) else { return };
    let Some(attempt) = task.attempt().filter(|a| a.agent == Some(id)) else { return };
    let now = step.now;
    step.quiet.insert(id, now);
    match what {
        Observation::State { source, state } => {
            let worse = attempt.source.is_some_and(|best| best < source);
            let same = attempt.said.as_ref().is_some_and(|(said, _)| *said == state);
            if worse || same && attempt.source == Some(source) {
                return;
            }
            let state = before_work(state, attempt.worked);
            if let AgentState::Asking(ask) = &state {
                let text =
                    if ask.text.is_empty() { kind_words(ask.kind).to_owned() } else { ask.text.to_string() };
                step.notice(attempt_id.task, NoticeKind::NeedsYou, &text);
            }
            step.fact(Fact::AgentSaid { attempt: attempt_id, source, state, read });
        }
        Observation::Bell => {
            // A bell alone says that a human is wanted, unless something better has spoken.
            if attempt.source.is_none_or(|best| best >= Source::Notification) {
                let ask = AgentQuestion { kind: QuestionKind::Question, text: Shown::default() };
                let state = AgentState::Asking(ask);
                if attempt.said.as_ref().is_none_or(|(said, _)| *said != state) {
                    step.notice(attempt_id.task, NoticeKind::NeedsYou, "the agent rang the bell");
                    let source = Source::Notification;
                    step.fact(Fact::AgentSaid { attempt: attempt_id, source, state, read });
                }
            }
        }
        Observation::Session(session) => {
            if attempt.session.as_ref() != Some(&session) {
                step.fact(Fact::SessionKnown { attempt: attempt_id, session });
            }
        }
        Observation::Usage(usage) => {
            let usage = attempt.usage.and_then(usage);
            if usage != attempt.usage {
                step.fact(Fact::UsageKnown { attempt: attempt_id, usage });
            }
        }
    }
}

/// A permission that is asked for before any work was done is a dialog of the CLI itself: trust, upgrade.
fn before_work(state: AgentState, worked: bool) -> AgentState {
    match state {
        AgentState::Asking(AgentQuestion { kind: QuestionKind::Permission, text })
            if !worked && text.is_empty() =>
        {
            AgentState::Asking(AgentQuestion { kind: QuestionKind::StartUp, text })
        }
        other => other,
    }
}

/// A human answers.
pub(in crate::core) fn answer(step: &mut Step<'_>, id: TaskId, answer: Answer) -> Result<(), Refused> {
    // What was put through nopeek's tools waits there for its answer, not at a terminal.
    if let Some(result) = crate::core::rules::tool_question::answer(step, id, &answer) {
        return result;
    }
    let task = get(step.state, id)?;
    let Some(ask) = asked(task).cloned() else {
        return Err(not_now(task, "answer", "its agent asks nothing"));
    };
    if task.paused {
        return Err(not_now(task, "answer", "resume it first"));
    }
    let (Some(job), Some(attempt)) =
        (step.state.live_agent(task).map(|job| job.id), task.attempt().map(|a| a.id))
    else {
        return Err(not_now(task, "answer", "its agent has ended"));
    };
    let words = match &answer {
        Answer::Text(text) if text.trim().is_empty() => {
            return Err(Refused::new(RefusedKind::BadInput, "an empty answer says nothing", "give a text"));
        }
        Answer::Text(text) => Shown::line(text),
        Answer::Accept => Shown::from("yes"),
        Answer::Decline => Shown::from("no"),
    };
    step.recent.forget(id);
    step.fact(Fact::Answered { attempt, question: ask.text, answer: words });
    goes_on(step, id);
    step.request(id, EffectKind::Type { job, answer });
    Ok(())
}
