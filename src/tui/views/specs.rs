//! Specs on the board: a line each above the tasks, and the chosen one in words. Votes that are about no task too.
//!
//! ```text
//!  SPEC                  STAGE         PHASE LANDED  WHY
//!  ! tea              s1 plan ready                  read the plan and approve tea-plan
//!    kettle           s2 building      1/2   3/6     phase 1: whistle, spout
//! ```

use super::super::hits::Hit;
use super::super::known::{Group, Known};
use super::super::text::{clip, put_right, width, wrap};
use super::super::theme::Role;
use super::{Canvas, board, follow, part};
use crate::core::outer::spec::progress::SpecStage;
use crate::core::views::spec::SpecLine;
use crate::values::text::Shown;
use crate::values::words::plural::verb;
use ratatui::layout::Rect;
use std::cell::Cell;

/// Lines that they take above `high` lines of tasks: a title, some of them, a blank; none where there are none.
pub(in crate::tui) fn height(known: &Known, high: u16) -> u16 {
    let lines = known.specs().len() + known.votes().count();
    if lines == 0 {
        return 0;
    }
    let most = (high / 3).max(2);
    u16::try_from(lines).unwrap_or(most).min(most) + 2
}

/// Draws them; `state` is where the board's second column begins.
pub(in crate::tui) fn render(first: &Cell<usize>, state: u16, area: Rect, on: &mut Canvas<'_>) {
    let known = on.known;
    let (phase, landed, why) = (state + 14, state + 20, state + 28);
    for (x, title) in [(1, "SPEC"), (state, "STAGE"), (phase, "PHASE"), (landed, "LANDED"), (why, "WHY")] {
        on.put(area, x, 0, title, Role::Title);
    }
    let specs = known.specs();
    let count = specs.len() + known.votes().count();
    let room = usize::from(area.height.saturating_sub(2));
    let at = specs.iter().position(|spec| Some(spec.id) == known.spec).unwrap_or(0);
    first.set(follow(first.get(), at, room, count));
    let below = count.saturating_sub(first.get() + room);
    for (spec, y) in specs.iter().skip(first.get()).zip(1..) {
        if y > room {
            break;
        }
        let y = u16::try_from(y).unwrap_or(u16::MAX);
        let row = part(area, 0, y, area.width, 1);
        on.hits.add(row, Hit::Spec(spec.id));
        let wanted: Vec<&str> = known
            .rows()
            .iter()
            .filter(|task| task.needs_you && spec.has(task.id))
            .map(|task| task.name.as_str())
            .collect();
        if spec.needs_you || !wanted.is_empty() {
            on.put(row, 1, 0, "!", Role::NeedsYou);
        }
        let over = spec.stage == SpecStage::Stopped;
        named(&spec.name, &spec.id.to_string(), if over { Role::Over } else { Role::Text }, row, state, on);
        let (word, role) = stage(spec);
        on.put(row, state, 0, word, role);
        if spec.phase.1 > 0 {
            on.put(row, phase, 0, &clip(&format!("{}/{}", spec.phase.0, spec.phase.1), 5), Role::Dim);
        }
        if spec.planned > 0 {
            on.put(row, landed, 0, &clip(&format!("{}/{}", spec.landed, spec.planned), 7), Role::Text);
        }
        let words = if spec.needs_you || wanted.is_empty() {
            spec.why.to_string()
        } else {
            format!("{} you: {}", verb(wanted.len(), "needs", "need"), wanted.join(", "))
        };
        on.put(row, why, 0, &clip(&words, area.width.saturating_sub(why + 1)), Role::Dim);
        if Some(spec.id) == known.spec {
            on.buf.set_style(row, on.style(Role::Selected));
        }
    }
    let skipped = first.get().saturating_sub(specs.len());
    let used = specs.len().saturating_sub(first.get());
    for (vote, y) in known.votes().skip(skipped).zip(used + 1..=room) {
        let row = part(area, 0, u16::try_from(y).unwrap_or(u16::MAX), area.width, 1);
        on.put(row, 1, 0, "!", Role::NeedsYou);
        on.put(row, 3, 0, &format!("vote {}", vote.id), Role::Text);
        on.put(row, state, 0, "asks you", Role::NeedsYou);
        on.put(row, phase, 0, &clip(vote.text.as_str(), area.width.saturating_sub(phase + 1)), Role::Dim);
    }
    if below > 0 {
        on.put_right(area, 0, area.height - 1, &format!(" ↓{below} "), Role::Dim);
    }
}

/// A name with a mark at the end of its column, which ends before `end`.
pub(in crate::tui) fn named(name: &str, mark: &str, role: Role, row: Rect, end: u16, on: &mut Canvas<'_>) {
    let column = part(row, 3, 0, end.saturating_sub(4), 1);
    let room = column.width.saturating_sub(if mark.is_empty() { 0 } else { width(mark) + 1 });
    on.put(column, 0, 0, &clip(Shown::line(name).as_str(), room), role);
    let style = on.style(Role::Dim);
    put_right(on.buf, column, 0, 0, mark, style);
}

/// A spec's stage in a word, and its look.
pub(in crate::tui) const fn stage(spec: &SpecLine) -> (&'static str, Role) {
    let role = match spec.stage {
        SpecStage::SpecReady | SpecStage::PlanReady | SpecStage::Stuck => Role::NeedsYou,
        SpecStage::Drafting | SpecStage::Planning | SpecStage::Building => Role::Running,
        SpecStage::Soaking => Role::Waiting,
        SpecStage::Stopped => Role::Over,
        SpecStage::Done => Role::Good,
    };
    (spec.stage.label(), role)
}

/// The chosen spec in words.
pub(in crate::tui) fn detail(spec: &SpecLine, area: Rect, on: &mut Canvas<'_>) {
    let (word, role) = stage(spec);
    let name = Shown::line(&spec.name);
    let x = on.put(area, 0, 0, &clip(name.as_str(), area.width / 2), Role::Strong) + 2;
    let x = on.put(area, x, 0, word, role) + 2;
    on.put(area, x, 0, &format!("spec {}", spec.id), Role::Dim);
    let mut y = 1;
    for line in wrap(spec.why.as_str(), area.width).iter().take(3) {
        on.put(area, 0, y, line, if spec.needs_you { Role::NeedsYou } else { Role::Text });
        y += 1;
    }
    if spec.planned > 0 {
        let words = format!(
            "phase {} of {} · {} of {} landed",
            spec.phase.0, spec.phase.1, spec.landed, spec.planned
        );
        on.put(area, 0, y, &clip(&words, area.width), Role::Dim);
        y += 1;
    }
    let rows = on.known.rows();
    let own = rows.iter().filter(|task| spec.has(task.id) && Group::of(task) != Group::Ended);
    for (task, y) in own.zip(y..area.height) {
        let mark = if task.needs_you { "! " } else { "  " };
        let (word, role) = board::state(task);
        let x = on.put(area, 0, y, mark, Role::NeedsYou);
        let x = on.put(area, x, y, &clip(&task.name, area.width / 2), Role::Text) + 2;
        on.put(area, x, y, &word, role);
    }
}
