//! What the daemon told us, what the person is doing, and what keys make of it.

use crate::core::attempt::Start;
use crate::core::event::DiffStat;
use crate::core::event::{Answer, Command};
use crate::core::ids::TaskId;
use crate::core::view::{Board, TaskState, TaskView};
use crate::wire::client::{Refusal, Reply, Request};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::path::PathBuf;

/// Most characters of a typed line.
const LINE_MAX: usize = 2_000;

/// What the loop is asked to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cmd {
    /// Ask the daemon.
    Ask(Request),
    /// Give the terminal back and end.
    Leave,
}

/// What a typed line or a yes is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    Answer,
    SendBack,
    PeekReason,
    Stop,
    Reject,
    Rollback,
    Retry,
}

impl Asking {
    /// The words before the line.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Answer => "answer (empty: accept)",
            Self::SendBack => "what is to be changed",
            Self::PeekReason => "why must you look now? it is recorded",
            Self::Stop => "stop it for sure? y to stop",
            Self::Reject => "reject it? y to reject",
            Self::Rollback => "revert it on the target? y to revert",
            Self::Retry => "a note for the fresh attempt (may be empty)",
        }
    }

    const fn is_yes_no(self) -> bool {
        matches!(self, Self::Stop | Self::Reject | Self::Rollback)
    }
}

/// An open line at the bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) asking: Asking,
    pub(super) task: TaskId,
    pub(super) text: String,
}

/// The state of the board's client.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) repo: Option<PathBuf>,
    pub(super) board: Board,
    pub(super) selected: Option<TaskId>,
    pub(super) line: Option<Line>,
    pub(super) help: bool,
    pub(super) toast: Option<String>,
}

impl Model {
    pub(super) fn new(repo: Option<PathBuf>) -> Self {
        Self { repo, ..Self::default() }
    }

    /// The tasks as they are listed: who needs a human first, then what runs, then what waits, then what ended.
    pub(super) fn rows(&self) -> Vec<&TaskView> {
        let mut rows: Vec<&TaskView> = self
            .board
            .tasks
            .iter()
            .filter(|task| self.repo.as_ref().is_none_or(|repo| task.repo == *repo))
            .collect();
        rows.sort_by_key(|task| (rank(task), task.id));
        rows
    }

    pub(super) fn current(&self) -> Option<&TaskView> {
        self.board.tasks.iter().find(|task| Some(task.id) == self.selected)
    }

    /// Whether something on the screen moves with the time.
    pub(super) fn has_clocks(&self) -> bool {
        self.board
            .tasks
            .iter()
            .any(|task| matches!(task.state, TaskState::Working | TaskState::Asking) && !task.paused)
    }

    pub(super) fn set_board(&mut self, board: Board) {
        self.board = board;
        let rows: Vec<TaskId> = self.rows().iter().map(|task| task.id).collect();
        if self.selected.is_none_or(|id| !rows.contains(&id)) {
            self.selected = rows.first().copied();
        }
    }

    pub(super) fn answered(&mut self, result: Result<Reply, Refusal>) {
        match result {
            Ok(Reply::Board(board)) => self.set_board(*board),
            Ok(_) => self.toast = None,
            Err(refusal) if refusal.remedy.is_empty() => self.toast = Some(refusal.what),
            Err(refusal) => self.toast = Some(format!("{}: {}", refusal.what, refusal.remedy)),
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        for c in text.chars() {
            self.push(if c == '\n' { ' ' } else { c });
        }
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> Vec<Cmd> {
        self.toast = None;
        if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
            return vec![Cmd::Leave];
        }
        if self.line.is_some() {
            return self.line_key(key);
        }
        if std::mem::take(&mut self.help) {
            return Vec::new();
        }
        self.board_key(key.code)
    }

    fn board_key(&mut self, code: KeyCode) -> Vec<Cmd> {
        match code {
            KeyCode::Char('q') => return vec![Cmd::Leave],
            KeyCode::Char('?') => self.help = true,
            KeyCode::Char('j') | KeyCode::Down => self.walk(1),
            KeyCode::Char('k') | KeyCode::Up => self.walk(-1),
            _ => {
                if let Some(task) = self.current().cloned() {
                    return self.task_key(code, &task);
                }
            }
        }
        Vec::new()
    }

    fn task_key(&mut self, code: KeyCode, task: &TaskView) -> Vec<Cmd> {
        let id = task.id;
        let send = |command| vec![Cmd::Ask(Request::Command(command))];
        match code {
            KeyCode::Char(' ') if task.paused => return send(Command::Resume(id)),
            KeyCode::Char(' ') => return send(Command::Pause(id)),
            KeyCode::Char('u') => return send(Command::Resume(id)),
            KeyCode::Char('A') => {
                if let Some(head) = task.attempt().and_then(|attempt| attempt.head.clone()) {
                    return send(Command::Approve { task: id, head });
                }
                self.toast = Some("nothing to approve yet".to_owned());
            }
            KeyCode::Char('l') => return send(Command::Land(id)),
            KeyCode::Char('c') => return send(Command::Cover(id)),
            KeyCode::Char('+') => return send(Command::Reorder { task: id, place: 0 }),
            KeyCode::Char('f') => return send(Command::Forget(id)),
            KeyCode::Enter => self.ask(Asking::Answer, id),
            KeyCode::Char('b') => self.ask(Asking::SendBack, id),
            KeyCode::Char('r') => self.ask(Asking::Retry, id),
            KeyCode::Char('P') => self.ask(Asking::PeekReason, id),
            KeyCode::Char('x') => self.ask(Asking::Stop, id),
            KeyCode::Char('J') => self.ask(Asking::Reject, id),
            KeyCode::Char('R') => self.ask(Asking::Rollback, id),
            _ => {}
        }
        Vec::new()
    }

    fn ask(&mut self, asking: Asking, task: TaskId) {
        self.line = Some(Line { asking, task, text: String::new() });
    }

    fn push(&mut self, c: char) {
        if let Some(line) = self.line.as_mut().filter(|line| line.text.chars().count() < LINE_MAX)
            && !c.is_control()
        {
            line.text.push(c);
        }
    }

    fn line_key(&mut self, key: KeyEvent) -> Vec<Cmd> {
        let Some(line) = &mut self.line else { return Vec::new() };
        if line.asking.is_yes_no() {
            let (asking, task) = (line.asking, line.task);
            self.line = None;
            let yes = key.code == KeyCode::Char('y');
            return if yes {
                vec![Cmd::Ask(Request::Command(decided(asking, task, "")))]
            } else {
                Vec::new()
            };
        }
        match key.code {
            KeyCode::Esc => self.line = None,
            KeyCode::Backspace => {
                line.text.pop();
            }
            KeyCode::Enter => {
                let command = decided(line.asking, line.task, line.text.trim());
                self.line = None;
                return vec![Cmd::Ask(Request::Command(command))];
            }
            KeyCode::Char(c) => self.push(c),
            _ => {}
        }
        Vec::new()
    }

    fn walk(&mut self, by: isize) {
        let rows: Vec<TaskId> = self.rows().iter().map(|task| task.id).collect();
        let at = rows.iter().position(|id| Some(*id) == self.selected).unwrap_or(0);
        let to = at.saturating_add_signed(by).min(rows.len().saturating_sub(1));
        self.selected = rows.get(to).copied();
    }
}

/// The command that a finished line stands for.
fn decided(asking: Asking, task: TaskId, text: &str) -> Command {
    let text = text.to_owned();
    match asking {
        Asking::Answer if text.is_empty() => Command::Answer { task, answer: Answer::Accept },
        Asking::Answer => Command::Answer { task, answer: Answer::Text(text) },
        Asking::SendBack => Command::SendBack { task, message: text },
        Asking::PeekReason => Command::Peek { task, reason: text },
        Asking::Stop => Command::Stop(task),
        Asking::Reject => Command::Reject { task, reason: text },
        Asking::Rollback => Command::Rollback(task),
        Asking::Retry => Command::Retry { task, start: Start::Target, note: text },
    }
}

fn rank(task: &TaskView) -> u8 {
    match task.state {
        _ if task.needs_you => 0,
        TaskState::Working | TaskState::Asking | TaskState::Gating | TaskState::Preparing => 1,
        TaskState::Merging | TaskState::RollingBack => 2,
        TaskState::Queued => 3,
        TaskState::Review | TaskState::Stuck | TaskState::Interrupted => 0,
        TaskState::Landed | TaskState::RolledBack | TaskState::Stopped | TaskState::Rejected => 4,
    }
}

/// A diff's size in a few characters.
pub(super) fn size(stat: DiffStat) -> String {
    if stat.files == 0 { "-".to_owned() } else { format!("+{} -{}", stat.added, stat.removed) }
}
