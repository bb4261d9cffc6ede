//! When a notice would be said once too often.
//!
//! Promises: a notice is given by the step that decides what it is about, after that is in the ledger, and never
//! again: a replay gives none. What an agent says over and over (a prompt that flickers) is said once.

use crate::core::model::notice::{Notice, NoticeKind};
use crate::values::ids::TaskId;
use crate::values::text::Shown;
use crate::values::time::{Span, Time};
use std::collections::BTreeMap;

/// The same words of the same task are said again only once they were not heard for so long.
const AGAIN: Span = Span::secs(10);

/// What was said lately. Measured, never stored: after a restart only what is new is decided, and so said.
#[derive(Clone, Debug, Default)]
pub(in crate::core) struct RecentNotices(BTreeMap<Option<TaskId>, Vec<(NoticeKind, Shown, Time)>>);

impl RecentNotices {
    /// Whether this is to be said now; from then on it was said.
    pub(in crate::core) fn is_news(&mut self, now: Time, notice: &Notice) -> bool {
        let said = self.0.entry(notice.task).or_default();
        said.retain(|(.., at)| now.since(*at) < AGAIN);
        let before = said.len();
        said.retain(|(kind, text, _)| (*kind, text) != (notice.kind, &notice.text));
        let news = said.len() == before;
        said.push((notice.kind, notice.text.clone(), now));
        news
    }

    /// A human has answered: what the task says next is news, whatever its words.
    pub(in crate::core) fn forget(&mut self, task: TaskId) {
        self.0.remove(&Some(task));
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
        let mut recent = RecentNotices::default();
        assert!(recent.is_news(Time(0), &notice("may I?")));
        for second in 1..60 {
            assert!(!recent.is_news(Time(second * 5_000), &notice("may I?")), "{second}");
        }
        assert!(recent.is_news(Time(300_000), &notice("and now?")));
        recent.forget(TaskId(1));
        assert!(recent.is_news(Time(300_001), &notice("and now?")));
        assert!(recent.is_news(Time(310_001), &notice("and now?")));
        let red = Notice { kind: NoticeKind::Red, ..notice("and now?") };
        assert!(recent.is_news(Time(310_001), &red));
    }

    #[test]
    fn what_was_said_long_ago_is_forgotten() {
        let mut recent = RecentNotices::default();
        for n in 0..1_000 {
            assert!(recent.is_news(Time(n * 1_000), &notice(&n.to_string())));
        }
        assert!(recent.0[&Some(TaskId(1))].len() <= 10);
    }

    #[test]
    fn keys_are_the_names_in_json() {
        for kind in NoticeKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.key());
        }
    }
}
