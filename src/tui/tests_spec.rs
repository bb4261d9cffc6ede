//! Specs and votes in the client, driven by keys, drawn to text.

use super::app::{Cmd, View};
use super::depth::Depth;
use super::known::Pick;
use super::scenes::Scene;
use super::scenes_spec::spec_board;
use super::tests::pictures;
use super::theme::Theme;
use crate::core::model::event::Command;
use crate::core::model::panel::PanelCommand;
use crate::core::model::spec::SpecCommand;
use crate::core::outer::spec::progress::SpecStage;
use crate::core::views::board::Board;
use crate::values::ids::{Oid, PanelId, SpecId, TaskId};
use crate::wire::client::{FromDaemon, Request};
use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::style::{Color, Modifier};

fn with_specs(scene: &mut Scene) -> &mut Scene {
    scene.hear(FromDaemon::Board(Box::new(spec_board())));
    scene
}

fn scene() -> Scene {
    let mut scene = Scene::new((80, 24));
    with_specs(&mut scene);
    scene
}

fn on(scene: &mut Scene, id: u64) -> &mut Scene {
    scene.app.known.choose(Pick::Spec(SpecId(id)));
    scene
}

fn head() -> Oid {
    Oid::new(&"a".repeat(40)).unwrap()
}

#[test]
fn pictures_of_a_board_with_specs() {
    pictures("specs_board", |scene| {
        with_specs(scene);
    });
    pictures("specs_board_chosen", |scene| {
        on(with_specs(scene), 2);
    });
}

#[test]
fn pictures_of_a_spec() {
    pictures("spec_plan", |scene| {
        on(with_specs(scene), 1).press(&["enter"]);
    });
    pictures("spec_contract", |scene| {
        on(with_specs(scene), 1).press(&["enter", "c"]);
    });
    pictures("spec_looks", |scene| {
        on(with_specs(scene), 2).press(&["enter", "l"]);
    });
    pictures("spec_building", |scene| {
        on(with_specs(scene), 2).press(&["enter", "down", "down", "down", "down", "down"]);
    });
    pictures("spec_approve", |scene| {
        on(with_specs(scene), 1).press(&["enter", "A"]);
    });
}

#[test]
fn pictures_of_forms_of_the_outer_loop() {
    pictures("spec_new", |scene| {
        with_specs(scene).press(&["N"]).write("Tea for everybody").press(&["tab", "tab", "tab", "right"]);
    });
    pictures("vote", |scene| {
        with_specs(scene).press(&["v", "right"]);
    });
}

#[test]
fn pictures_of_a_review_after_another_pair_of_eyes() {
    pictures("review_looked_at", |scene| {
        with_specs(scene).on(2).press(&["d"]);
    });
}

#[test]
fn a_board_with_specs_says_all_without_colour_and_one_line_is_chosen() {
    let mut scene = Scene::themed((80, 24), Theme::ours("dark", Depth::None).unwrap().unwrap());
    for id in [1, 2, 4] {
        let (buf, _) = on(with_specs(&mut scene), id).draw();
        assert!(buf.content().iter().all(|cell| (cell.fg, cell.bg) == (Color::Reset, Color::Reset)));
        let reversed = |y: u16| buf[(5, y)].modifier.contains(Modifier::REVERSED);
        assert_eq!((0..24).filter(|y| reversed(*y)).count(), 1);
    }
    let text = scene.text();
    assert!(text.contains("! tea") && text.contains("plan ready"), "{text}");
}

#[test]
fn each_matter_of_a_spec_is_counted_once() {
    let mut scene = scene();
    // Four tasks, the plan of tea among them; descaling, which no task speaks for; the vote.
    let text = scene.text();
    assert!(text.lines().next().unwrap().contains("6 need you"), "{text}");
    assert!(!text.contains("poured"), "what is over is not on the board");
}

#[test]
fn specs_and_tasks_are_walked_as_one_list() {
    let mut scene = scene();
    scene.press(&["home"]);
    assert_eq!(scene.app.known.picked(), Some(Pick::Spec(SpecId(1))), "who needs a human first");
    scene.press(&["down", "down", "down"]);
    assert_eq!(scene.app.known.picked(), Some(Pick::Task(TaskId(1))));
    scene.press(&["up"]);
    assert_eq!(scene.app.known.picked(), Some(Pick::Spec(SpecId(2))));
    // It stays chosen, until it is over.
    scene.hear(FromDaemon::Board(Box::new(spec_board())));
    assert_eq!(scene.app.known.picked(), Some(Pick::Spec(SpecId(2))));
    let mut board = spec_board();
    board.specs[1].stage = SpecStage::Done;
    scene.hear(FromDaemon::Board(Box::new(board)));
    assert_eq!(scene.app.known.picked(), Some(Pick::Task(TaskId(1))));
    scene.hear(FromDaemon::Board(Box::new(Board { tasks: Vec::new(), ..spec_board() })));
    assert_eq!(scene.app.known.picked(), Some(Pick::Spec(SpecId(1))), "there is nothing else");
    scene.text();
}

#[test]
fn keys_become_commands_for_the_chosen_spec_on_its_line_and_on_its_page() {
    let approve = Command::Approve { task: TaskId(11), head: head() };
    let back = Command::SendBack { task: TaskId(11), message: "no".into() };
    let cases: Vec<(&[&str], Command)> = vec![
        (&["A", "y"], approve),
        (&["b", "n", "o", "enter"], back),
        (&["x", "y"], Command::Spec(SpecCommand::Stop(SpecId(1)))),
        (&["u"], Command::Spec(SpecCommand::GoOn(SpecId(1)))),
        (&["f", "y"], Command::Spec(SpecCommand::Forget(SpecId(1)))),
    ];
    for (keys, command) in cases {
        let mut scene = scene();
        on(&mut scene, 1).press(keys);
        assert_eq!(scene.commands().as_slice(), std::slice::from_ref(&command), "{keys:?} on the board");
        let mut scene = self::scene();
        on(&mut scene, 1).press(&["enter"]).press(keys);
        assert_eq!(scene.commands(), [command], "{keys:?} on the page");
        assert!(scene.app.over.is_none());
    }
    for keys in [["A", "n"], ["x", "esc"], ["f", "q"], ["b", "esc"]] {
        let mut scene = scene();
        on(&mut scene, 1).press(&keys);
        assert_eq!(scene.commands(), [], "{keys:?}");
    }
}

#[test]
fn what_is_done_to_tasks_is_not_done_to_the_task_behind_a_spec() {
    for key in ["A", "b", "x", "space", "J", "R", "P", "r", "l", "g", "s", "c", "f"] {
        let mut scene = scene();
        on(scene.on(5), 2).press(&[key, "esc"]);
        assert_eq!(scene.commands(), [], "{key}");
    }
}

#[test]
fn what_is_approved_is_what_is_shown() {
    let mut scene = scene();
    on(&mut scene, 1).press(&["enter"]);
    let asked = |scene: &Scene| scene.asked.iter().filter(|of| matches!(of, Request::Spec(_))).count();
    assert_eq!(asked(&scene), 1);
    scene.hear(FromDaemon::Board(Box::new(spec_board())));
    assert_eq!(asked(&scene), 1, "nothing has moved");
    // The branch moves, and the new page has not come yet.
    let mut board = spec_board();
    board.tasks.last_mut().unwrap().attempts[0].head = Some(Oid::new(&"c".repeat(40)).unwrap());
    let (_, cmds) = scene.app.hear(FromDaemon::Board(Box::new(board)));
    assert!(matches!(cmds.as_slice(), [Cmd::Ask(Request::Spec(_), _)]), "{cmds:?}");
    scene.press(&["A", "y"]);
    assert_eq!(scene.commands(), [Command::Approve { task: TaskId(11), head: head() }]);
}

#[test]
fn enter_on_a_task_of_the_plan_goes_to_it_and_back_to_the_plan() {
    let mut scene = scene();
    on(&mut scene, 2).press(&["enter"]).text();
    while !scene.text().contains("whistle  attempt") {
        scene.press(&["down", "enter"]);
        assert!(matches!(scene.app.view(), View::Spec(_) | View::Review(_) | View::Screen(_)));
        if matches!(scene.app.view(), View::Spec(_) | View::Screen(_))
            || scene.text().contains("handle  attempt")
        {
            scene.press(if scene.app.views.len() > 2 { &["esc"] } else { &[] });
        }
    }
    assert_eq!(scene.app.known.selected, Some(TaskId(2)));
    scene.press(&["esc"]);
    assert!(matches!(scene.app.view(), View::Spec(_)));
    // Of a plan that is not agreed, nothing was launched.
    let mut scene = self::scene();
    on(&mut scene, 1).press(&["enter", "down", "down", "enter"]);
    assert!(scene.text().contains("milk was not launched yet"), "{}", scene.text());
}

#[test]
fn what_waits_is_edited_and_then_judged_again() {
    let mut scene = scene();
    on(&mut scene, 1).press(&["enter", "e"]);
    let [Cmd::Edit(editing)] = scene.wanted.as_slice() else { panic!("{:?}", scene.wanted) };
    let files: Vec<_> = editing.files.iter().map(|file| file.to_str().unwrap()).collect();
    assert_eq!(files, ["/worktrees/11/1/specs/tea/phase-1.md", "/worktrees/11/1/specs/tea/phase-2.md"]);
    assert_eq!(editing.branch, "nopeek/tea-plan/1");
    let mut ended = |result| {
        let cmds = scene.app.edited((TaskId(11), "tea".into(), result));
        (cmds.len(), scene.app.toast.take().map(|toast| toast.text))
    };
    assert_eq!(ended(Ok(false)), (0, Some("nothing of tea was changed".into())));
    assert_eq!(ended(Err("vi ended with 1".into())), (0, Some("vi ended with 1".into())));
    assert_eq!(ended(Ok(true)).0, 1);
    let mut scene = self::scene();
    on(&mut scene, 2).press(&["enter", "e"]);
    assert!(scene.wanted.is_empty() && scene.text().contains("can be edited now"), "{}", scene.text());
}

#[test]
fn a_spec_is_made_from_the_form_with_all_that_was_written() {
    let mut scene = scene();
    scene.press(&["N", "enter"]);
    assert!(scene.text().contains("say what should be true when it is done"));
    scene
        .write("Tea")
        .press(&["alt-enter"])
        .write("hot")
        .press(&["tab"])
        .write("tea")
        .press(&["tab"])
        .write("many");
    scene.press(&["enter"]);
    assert!(scene.text().contains("\"many\" is no whole number: write it as 0"), "{}", scene.text());
    scene.press(&["ctrl-u"]).write("2").press(&["tab", "right", "right", "enter"]);
    assert!(scene.text().contains("say yes or no to each"), "{}", scene.text());
    scene.press(&["right", "tab", "right", "right", "enter"]);
    assert!(scene.app.over.is_none(), "{}", scene.text());
    let Some(Request::SpecNew(wish)) = scene.asked.last() else { panic!("{:?}", scene.asked) };
    assert_eq!((wish.goal.as_str(), wish.name.as_deref(), wish.passes), ("Tea\nhot", Some("tea"), Some(2)));
    assert_eq!(wish.ahead, Some(vec!["spec".to_owned(), "work".to_owned()]));
    assert_eq!(scene.app.known.picked(), Some(Pick::Spec(SpecId(1))), "it is chosen");
    let mut scene = self::scene();
    scene.press(&["N"]).write("Tea").press(&["enter"]);
    let Some(Request::SpecNew(wish)) = scene.asked.last() else { panic!("{:?}", scene.asked) };
    assert_eq!((wish.ahead.as_ref(), wish.passes), (None, None), "as configured");
}

#[test]
fn a_vote_is_decided_with_an_option_and_a_reason() {
    let mut scene = scene();
    scene.press(&["v", "enter"]);
    assert!(scene.text().contains("choose an option"), "{}", scene.text());
    scene.press(&["right", "right", "enter"]);
    assert!(scene.text().contains("say in a sentence why"), "{}", scene.text());
    scene.write("It lasts").press(&["enter"]);
    let settled = PanelCommand::Settle { id: PanelId(3), option: "steel".into(), why: "It lasts".into() };
    assert_eq!(scene.commands(), [Command::Panel(settled)]);
    // The vote of a task is answered where its question would be.
    let mut board = spec_board();
    board.votes[0].task = Some(TaskId(5));
    board.tasks[4].needs_you = true;
    scene.hear(FromDaemon::Board(Box::new(board)));
    scene.asked.clear();
    scene.on(5).press(&["enter"]);
    assert_eq!(scene.asked, [Request::Panel(PanelId(3))]);
    assert!(scene.text().contains("glass: 50.0 points"), "{}", scene.text());
}

#[test]
fn the_palette_opens_specs_and_the_mouse_too() {
    let mut scene = scene();
    scene.press(&[":"]).write("spec poured").press(&["enter"]);
    assert!(matches!(scene.app.view(), View::Spec(page) if page.id == SpecId(3)));
    scene.press(&["1", ":"]).write("new spec").press(&["enter"]);
    assert!(scene.app.over.is_some());
    scene.press(&["esc"]);
    let mut click = |text: &str| {
        let row = scene.text().lines().position(|line| line.contains(text)).unwrap();
        let kind = MouseEventKind::Down(MouseButton::Left);
        let event =
            MouseEvent { kind, column: 10, row: u16::try_from(row).unwrap(), modifiers: KeyModifiers::NONE };
        let cmds = scene.app.mouse(event);
        scene.carry_out(cmds);
        scene.text()
    };
    assert!(click("whistling").contains(" whistling-at-the-right-degree  building  spec s2"));
    assert!(click("WHY").contains("SPEC"), "a title is nothing to choose");
    assert!(click("s2 building").contains("· spec"));
    click("─ whistle");
    assert!(click("─ whistle").contains(" whistle  attempt 2/3"));
}

#[test]
fn every_view_with_specs_can_be_drawn_at_every_size() {
    for size in [(80, 24), (81, 25), (120, 24), (139, 30), (140, 24), (300, 100)] {
        for keys in
            [vec![], vec!["enter"], vec!["enter", "c"], vec!["enter", "end"], vec!["N"], vec!["v"], vec!["?"]]
        {
            for id in [1, 2, 4] {
                let mut scene = Scene::new(size);
                on(with_specs(&mut scene), id).press(&keys).text();
            }
        }
    }
}

#[test]
fn a_page_of_a_spec_that_is_gone_closes() {
    let mut scene = scene();
    on(&mut scene, 1).press(&["enter"]).text();
    scene.hear(FromDaemon::Board(Box::new(super::scenes::board())));
    assert_eq!(scene.app.views.len(), 1);
}
