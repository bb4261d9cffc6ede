//! Budgets end to end: agents that tell what they use, a daemon that holds, pauses and ends them, and forgets nothing.

use crate::support::agent::script;
use crate::support::wait;
use crate::support::world::{World, kill};
use nopeek::core::model::task::TaskState;
use nopeek::core::views::board::TaskView;
use std::path::PathBuf;

/// A world with this `[budget]`, whose over-budget notices go to a file, a line each.
fn world(budget: &str) -> (World, PathBuf) {
    let world = World::with_config(&format!("parallel = 4\n[budget]\n{budget}\n"));
    let told = world.root().join("told");
    std::fs::create_dir_all(&world.paths.config).unwrap();
    let config = format!(
        "[notice]\non = [\"over_budget\"]\ncommand = [\"sh\", \"-c\", 'printf \"%s\\n\" \"$1\" >> {}', \"sh\", \"{{text}}\"]\n",
        told.display()
    );
    std::fs::write(world.paths.config.join("config.toml"), config).unwrap();
    (world, told)
}

/// A step that waits for a file of the test.
fn until(world: &World, name: &str) -> String {
    format!("run until [ -e {}/{name} ]; do sleep 0.02; done\n", world.root().display())
}

fn notices(told: &PathBuf, n: usize) -> Vec<String> {
    let read = || std::fs::read_to_string(told).unwrap_or_default().lines().map(str::to_owned).collect();
    wait::until(&format!("{n} notices"), || Some(read()).filter(|lines: &Vec<String>| lines.len() >= n))
}

fn cost(task: &TaskView) -> Option<u64> {
    task.attempts[0].vitals.usage.cost_microusd
}

fn restart(world: &World) {
    kill(world.daemon().unwrap());
    world.ok(&["ls"]);
}

#[test]
fn above_the_share_nothing_new_starts_until_the_day_is_raised() {
    let (world, told) = world("day = { cost = '$10' }");
    let go = until(&world, "go");
    world.launch("first", &script(&format!("usage 48000 1200 9.20\n{go}edit a <<E\na\nE\ncommit a")), &[]);
    let first = world.until("first", "a cost", |task| cost(task) == Some(9_200_000));
    assert_eq!(first.spent.tokens, 49_200);
    world.launch("second", &script("edit b <<E\nb\nE\ncommit b"), &[]);
    let says = "92 % of today's budget of $10.00 is used";
    for _ in 0..2 {
        let second = world.until("second", "being held", |task| task.why.as_str().starts_with(says));
        assert_eq!(second.state, TaskState::Queued, "{}", second.why);
        assert!(second.why.as_str().contains("nopeek budget raise day"), "{}", second.why);
        assert_eq!(world.show("first")["state"], "working", "what runs goes on");
        // What happens in a daemon's last second may go untold.
        notices(&told, 1);
        let budget = world.ok(&["budget"]);
        assert!(budget.contains("$9.20 of $10.00") && budget.contains("nothing new starts"), "{budget}");
        restart(&world);
    }
    let refused = world.refused(&["budget", "raise", "day", "--tokens", "5k"], 5);
    assert!(refused.contains("does not limit tokens"), "{refused}");
    world.ok(&["budget", "raise", "day", "--cost", "$10"]);
    world.until_state("second", TaskState::Review);
    world.file("go", "");
    world.until_state("first", TaskState::Review);
    let told = notices(&told, 1);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains(says), "{told:#?}");
}

#[test]
fn used_up_it_is_paused_once_and_a_raise_lets_it_go_on_through_a_dead_daemon() {
    let (world, told) = world("");
    let (a, b) = (until(&world, "a"), until(&world, "b"));
    let steps = format!(
        "usage 1000 200 0.50\n{a}usage 2000 400 1.20\n{b}edit cup <<E\nfull\nE\ncommit Fill it\nusage 2100 450 1.25"
    );
    world.launch("cup", &script(&steps), &["--budget-cost", "$1"]);
    let half = world.until("cup", "half of it", |task| cost(task) == Some(500_000));
    assert_eq!((half.paused, half.budget_percent), (false, Some(50)));
    restart(&world);
    world.file("a", "");
    let says = "120 % of its budget of $1.00 is used: paused; nopeek budget raise cup";
    let over = world.until("cup", "being paused", |task| task.paused);
    assert!(over.why.as_str().starts_with(says) && over.needs_you, "{}", over.why);
    notices(&told, 1);
    restart(&world);
    world.file("b", "");
    let over = world.show("cup");
    assert_eq!((over["paused"].as_bool(), over["attempts"].as_array().unwrap().len()), (Some(true), 1));
    assert_eq!(world.on_main("cup"), None);
    let refused = world.refused(&["budget", "raise", "cup"], 5);
    assert!(refused.contains("raised by nothing"), "{refused}");
    world.ok(&["budget", "raise", "cup", "--cost", "$1"]);
    let done = world.until_state("cup", TaskState::Review);
    assert_eq!((cost(&done), done.attempts.len(), done.budget_percent), (Some(1_250_000), 1, Some(62)));
    let told = notices(&told, 1);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].starts_with(&format!("cup: {says}")), "{told:#?}");
    let shown = world.ok(&["show", "cup"]);
    assert!(shown.contains("$1.25"), "{shown}");
}

#[test]
fn used_up_it_is_ended_if_config_says_so() {
    let (world, told) = world("attempt = { tokens = '5k' }\nover = 'end'");
    world.launch("pot", &script("usage 4000 1500\nhang"), &["--attempts", "1"]);
    let ended = world.until_state("pot", TaskState::Stuck);
    assert_eq!(serde_json::to_value(ended.attempts[0].result).unwrap(), "over_budget");
    assert_eq!((ended.spent.tokens, ended.spent.cost_unknown), (5_500, 1));
    let told = notices(&told, 1);
    assert!(told.len() == 1 && told[0].contains("its attempt is ended"), "{told:#?}");
    assert!(world.ok(&["show", "pot"]).contains("over budget"));
}

#[test]
fn unknown_cost_is_unknown_everywhere_and_time_holds_all_the_same() {
    let (world, _told) = world("day = { cost = '$5' }\nunknown = 'hold'");
    world.launch("mute", &script("hang"), &["--budget-time", "1s"]);
    let over = world.until("mute", "being paused", |task| task.paused);
    assert!(over.why.as_str().starts_with("100 % of its budget of 1s is used"), "{}", over.why);
    assert_eq!((cost(&over), over.spent.cost_awaited), (None, 1));
    world.launch("next", &script("hang"), &[]);
    world.until_state("next", TaskState::Working);
    world.ok(&["stop", "mute"]);
    world.until("mute", "its end", |task| task.spent.cost_unknown == 1);
    world.launch("held", &script("hang"), &[]);
    let held = world.until("held", "being held", |task| task.why.as_str().contains("of unknown use"));
    assert_eq!(held.state, TaskState::Queued, "{}", held.why);
    restart(&world);
    let report = world.ok(&["report", "mute"]);
    for text in [world.ok(&["budget"]), world.ok(&["show", "mute"]), world.ok(&["ls"]), report] {
        assert!(!text.contains("$0"), "{text}");
    }
    let budget = world.ok(&["budget"]);
    assert!(budget.contains("cost   ? of $5.00") && budget.contains("1 attempt of unknown use"), "{budget}");
    assert!(world.ok(&["show", "mute"]).contains("cost ?"));
}

#[test]
fn an_agent_that_knows_its_cost_is_zero_says_so() {
    let (world, _told) = world("");
    world.launch("free", &script("usage 10 5 0\nedit a <<E\na\nE\ncommit a"), &[]);
    let free = world.until_state("free", TaskState::Review);
    assert_eq!((cost(&free), free.spent.cost_unknown), (Some(0), 0));
    assert!(world.ok(&["budget"]).contains("cost   $0.00"));
}

#[test]
fn tokens_cost_what_the_users_prices_say_and_a_broken_file_is_named() {
    let profile = "[agents.brewer]\ncommand = [\"{nopeek}\", \"scripted\", \"{prompt}\"]\nmode = \"headless\"\nmodel = \"tea-1\"\n";
    let world = World::with_config(profile);
    let steps = script("usage 100000 20000\nedit a <<E\na\nE\ncommit a");
    let prices = world.paths.config.join("prices.toml");
    world.launch("unpriced", &steps, &["--agent", "brewer"]);
    let unpriced = world.until_state("unpriced", TaskState::Review);
    assert_eq!((cost(&unpriced), unpriced.spent.cost_unknown), (None, 1));
    assert!(world.ok(&["doctor"]).contains(prices.to_str().unwrap()));

    std::fs::write(&prices, "[tea-1]\nin = 5\nout = 'much'\n").unwrap();
    let says = format!("{}:3:7: \"much\" is no price", prices.display());
    let refused = world.refused(&["run", "--agent", "brewer", "--name", "none", &steps], 5);
    assert!(refused.contains(&says) && refused.contains("US dollars for a million tokens"), "{refused}");
    let doctor = world.run(&["doctor"]);
    assert_eq!(doctor.code, 7);
    assert!(doctor.out.contains(&says), "{}", doctor.out);

    std::fs::write(&prices, "[tea-1]\nin = 5\nout = 25\n").unwrap();
    world.launch("priced", &steps, &["--agent", "brewer", "--budget-cost", "$10"]);
    let priced = world.until_state("priced", TaskState::Review);
    assert!(priced.attempts[0].vitals.usage.by_prices);
    assert_eq!((cost(&priced), priced.budget_percent), (Some(1_000_000), Some(10)));
    assert!(world.ok(&["show", "priced"]).contains("$1.00 by prices"));
}
