//! What a key can mean: one table from which the keymap, the palette, the help, the hints and docs/keys.md are made.
//!
//! An action belongs to one section; a view is in several sections at once, and a key means at most one action in
//! those. Which keys an action has is the keymap's business alone.

macro_rules! actions {
    ($($section:ident $title:literal { $($action:ident $name:literal $hint:literal $doc:literal)* })*) => {
        /// What a person can do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(super) enum Action { $($(#[doc = $doc] $action,)*)* }

        /// Actions that can be done in the same places; a table of keymap.toml.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(super) enum Section { $(#[doc = $title] $section,)* }

        impl Section {
            /// All of them, as the help lists them.
            pub(super) const ALL: &[Self] = &[$(Self::$section,)*];

            /// What the help says above it.
            pub(super) const fn title(self) -> &'static str {
                match self { $(Self::$section => $title,)* }
            }
        }

        /// Every action, in the order of the help.
        pub(super) const ACTIONS: &[About] = &[$($(About {
            action: Action::$action, section: Section::$section, name: $name, hint: $hint, doc: $doc,
        },)*)*];
    };
}

/// What is known of an action.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    pub(super) action: Action,
    pub(super) section: Section,
    /// Its name in keymap.toml.
    pub(super) name: &'static str,
    /// Its name in the hints.
    pub(super) hint: &'static str,
    /// What it does, in the help and the palette.
    pub(super) doc: &'static str,
}

actions! {
    Everywhere "everywhere" {
        Help "help" "help" "show the keys that work here"
        Palette "palette" "palette" "find an action or a task by its name"
        Back "back" "back" "go back to where you came from"
        Leave "leave" "leave" "close the view; on the board: leave, agents go on"
        Quit "quit" "quit" "leave nopeek at once; agents go on"
        ToBoard "to_board" "board" "show the board"
        ToPanes "to_panes" "panes" "show the screens of all attempts side by side"
        ToLedger "to_ledger" "ledger" "show what was decided, when, and why"
        ToTimeline "to_timeline" "timeline" "show attempts over time, as a chart"
        Suspend "suspend" "suspend" "give the terminal back to the shell until fg"
        Redraw "redraw" "redraw" "redraw the whole screen"
    }
    Moving "moving" {
        Down "down" "move" "one line down, or to the pane below"
        Up "up" "move" "one line up, or to the pane above"
        Right "right" "scroll" "to the right"
        Left "left" "scroll" "to the left"
        PageDown "page_down" "page" "one page down"
        PageUp "page_up" "page" "one page up"
        Top "top" "top" "to the very top"
        Bottom "bottom" "bottom" "to the very bottom, to what is new"
        Next "next" "next" "to the next pane, gate, file or match"
        Previous "previous" "previous" "to the previous pane, gate, file or match"
    }
    Task "task" {
        Open "open" "open" "do the next thing: answer, review, or open the attempt"
        Answer "answer" "answer" "answer the agent's question"
        Review "review" "review" "read the diff"
        Screen "screen" "screen" "open the attempt's screen"
        Gates "gates" "gates" "read what the gates printed"
        Approve "approve" "approve" "approve what is there now: into the merge queue"
        SendBack "send_back" "send back" "send back with a message for a fresh attempt"
        Reject "reject" "reject" "reject: the task ends unmerged"
        Pause "pause" "pause" "pause or resume: the whole process tree and every clock"
        Resume "resume" "resume" "resume an interrupted agent's own session"
        Retry "retry" "retry" "retry with a fresh context"
        Stop "stop" "stop" "stop: kill the agent and all its processes"
        Land "land" "land" "land again after a refusal"
        Rollback "rollback" "roll back" "roll back a landed task"
        Peek "peek" "peek" "make a hidden screen visible; your reason is recorded"
        Cover "cover" "hide" "hide a peeked screen again"
        Forget "archive" "archive" "archive an ended task; its branch and work are kept"
        CopyBranch "copy_branch" "copy branch" "copy the name of the attempt's branch"
    }
    Board "the board" {
        Launch "launch" "launch" "write a task and launch it"
        NewSpec "new_spec" "new spec" "write a goal: it becomes a spec, a plan, landed work"
        Decide "decide" "decide" "decide the oldest vote that the panel leaves to you"
        Sooner "sooner" "start sooner" "one place up in the start queue"
        Later "later" "start later" "one place down in the start queue"
    }
    Spec "a spec" {
        ToTask "to_task" "to the task" "go to the task of the chosen line"
        ApproveSpec "approve_spec" "approve" "approve what waits, the spec or its plan; asks first"
        SendBackSpec "send_back_spec" "send back" "send what waits back with a message"
        EditSpec "edit_spec" "edit" "edit what waits in $VISUAL or $EDITOR; it is rechecked"
        DiffSpec "diff_spec" "diff" "read the diff of what waits"
        StopSpec "stop_spec" "stop" "start no more of its tasks; those that run finish"
        GoOnSpec "go_on_spec" "go on" "continue a stopped spec"
        ForgetSpec "archive_spec" "archive" "archive a spec that is over; its tasks stay"
        ToContract "to_contract" "contract" "to the contract"
        ToLooks "to_review_passes" "review passes" "to the review passes: what was found, and the answers"
        ToPlan "to_plan" "plan" "to the plan"
    }
    Panes "panes" {
        Zoom "zoom" "zoom" "show one pane full size, or all again"
        Wider "wider" "wider" "make the pane wider"
        Narrower "narrower" "narrower" "make the pane narrower"
        Taller "taller" "taller" "make the pane taller"
        Shorter "shorter" "shorter" "make the pane shorter"
        Even "even" "even" "make all panes even again"
    }
    Output "a screen or output" {
        Type "type" "type" "type into the agent: every key goes to it but the leader"
        Search "search" "search" "search the screen and its history for a text"
        FindOlder "find_older" "older" "to the next older match"
        FindNewer "find_newer" "newer" "to the next newer match"
        OlderAttempt "older_attempt" "older attempt" "show the attempt before"
        NewerAttempt "newer_attempt" "newer attempt" "show the attempt after"
        Mark "mark" "mark" "freeze the view and mark lines to copy"
        Copy "copy" "copy" "copy the marked lines, or all that are shown"
    }
    Typing "while typing into an agent" {
        Leader "leader" "stop typing" "stop typing into the agent"
    }
    Review "review" {
        NextFile "next_file" "file" "to the next file"
        PreviousFile "previous_file" "file" "to the previous file"
        FileList "file_list" "files" "show or hide the list of files"
    }
    Ledger "ledger" {
        OnlyTask "only_task" "this task" "show only lines of the selected task, or of all tasks"
        AllEvents "all_events" "all events" "show or hide the engine's own events: effects, jobs"
    }
    Timeline "timeline" {
        ZoomIn "zoom_in" "zoom in" "zoom in: less time across the screen"
        ZoomOut "zoom_out" "zoom out" "zoom out: more time across the screen"
        Fit "fit" "fit" "show all of the time"
    }
    Form "forms and lines" {
        Submit "submit" "done" "done: send it"
        NewLine "new_line" "new line" "begin a new line"
        NextField "next_field" "next field" "to the next field"
        PreviousField "previous_field" "previous field" "to the previous field"
        Accept "accept" "yes" "accept what the agent asks"
        Decline "decline" "no" "decline what the agent asks"
        Cancel "cancel" "cancel" "close without doing it"
    }
    Question "yes or no" {
        Yes "yes" "yes" "yes, do it"
        No "no" "no" "no, leave it"
    }
    Menu "lists to choose from" {
        Choose "choose" "choose" "choose"
        MenuDown "menu_down" "next" "to the next entry"
        MenuUp "menu_up" "previous" "to the previous entry"
        Close "close" "close" "close"
    }
}

impl Action {
    /// What is known of it.
    pub(super) fn about(self) -> &'static About {
        // The table is in the order of the enum: one macro makes both.
        &ACTIONS[self as usize]
    }
}

impl Section {
    /// Its table's name in keymap.toml.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Moving => "moving",
            Self::Task => "task",
            Self::Board => "board",
            Self::Spec => "spec",
            Self::Panes => "panes",
            Self::Output => "output",
            Self::Typing => "typing",
            Self::Review => "review",
            Self::Ledger => "ledger",
            Self::Timeline => "timeline",
            Self::Form => "form",
            Self::Question => "question",
            Self::Menu => "menu",
        }
    }
}

/// The sections that are alive together; in one of these a key has one meaning.
pub(super) const MODES: &[&[Section]] =
    &[BOARD, SPEC, PANES, OUTPUT, TYPING, REVIEW, LEDGER, TIMELINE, FORM, QUESTION, MENU];
pub(super) const BOARD: &[Section] = &[Section::Board, Section::Task, Section::Moving, Section::Everywhere];
pub(super) const SPEC: &[Section] = &[Section::Spec, Section::Moving, Section::Everywhere];
pub(super) const PANES: &[Section] =
    &[Section::Panes, Section::Output, Section::Task, Section::Moving, Section::Everywhere];
pub(super) const OUTPUT: &[Section] = &[Section::Output, Section::Task, Section::Moving, Section::Everywhere];
pub(super) const TYPING: &[Section] = &[Section::Typing];
pub(super) const REVIEW: &[Section] = &[Section::Review, Section::Task, Section::Moving, Section::Everywhere];
pub(super) const LEDGER: &[Section] = &[Section::Ledger, Section::Task, Section::Moving, Section::Everywhere];
pub(super) const TIMELINE: &[Section] =
    &[Section::Timeline, Section::Task, Section::Moving, Section::Everywhere];
pub(super) const FORM: &[Section] = &[Section::Form];
pub(super) const QUESTION: &[Section] = &[Section::Question];
pub(super) const MENU: &[Section] = &[Section::Menu];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_actions() {
        for (n, about) in ACTIONS.iter().enumerate() {
            assert_eq!(about.action as usize, n);
            assert_eq!(about.action.about().name, about.name);
            assert_eq!(ACTIONS.iter().filter(|other| other.name == about.name).count(), 1, "{}", about.name);
        }
    }
}
