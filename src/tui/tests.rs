//! The whole client, driven by keys, drawn to text: what people see and what keys do.

use super::action::Action;
use super::app::Cmd;
use super::depth::Depth;
use super::frame;
use super::known::Link;
use super::scenes::{SIZES, Scene, board, task};
use super::theme::{Role, Theme};
use crate::core::model::event::{Answer, Command};
use crate::core::model::task::TaskState;
use crate::values::ids::{JobId, Oid, TaskId};
use crate::wire::client::{FromDaemon, Request, ToDaemon};
use crate::wire::input::{self, Input};
use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::style::Modifier;

/// A picture of a scene at both sizes.
pub(super) fn pictures(name: &str, play: impl Fn(&mut Scene)) {
    for size in SIZES {
        let mut scene = Scene::new(size);
        play(&mut scene);
        insta::with_settings!({ prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), scene.text());
        });
    }
}

#[test]
fn pictures_of_the_board() {
    pictures("board", |_| {});
    pictures("board_empty", |scene| {
        let empty = crate::core::views::board::Board { tasks: Vec::new(), ..board() };
        scene.hear(FromDaemon::Board(Box::new(empty)));
    });
}

#[test]
fn pictures_of_panes() {
    pictures("panes", |scene| {
        scene.on(5).press(&["2"]);
    });
    pictures("panes_zoomed_typing", |scene| {
        scene.on(5).press(&["2", "z", "i"]);
    });
}

#[test]
fn pictures_of_a_screen() {
    pictures("screen", |scene| {
        scene.on(5).press(&["s"]);
    });
    pictures("screen_covered", |scene| {
        scene.on(4).press(&["s"]);
    });
    pictures("gates", |scene| {
        scene.on(3).press(&["g"]);
    });
    pictures("search", |scene| {
        scene.on(2).press(&["s", "/"]).write("warming").press(&["enter"]).text();
        scene.press(&["n"]);
    });
    pictures("marking", |scene| {
        scene.on(2).press(&["s", "v", "up", "v", "up", "up"]);
    });
}

#[test]
fn pictures_of_a_review() {
    pictures("review", |scene| {
        scene.on(2).press(&["d"]);
    });
}

#[test]
fn pictures_of_the_ledger() {
    pictures("ledger", |scene| {
        scene.press(&["3", "up"]);
    });
    pictures("ledger_all", |scene| {
        scene.press(&["3", "e"]);
    });
}

/// Ten o'clock: what the scenes' report is made at.
fn at_ten(scene: &mut Scene) {
    scene.hear(FromDaemon::Board(Box::new(crate::core::views::board::Board {
        now: super::scenes::TEN,
        ..board()
    })));
}

#[test]
fn pictures_of_the_timeline() {
    pictures("timeline", |scene| {
        at_ten(scene);
        scene.press(&["4"]);
    });
    pictures("timeline_near", |scene| {
        at_ten(scene);
        scene.press(&["4", "home", "down", "+", "+", "left", "left"]);
    });
}

#[test]
fn a_timeline_without_colour_tells_its_results_apart_and_asks_again_once_what_came_is_old() {
    let mut scene = Scene::themed((80, 24), Theme::ours("dark", Depth::None).unwrap().unwrap());
    at_ten(&mut scene);
    let text = scene.press(&["4"]).text();
    for sign in ["█", "▒", "✗", "●", "◷", "▸", "◆", "◪"] {
        assert!(text.contains(sign), "{sign} is missing:\n{text}");
    }
    let reports =
        |scene: &Scene| scene.asked.iter().filter(|asked| matches!(asked, Request::Report(_))).count();
    assert_eq!(reports(&scene), 1);
    at_ten(&mut scene);
    assert_eq!(reports(&scene), 2, "a changed board is a reason to look again");
    let chosen = scene.press(&["home", "d"]).text();
    assert!(chosen.contains("whistle"), "an action means the chosen row's task:\n{chosen}");
}

#[test]
fn pictures_of_what_lies_over_a_view() {
    pictures("help", |scene| {
        scene.press(&["?"]);
    });
    pictures("palette", |scene| {
        scene.press(&[":"]).write("wh");
    });
    pictures("answer", |scene| {
        scene.on(1).press(&["a"]).write("blue, 日本茶");
    });
    pictures("launch", |scene| {
        scene.press(&["n"]).write("Add a whistle").press(&["tab", "tab"]);
    });
    pictures("launch_wrong", |scene| {
        let time = ["tab"; 6];
        scene
            .press(&["n"])
            .write("Add a whistle")
            .press(&time)
            .write("99999999999999999999d")
            .press(&["enter"]);
    });
    pictures("peek", |scene| {
        scene.on(4).press(&["P", "enter"]);
    });
    pictures("stop", |scene| {
        scene.on(5).press(&["x"]);
    });
}

#[test]
fn a_terminal_that_is_too_small_says_so_and_nothing_breaks() {
    for size in [(20, 5), (1, 1), (79, 24), (80, 23), (0, 0)] {
        for keys in
            [vec![], vec!["2"], vec!["s"], vec!["d"], vec!["3"], vec!["4"], vec!["?"], vec![":"], vec!["n"]]
        {
            let mut scene = Scene::new(size);
            let text = scene.press(&keys).text();
            if size == (20, 5) {
                assert!(text.starts_with("20x5 is too small\nnopeek needs 80x24\n"), "{text}");
            }
        }
    }
}

#[test]
fn every_view_can_be_drawn_at_every_size() {
    for size in [(80, 24), (81, 25), (120, 24), (139, 30), (140, 24), (300, 100)] {
        for keys in [
            vec!["s"],
            vec!["d", "z"],
            vec!["2"],
            vec!["3"],
            vec!["4"],
            vec!["?"],
            vec![":"],
            vec!["n"],
            vec!["b"],
        ] {
            let mut scene = Scene::new(size);
            for id in 1..=9 {
                scene.press(&["esc", "1"]).on(id).press(&keys).text();
            }
        }
    }
}

#[test]
fn the_columns_of_the_board_never_touch() {
    for cols in 80..=220 {
        let mut scene = Scene::new((cols, 24));
        let text = scene.text();
        let title = text.lines().nth(1).unwrap();
        for column in ["STATE ", "ATTEMPT ", "GATES ", "TIME ", "ACTIVE ", "CHANGES ", " SCREEN"] {
            assert!(title.contains(column), "{title}");
        }
        assert!(
            !title.contains("TOKENSS") && (title.contains(" TOKENS ") || !title.contains("TOKEN")),
            "{title}"
        );
    }
}

#[test]
fn without_colour_everything_is_still_told_apart() {
    let theme = Theme::ours("dark", Depth::None).unwrap().unwrap();
    let mut scene = Scene::themed((80, 24), theme);
    let (buf, _) = scene.draw();
    for cell in buf.content() {
        assert_eq!((cell.fg, cell.bg), (ratatui::style::Color::Reset, ratatui::style::Color::Reset));
    }
    let reversed = |y: u16| buf[(5, y)].modifier.contains(Modifier::REVERSED);
    assert_eq!((0..24).filter(|y| reversed(*y)).count(), 1, "the chosen line alone");
}

#[test]
fn only_roles_of_the_theme_are_used_for_our_own_words() {
    let mut scene = Scene::new((80, 24));
    let theme = scene.app.settings.theme.clone();
    let looks: Vec<_> = Role::ALL.iter().map(|role| theme.style(*role)).collect();
    let (buf, _) = scene.draw();
    for cell in buf.content().iter().filter(|cell| cell.symbol() != " ") {
        let known = looks.iter().any(|style| style.fg.unwrap_or_default() == cell.fg);
        assert!(known, "{cell:?}");
    }
}

#[test]
fn keys_become_commands_for_the_chosen_task() {
    let head = Oid::new(&"a".repeat(40)).unwrap();
    let cases: Vec<(u64, &[&str], Command)> = vec![
        (4, &["space"], Command::Resume(TaskId(4))),
        (5, &["space"], Command::Pause(TaskId(5))),
        (2, &["A"], Command::Approve { task: TaskId(2), head: head.clone() }),
        (2, &["d", "A"], Command::Approve { task: TaskId(2), head }),
        (2, &["b", "m", "o", "enter"], Command::SendBack { task: TaskId(2), message: "mo".into() }),
        (2, &["J", "enter"], Command::Reject { task: TaskId(2), reason: String::new() }),
        (1, &["enter", "enter"], Command::Answer { task: TaskId(1), answer: Answer::Accept }),
        (1, &["a", "ctrl-d"], Command::Answer { task: TaskId(1), answer: Answer::Decline }),
        (1, &["a", "b", "enter"], Command::Answer { task: TaskId(1), answer: Answer::Text("b".into()) }),
        (5, &["x", "y"], Command::Stop(TaskId(5))),
        (9, &["R", "y"], Command::Rollback(TaskId(9))),
        (9, &["f", "y"], Command::Forget(TaskId(9))),
        (7, &["+"], Command::Reorder { task: TaskId(7), place: 0 }),
        (8, &["-"], Command::Reorder { task: TaskId(8), place: 1 }),
        (5, &["c"], Command::Cover(TaskId(5))),
        (3, &["l"], Command::Land(TaskId(3))),
    ];
    for (id, keys, command) in cases {
        let mut scene = Scene::new((80, 24));
        scene.on(id).press(keys);
        assert_eq!(scene.commands(), [command], "{keys:?} on {id}");
        assert!(scene.app.over.is_none());
    }
}

#[test]
fn nothing_that_ends_something_is_done_by_one_key() {
    for keys in [["x", "n"], ["x", "esc"], ["R", "q"], ["f", "x"], ["J", "esc"], ["r", "esc"], ["b", "esc"]] {
        let mut scene = Scene::new((80, 24));
        scene.on(9).press(&keys);
        assert_eq!(scene.commands(), [], "{keys:?}");
    }
}

#[test]
fn the_lid_is_broken_only_with_the_name_and_a_reason() {
    let mut scene = Scene::new((80, 24));
    scene.on(4).press(&["P"]).write("preheat").press(&["enter"]);
    assert!(scene.text().contains("type the task's name"), "{}", scene.text());
    scene.write("-the-pot-before-the-water-comes").press(&["enter"]);
    assert!(scene.text().contains("a reason is needed"));
    assert_eq!(scene.commands(), []);
    scene.write("it is stuck").press(&["enter"]);
    assert_eq!(scene.commands(), [Command::Peek { task: TaskId(4), reason: "it is stuck".into() }]);
}

#[test]
fn a_covered_screen_is_never_looked_at_from_panes_and_takes_no_keys() {
    let mut scene = Scene::new((200, 50));
    scene.on(4).press(&["2", "i", "x"]).text();
    let looked: Vec<JobId> = scene
        .sent
        .iter()
        .filter_map(|message| if let ToDaemon::Look(looks) = message { Some(looks) } else { None })
        .flatten()
        .map(|look| look.job)
        .collect();
    assert!(!looked.contains(&JobId(40)) && !looked.contains(&JobId(10)), "{looked:?}");
    assert!(looked.contains(&JobId(50)));
    assert!(!scene.sent.iter().any(|message| matches!(message, ToDaemon::Input { .. })));
}

#[test]
fn while_typing_every_key_goes_to_the_agent_but_the_leader() {
    let mut scene = Scene::new((80, 24));
    scene.on(5).press(&["s", "i"]).text();
    scene.sent.clear();
    scene.press(&["q", "esc", "ctrl-c", "?", ":", "1", "shift-tab", "f5"]);
    let cmds = scene.app.paste("a\nb");
    scene.carry_out(cmds);
    let typed: Vec<&Input> = scene
        .sent
        .iter()
        .filter_map(|message| match message {
            ToDaemon::Input { job: JobId(50), input } => Some(input),
            _ => None,
        })
        .collect();
    assert_eq!(typed.len(), 9, "{typed:?}");
    assert_eq!(*typed[2], Input::Key(input::Key { code: input::KeyCode::Char('c'), mods: input::Key::CTRL }));
    assert_eq!(*typed[6], Input::Key(input::Key { code: input::KeyCode::BackTab, mods: input::Key::SHIFT }));
    assert_eq!(*typed[8], Input::Paste("a\nb".into()));
    scene.press(&["ctrl-g", "q"]);
    assert_eq!(scene.app.views.len(), 1, "the leader left the agent, q the view");
}

#[test]
fn typing_ends_with_the_agent() {
    let mut scene = Scene::new((80, 24));
    scene.on(5).press(&["s", "i"]).text();
    let mut board = board();
    board.tasks[4] = task(5, "日本茶-menu", TaskState::Review);
    scene.hear(FromDaemon::Board(Box::new(board)));
    scene.sent.clear();
    scene.press(&["x"]);
    assert!(!scene.sent.iter().any(|message| matches!(message, ToDaemon::Input { .. })));
    assert!(scene.app.over.is_some(), "x is a key of ours again");
}

#[test]
fn a_frame_is_acknowledged_once_it_was_drawn() {
    let mut scene = Scene::new((80, 24));
    scene.on(2).press(&["s"]).text();
    let acks = scene.sent.iter().filter(|message| matches!(message, ToDaemon::Shown(JobId(20)))).count();
    assert_eq!(acks, 1);
}

#[test]
fn leaving_a_screen_stops_looking_at_it() {
    let mut scene = Scene::new((80, 24));
    scene.on(2).press(&["s"]).text();
    scene.press(&["esc"]).text();
    assert_eq!(scene.sent.last(), Some(&ToDaemon::Look(Vec::new())));
    assert!(scene.app.known.grids.is_empty());
}

#[test]
fn scrolling_goes_by_what_was_drawn_and_stays_inside_the_history() {
    let mut scene = Scene::new((80, 24));
    scene.on(2).press(&["s"]).text();
    scene.press(&["k"]);
    assert!(scene.text().contains("1 line up, of"));
    scene.press(&["home"]);
    let text = scene.text();
    assert!(text.contains("warming up 1\n"), "{text}");
    scene.press(&["pageup"]);
    assert_eq!(scene.text(), text);
    scene.press(&["end"]);
    assert!(scene.text().contains("● Done."));
}

#[test]
fn earlier_attempts_can_be_read() {
    let mut scene = Scene::new((80, 24));
    scene.on(2).press(&["g"]);
    assert!(scene.text().contains("attempt 2/3"));
    scene.press(&["("]);
    let text = scene.text();
    assert!(text.contains("attempt 1/3") && text.contains("test ✗"), "{text}");
    scene.press(&["(", ")", ")"]);
    assert!(scene.text().contains("attempt 2/3"));
}

#[test]
fn marked_lines_are_copied() {
    let mut scene = Scene::new((80, 24));
    scene.on(2).press(&["s", "v", "k", "v", "k", "y"]);
    assert_eq!(scene.wanted, [Cmd::Copy("line 58\nline 59".into())]);
    scene.wanted.clear();
    scene.text();
    scene.press(&["y"]);
    let [Cmd::Copy(text)] = scene.wanted.as_slice() else { panic!("{:?}", scene.wanted) };
    assert!(text.ends_with("● Done.") && text.contains("日本茶"), "{text}");
}

#[test]
fn hunks_files_and_sides_of_a_diff() {
    let mut scene = Scene::new((80, 24));
    scene.on(2).press(&["d", "}", "}"]);
    assert!(scene.text().contains("3 of 3  src/kettle.rs"));
    scene.press(&["tab"]);
    scene.press(&["right"]);
    assert!(scene.text().contains("ees: u8)"), "{}", scene.text());
    scene.press(&["{"]);
    assert!(scene.text().contains("3 of 3"), "first to the top of this file");
    scene.press(&["{"]);
    assert!(scene.text().contains("2 of 3  docs/kettle.md"));
}

#[test]
fn a_review_follows_the_branch() {
    let mut scene = Scene::new((80, 24));
    scene.on(2).press(&["d"]);
    let asked =
        |scene: &Scene| scene.asked.iter().filter(|asked| matches!(asked, Request::Diff { .. })).count();
    scene.hear(FromDaemon::Board(Box::new(board())));
    assert_eq!(asked(&scene), 1, "nothing has moved");
    let mut board = board();
    board.tasks[1].attempts[1].head = Some(Oid::new(&"c".repeat(40)).unwrap());
    scene.hear(FromDaemon::Board(Box::new(board.clone())));
    scene.hear(FromDaemon::Board(Box::new(board)));
    assert_eq!(asked(&scene), 2);
}

#[test]
fn the_palette_finds_actions_and_tasks() {
    let mut scene = Scene::new((80, 24));
    scene.press(&[":"]).write("golid").press(&["enter"]);
    assert_eq!(scene.app.known.selected, Some(TaskId(7)));
    scene.press(&["esc", ":"]).write("archive").press(&["enter", "y"]);
    assert_eq!(scene.commands(), [Command::Forget(TaskId(7))]);
    // From a view of another task it is still the one that was named.
    scene.on(5).press(&["s", ":"]).write("go whistle").press(&["enter"]);
    assert!(scene.text().contains(" whistle  attempt"), "{}", scene.text());
    scene.press(&[":"]).write("zzzz").press(&["enter"]);
    assert!(scene.app.over.is_none());
}

#[test]
fn a_task_is_launched_from_the_form_with_all_that_was_written() {
    let mut scene = Scene::new((80, 24));
    scene.press(&["n"]).write("Add a whistle").press(&["alt-enter"]).write("Test it");
    scene.press(&["tab"]).write("whistle-2").press(&["tab", "tab"]).write("nobody").press(&["enter"]);
    assert!(scene.text().contains("there is no task nobody on the board"));
    scene.press(&["ctrl-u"]).write("whistle").press(&["tab", "tab", "tab"]).write("45").press(&["enter"]);
    assert!(scene.text().contains("is no duration"));
    scene.write("m").press(&["tab", "right", "enter"]);
    let Some(Request::Run(runs)) = scene.asked.last() else { panic!("{:?}", scene.asked) };
    let run = &runs[0];
    assert_eq!((run.prompt.as_str(), run.name.as_deref()), ("Add a whistle\nTest it", Some("whistle-2")));
    assert_eq!((run.time_ms, run.lid, run.agent.as_deref()), (Some(2_700_000), Some(true), None));
    assert_eq!(run.after, ["whistle"]);
}

#[test]
fn a_daemon_that_goes_is_told_of_and_what_was_asked_is_not_forgotten() {
    let mut scene = Scene::new((80, 24));
    let cmds = scene.app.act(Action::Pause);
    let [Cmd::Ask(_, wanted)] = cmds.as_slice() else { panic!("{cmds:?}") };
    scene.app.asked(99, wanted.clone());
    scene.app.disconnected();
    let text = scene.text();
    assert!(text.contains("no daemon …") && text.contains("1 unanswered"), "{text}");
    let cmds = scene.app.connected();
    scene.carry_out(cmds);
    assert_eq!(scene.app.known.link, Link::Up);
    assert!(scene.asked.contains(&Request::Board));
}

#[test]
fn a_view_of_a_task_that_is_gone_closes() {
    let mut scene = Scene::new((80, 24));
    scene.on(9).press(&["d"]).text();
    let mut board = board();
    board.tasks.retain(|task| task.id != TaskId(9));
    scene.hear(FromDaemon::Board(Box::new(board)));
    assert_eq!(scene.app.views.len(), 1);
}

fn mouse(kind: MouseEventKind, column: u16, row: u16) -> MouseEvent {
    MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }
}

#[test]
fn the_mouse_chooses_opens_and_scrolls() {
    let mut scene = Scene::new((80, 24));
    scene.text();
    let row = scene.text().lines().position(|line| line.contains("whistle")).unwrap();
    let row = u16::try_from(row).unwrap();
    let down = |row| mouse(MouseEventKind::Down(MouseButton::Left), 10, row);
    let cmds = scene.app.mouse(down(row));
    scene.carry_out(cmds);
    assert_eq!(scene.app.known.selected, Some(TaskId(2)));
    let cmds = scene.app.mouse(down(row));
    scene.carry_out(cmds);
    assert!(scene.text().contains("· review"));
    scene.press(&["s"]).text();
    let cmds = scene.app.mouse(mouse(MouseEventKind::ScrollUp, 10, 10));
    scene.carry_out(cmds);
    assert!(scene.text().contains("3 lines up, of"));
}

#[test]
fn every_hint_has_a_key_that_works_where_it_is_shown() {
    for id in 1..=9 {
        for keys in [vec![], vec!["2"], vec!["s"], vec!["d"], vec!["3"]] {
            let mut scene = Scene::new((200, 50));
            scene.on(id).press(&keys);
            let sections = scene.app.sections();
            for action in frame::hints(&scene.app) {
                assert!(sections.contains(&action.about().section), "{action:?} in {keys:?} of {id}");
            }
        }
    }
}

/// docs/keys.md, from the table of actions and the keymap.
fn keys_page() -> String {
    let keymap = super::keymap::Keymap::load(None).unwrap();
    let mut page = include_str!("../../docs/keys.md").split_once("<!-- keys -->").unwrap().0.to_owned();
    page.push_str("<!-- keys -->\n");
    for section in super::action::Section::ALL {
        page.push_str(&format!(
            "\n## [{}] {}\n\n| action | keys | what it does |\n|---|---|---|\n",
            section.name(),
            section.title()
        ));
        for about in super::action::ACTIONS.iter().filter(|about| about.section == *section) {
            let keys: Vec<String> = keymap.keys(about.action).iter().map(|key| format!("`{key}`")).collect();
            page.push_str(&format!("| {} | {} | {} |\n", about.name, keys.join(" "), about.doc));
        }
    }
    page
}

#[test]
fn the_page_of_keys_is_made_from_the_keymap() {
    let page = keys_page();
    if std::env::var_os("NOPEEK_UPDATE_DOCS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keys.md"), &page).unwrap();
    }
    let have = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keys.md")).unwrap();
    assert!(have == page, "docs/keys.md is old: NOPEEK_UPDATE_DOCS=1 cargo test the_page_of_keys");
}

#[test]
fn a_notice_rings_where_it_is_to_ring_and_is_said_everywhere() {
    use crate::config::notice::NoticeConfig;
    use crate::core::model::notice::{Notice, NoticeKind};
    let mut scene = Scene::new(SIZES[0]);
    scene.app.settings.ring = super::ring::Ring::new(
        &NoticeConfig { on: vec![NoticeKind::Red], ..NoticeConfig::default() },
        |_| None,
    );
    let mut hear = |task: Option<TaskId>, kind, ring| {
        let notice = Notice { task, kind, text: "some words".into() };
        let (_, cmds) = scene.app.hear(FromDaemon::Notice { notice, ring });
        let said = scene.app.toast.take().map(|toast| toast.text);
        (said, cmds)
    };
    let (said, cmds) = hear(None, NoticeKind::Red, true);
    assert_eq!((said.as_deref(), cmds), (Some("some words"), vec![Cmd::Ring("some words".to_owned())]));
    assert_eq!(hear(None, NoticeKind::Done, true).1, [], "not this kind");
    let (said, cmds) = hear(Some(TaskId(1)), NoticeKind::Red, false);
    assert!(
        said.is_some_and(|said| said.ends_with(": some words")) && cmds.is_empty(),
        "another client rings"
    );
    assert_eq!(hear(Some(TaskId(999)), NoticeKind::Red, true), (None, Vec::new()), "of another repo");
}
