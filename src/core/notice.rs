//! A notice: what a human should hear of at once, of which kind, and when it would be said once too often.
//!
//! Promises: a notice is given by the step that decides what it is about, after that is in the ledger, and never
//! again: a replay gives none. What an agent says over and over (a prompt that flickers) is said once.

use super::ids::TaskId;
use super::state::{Stage, Task};
use super::text::Shown;
use super::time::{Span, Time};
use super::turn::Turn;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The same words of the same task are said again only once they were not heard for so long.
const AGAIN: Span = Span::secs(10);

/// Something that a human should hear of at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The task that it is about; none: a batch, a spec, a day's budget.
    pub task: Option<TaskId>,
    /// Why one should look.
    pub kind: NoticeKind,
    /// One line.
    pub text: Shown,
}

impl Notice {
    /// Whether a human must act before this goes on.
    #[must_use]
    pub const fn needs_you(&self) -> bool {
        self.kind.needs_you()
    }
}

/// Why one should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A human must act: a question, a review, something is stuck or was interrupted.
    NeedsYou,
    /// Something is done: it has landed, or was rolled back.
    Done,
    /// An attempt or a merge is red; a fresh attempt follows by itself.
    Red,
    /// A budget is used up, or nearly.
    OverBudget,
}

impl NoticeKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::NeedsYou, Self::Done, Self::Red, Self::OverBudget];

    /// As config, JSON and scripts name it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::NeedsYou => "needs_you",
            Self::Done => "done",
            Self::Red => "red",
            Self::OverBudget => "over_budget",
        }
    }

    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NeedsYou => "needs you",
            Self::Done => "done",
            Self::Red => "red",
            Self::OverBudget => "over budget",
        }
    }

    /// Whether a human must act.
    #[must_use]
    pub const fn needs_you(self) -> bool {
        match self {
            Self::NeedsYou => true,
            Self::Done | Self::Red | Self::OverBudget => false,
        }
    }
}

/// What was said lately. Measured, never stored: after a restart only what is new is decided, and so said.
#[derive(Clone, Debug, Default)]
pub(in crate::core) struct Told(BTreeMap<Option<TaskId>, Vec<(NoticeKind, Shown, Time)>>);

impl Told {
    /// Whether this is to be said now; from then on it was said.
    fn is_news(&mut self, now: Time, notice: &Notice) -> bool {
        let said = self.0.entry(notice.task).or_default();
        said.retain(|(.., at)| now.since(*at) < AGAIN);
        let before = said.len();
        said.retain(|(kind, text, _)| (*kind, text) != (notice.kind, &notice.text));
        let news = said.len() == before;
        said.push((notice.kind, notice.text.clone(), now));
        news
    }

    /// A human has answered: what the task says next is news, whatever its words.
    pub(in crate::core) fn heard_out(&mut self, task: TaskId) {
        self.0.remove(&Some(task));
    }
}

impl Turn<'_> {
    /// Tells humans something.
    pub(in crate::core) fn notice(
        &mut self,
        task: impl Into<Option<TaskId>>,
        kind: NoticeKind,
        text: impl AsRef<str>,
    ) {
        let notice = Notice { task: task.into(), kind, text: Shown::line(text.as_ref()) };
        if self.told.is_news(self.now, &notice) {
            self.notices.push(notice);
        }
    }

    /// Tells that an attempt did not come out well, if a fresh one follows; if none does, the task is stuck and has
    /// said so.
    pub(in crate::core) fn notice_red(&mut self, task: TaskId, what: &str) {
        let follows = |task: &Task| matches!(task.stage, Stage::Queued { .. }) && task.attempt().is_some();
        if self.state.tasks.get(&task).is_some_and(follows) {
            self.notice(task, NoticeKind::Red, format!("{what}; a fresh attempt follows"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(text: &str) -> Notice {
        Notice { task: Some(TaskId(1)), kind: NoticeKind::NeedsYou, text: text.into() }
    }

    #[test]
    fn what_flickers_is_said_once_and_an_answer_makes_it_news() {
        let mut told = Told::default();
        assert!(told.is_news(Time(0), &notice("may I?")));
        for second in 1..60 {
            assert!(!told.is_news(Time(second * 5_000), &notice("may I?")), "{second}");
        }
        assert!(told.is_news(Time(300_000), &notice("and now?")));
        told.heard_out(TaskId(1));
        assert!(told.is_news(Time(300_001), &notice("and now?")));
        assert!(told.is_news(Time(310_001), &notice("and now?")));
        let red = Notice { kind: NoticeKind::Red, ..notice("and now?") };
        assert!(told.is_news(Time(310_001), &red));
    }

    #[test]
    fn what_was_said_long_ago_is_forgotten() {
        let mut told = Told::default();
        for n in 0..1_000 {
            assert!(told.is_news(Time(n * 1_000), &notice(&n.to_string())));
        }
        assert!(told.0[&Some(TaskId(1))].len() <= 10);
    }

    #[test]
    fn keys_are_the_names_in_json() {
        for kind in NoticeKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.key());
        }
    }
}
