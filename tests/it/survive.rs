//! Nothing is lost by a kill -9: no agent, no byte, no acknowledged event.

use crate::support::agent::{script, script_file, shell};
use crate::support::looker::Looker;
use crate::support::person::{Person, Record};
use crate::support::term::Term;
use crate::support::wait;
use crate::support::world::{World, kill};
use nopeek::core::model::task::TaskState;
use nopeek::core::views::board::Board;
use nopeek::os::process::is_alive;
use nopeek::wire::keeper::KeeperFile;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// Kills of the daemon; `NOPEEK_KILLS` asks for more.
const KILLS: u64 = 200;
/// Rounds in which three clients are killed.
const CLIENT_KILLS: u64 = 70;
const AGENTS: usize = 8;
/// Tasks that come and go while the daemon is killed.
const WORKING: usize = 12;

/// Prints without pause until it is told to end, and writes the same to a file beside, first there. It leaves others
/// the first go at the processor, as its session (where the kernel groups by that) and as a process.
fn printer(world: &World) -> String {
    let folder = world.root().to_str().unwrap();
    let text = format!(
        "{{ echo 10 > /proc/self/autogroup; renice -n 10 $$; }} > /dev/null 2>&1\nstty -opost -echo\nexec 3>> {folder}/$NOPEEK_TASK.log\ni=0\nwhile [ ! -e {folder}/stop ]; do\n  i=$((i+1))\n  \
         printf '%s\\n' \"$i $i $i $i\" >&3\n  printf '%s\\n' \"$i $i $i $i\"\ndone\n"
    );
    shell(world, "printer", "headless", &text)
}

/// Is ready at once, takes one line that is typed, writes it down and commits.
fn typed(world: &World) -> String {
    let text = "printf '\\033]7501;state=idle:app=typed\\033\\\\'\nread -r line\n\
                printf '%s\\n' \"$line\" > typed.$NOPEEK_TASK.txt\ngit add -A\ngit commit -qm Typed\n";
    shell(world, "typed", "interactive", text) + "prompt = \"typed\"\n"
}

/// Numbers from a seed (`SplitMix64`): the same moments in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    /// Lets some time go by, less than `most`: nothing is waited for, a moment is chosen.
    fn moment(&mut self, most: Duration) {
        let micros = u64::try_from(most.as_micros()).unwrap();
        std::thread::sleep(Duration::from_micros(self.below(micros)));
    }
}

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

struct Printer {
    name: String,
    job: PathBuf,
    log: PathBuf,
    keeper: KeeperFile,
}

fn launch_printers(world: &World, more: &[&str]) -> Vec<Printer> {
    let names: Vec<String> = (0..AGENTS).map(|n| format!("p{n}")).collect();
    let mut args = vec!["run", "--agent", "printer", "--attempts", "1"];
    args.extend(more);
    for name in &names {
        args.extend(["--name", name, "Print."]);
    }
    world.ok(&args);
    let printing = |name: String| {
        let task = world.until_state(&name, TaskState::Working);
        let job = world.paths.job(task.attempt().unwrap().job.unwrap().0);
        let keeper = wait::until("a keeper that says who it is", || keeper(&job));
        wait::until("output", || std::fs::metadata(job.join("spool")).ok().filter(|meta| meta.len() > 0));
        Printer { log: world.root().join(format!("{}.log", task.id)), name, job, keeper }
    };
    names.into_iter().map(printing).collect()
}

fn keeper(job: &Path) -> Option<KeeperFile> {
    serde_json::from_slice(&std::fs::read(job.join("keeper.json")).ok()?).ok()
}

/// Each spool is what its agent wrote, and each agent came to its own end.
fn check_spools(world: &World, printers: &[Printer]) {
    for Printer { name, log, .. } in printers {
        wait::until(&format!("{name} to print a lot"), || {
            std::fs::metadata(log).is_ok_and(|meta| meta.len() > 10_000).then_some(())
        });
    }
    world.file("stop", "");
    for Printer { name, job, log, keeper: first } in printers {
        let task = world.until_state(name, TaskState::Stuck);
        assert_eq!(task.attempts.len(), 1, "{name} was started again");
        let attempt = &task.attempts[0];
        assert_eq!(serde_json::to_value(attempt.exit).unwrap(), serde_json::json!({ "code": 0 }), "{name}");
        assert_eq!(keeper(job).as_ref(), Some(first), "{name} has another keeper");
        let wrote = std::fs::read(log).unwrap();
        let spool = std::fs::read(job.join("spool")).unwrap();
        let differ = wrote.iter().zip(&spool).position(|(a, b)| a != b);
        assert_eq!(
            (spool.len(), differ),
            (wrote.len(), None),
            "{name}: the spool differs from what was written"
        );
    }
}

/// All that was acknowledged is on the board or in the ledger, once; what the agent got is what was answered, once.
fn check_record(world: &World, record: &Record) {
    let board: Board = serde_json::from_value(world.json(&["ls"])).unwrap();
    for name in record.waiting.iter().chain(&record.working) {
        let found = board.tasks.iter().filter(|task| task.name == *name).count();
        assert_eq!(found, 1, "{name} was acknowledged");
    }
    let ledger = world.json(&["ledger", "--limit", "10000"]);
    let facts = |name: &str, kind: &str| -> Vec<String> {
        let lines = ledger.as_array().unwrap().iter();
        let of = lines.filter(|line| line["name"] == name && line["kind"] == kind);
        of.map(|line| line["text"].as_str().unwrap().to_owned()).collect()
    };
    assert!(facts("sleeper", "paused").len() >= record.pauses);
    assert!(facts("sleeper", "unpaused").len() >= record.resumes);
    let paused = board.tasks.iter().find(|task| task.name == "sleeper").unwrap().paused;
    assert!(record.paused.is_none_or(|known| known == paused), "{:?} but {paused}", record.paused);

    let answered = facts("asker", "answered");
    for text in &record.answers {
        let found = answered.iter().filter(|said| said.contains(&format!("answered \"{text}\" to"))).count();
        assert_eq!(found, 1, "{text} was acknowledged: {answered:#?}");
    }
    let got = || {
        let got = std::fs::read_to_string(world.root().join("answers")).unwrap_or_default();
        (got.lines().count() >= answered.len()).then_some(got)
    };
    let got = wait::until("the last answer to arrive", got);
    for (n, (got, said)) in got.lines().zip(&answered).enumerate() {
        assert!(
            said.contains(&format!("answered \"{got}\" to")),
            "answer {n} was {said}, and it got {got:?}"
        );
    }
    assert_eq!(got.lines().count(), answered.len());
}

#[test]
fn a_daemon_killed_at_any_moment_loses_no_agent_no_byte_and_no_acknowledged_event() {
    let world = World::new();
    let gate = "[[gate]]\nname = \"good\"\ncommand = \"sleep 0.05; grep -q good *.txt\"\n";
    world.configure(&format!("parallel = {}\n{gate}{}{}", AGENTS + 4, printer(&world), typed(&world)));
    let printers = launch_printers(&world, &[]);
    let asks = format!("ask question More?\nrun echo @ANSWER@ >> {}/answers\n", world.root().display());
    world.launch("asker", &script_file(&world, "asks", &asks.repeat(1_000)), &["--agent", "scripted-tui"]);
    world.launch("sleeper", &script("hang"), &[]);
    world.until_state("asker", TaskState::Asking);
    world.until_state("sleeper", TaskState::Working);
    world.ok(&["daemon", "stop"]);
    let person = Person::sit_down(&world, WORKING);
    let mut dice = Dice(from_env("NOPEEK_KILL_SEED", 0x5eed));
    let kills = from_env("NOPEEK_KILLS", KILLS);
    for round in 0..kills {
        let mut daemon = world.command(&["daemon", "run"]).spawn().unwrap();
        let before = person.acknowledged();
        // Half of all die while they start, half while they serve, a few only when something was asked of them.
        if dice.below(2) == 0 {
            if world.watch(|_| Some(())).is_none() {
                panic!(
                    "round {round}: the daemon does not answer, {:?}\n{}",
                    daemon.try_wait(),
                    world.log_tail()
                );
            }
            dice.moment(Duration::from_millis(60));
        } else {
            dice.moment(Duration::from_millis(100));
        }
        if round % 20 == 0 {
            world.until_state("asker", TaskState::Asking);
            let more = || {
                let now = person.acknowledged();
                let has_more = now.launches > before.launches && now.pauses > before.pauses;
                (has_more && now.answers > 0).then_some(())
            };
            wait::patiently(more).unwrap_or_else(|| {
                panic!("waited for acknowledged wishes, {:?}\n{}", person.acknowledged(), world.log_tail())
            });
        }
        kill(daemon.id());
        daemon.wait().unwrap();
        for printer in &printers {
            assert!(is_alive(printer.keeper.child), "round {round}: the agent of {} died", printer.name);
        }
    }
    world.ok(&["ls"]);
    let record = person.stand_up();
    let Record { waiting, working, approved, answers, pauses, resumes, .. } = &record;
    println!(
        "{kills} kills; acknowledged: {} launches, {} that work, {} of them approved, {} answers, \
         {pauses} pauses, {resumes} resumes",
        waiting.len(),
        working.len(),
        approved.len(),
        answers.len()
    );
    check_record(&world, &record);
    for name in working {
        let is_approved = approved.contains(name);
        let ends = if is_approved { TaskState::Landed } else { TaskState::Review };
        let task = world.until(name, "its end", |task| task.state == ends || task.state == TaskState::Landed);
        assert_eq!(task.attempts.len(), 1, "{name} was started again");
        if task.agent == "typed" {
            let typed = world.git(&["show", &format!("nopeek/{name}/1:typed.{}.txt", task.id)]);
            assert_eq!(typed, format!("good {name}"), "its prompt, once");
        }
    }
    let board: Board = serde_json::from_value(world.json(&["ls"])).unwrap();
    let landed = board.tasks.iter().filter(|task| task.state == TaskState::Landed).count();
    assert_eq!(world.git(&["rev-list", "--merges", "--count", "main"]), landed.to_string(), "each once");
    check_spools(&world, &printers);
    // What is left can go on: the daemon works as ever.
    world.launch("after", &script("edit a.txt <<E\ngood\nE\ncommit A"), &[]);
    world.ok(&["wait", "after"]);
}

#[test]
fn a_client_killed_at_any_moment_changes_nothing() {
    let world = World::new();
    world.configure(&format!("parallel = {AGENTS}\n{}", printer(&world)));
    let printers = launch_printers(&world, &["--lid", "off"]);
    let looked_at = world.until_state("p0", TaskState::Working).attempt().unwrap().job.unwrap();
    let daemon = world.daemon().unwrap();
    let mut dice = Dice(from_env("NOPEEK_KILL_SEED", 0xc11e));
    for _ in 0..CLIENT_KILLS {
        // One with the board on its screen, one that waits for boards, one that looks at a flood and takes no frame.
        let term = Term::open(&world, &[], 24, 80);
        let mut waits = world.command(&["wait", "p0"]).stdout(Stdio::null()).spawn().unwrap();
        let mut looker = Looker::open(&world, looked_at, 50, 200, true);
        looker.until("a frame", |looker| !looker.rows.is_empty());
        dice.moment(Duration::from_millis(80));
        kill(term.pid());
        waits.kill().unwrap();
        drop(looker);
        waits.wait().unwrap();
    }
    assert_eq!(world.daemon(), Some(daemon));
    for printer in &printers {
        assert!(is_alive(printer.keeper.child), "the agent of {} died", printer.name);
    }
    let gone = || (world.json(&["daemon", "status"])["clients"] == 1).then_some(());
    wait::until("the daemon to forget the dead clients", gone);
    check_spools(&world, &printers);
}

#[test]
fn a_restarted_daemon_shows_all_screens_and_scrollback_included() {
    let world = World::new();
    let lines: String = (1..=120).map(|n| format!("print line-{n}\\r\\n\n")).collect();
    world.launch("talk", &script(&format!("{lines}stay")), &["--lid", "off", "--agent", "scripted-tui"]);
    let task = world.until_state("talk", TaskState::Working);
    let job = task.attempt().unwrap().job.unwrap();
    wait::until("the last line", || world.ok(&["logs", "talk"]).contains("line-120").then_some(()));
    let before = world.ok(&["logs", "talk"]);
    world.ok(&["daemon", "restart"]);
    wait::until("the same screen and history", || (world.ok(&["logs", "talk"]) == before).then_some(()));
    kill(world.daemon().unwrap());
    world.ok(&["ls"]);
    wait::until("the same after a kill", || (world.ok(&["logs", "talk"]) == before).then_some(()));
    let mut looker = Looker::open(&world, job, 24, 80, true);
    looker.until("the screen", |looker| looker.has("line-120"));
}

#[test]
fn an_agent_that_died_with_its_keeper_is_shown_as_interrupted_and_can_be_retried() {
    let world = World::new();
    world.launch(
        "lost",
        &script("when attempt 1\n  edit half.txt <<E\nhalf\nE\n  hang\nend\nedit a.txt <<E\na\nE\ncommit A"),
        &[],
    );
    let task = world.until_state("lost", TaskState::Working);
    let job = world.paths.job(task.attempt().unwrap().job.unwrap().0);
    let worktree = task.attempt().unwrap().worktree.clone().unwrap();
    let keeper = wait::until("its keeper", || keeper(&job));
    wait::until("its work", || worktree.join("half.txt").exists().then_some(()));
    kill(world.daemon().unwrap());
    // As when the machine goes: keeper and agent at once.
    kill(keeper.keeper);
    kill(keeper.child);
    wait::until("both to be gone", || (!is_alive(keeper.child) && !is_alive(keeper.keeper)).then_some(()));
    world.ok(&["ls"]);
    let task = world.until_state("lost", TaskState::Interrupted);
    assert!(task.needs_you);
    assert!(worktree.join("half.txt").exists(), "its work is there");
    world.ok(&["retry", "lost", "--wait"]);
    assert_eq!(world.show("lost")["state"], "review");
    let archived = || {
        let refs = world.git(&["for-each-ref", "--format=%(refname)", "refs/nopeek"]);
        let branches = world.git(&["for-each-ref", "--format=%(refname)", "refs/heads/nopeek/lost/1"]);
        let held = refs.lines().chain(branches.lines()).any(|name| {
            world.git(&["ls-tree", "-r", "--name-only", name]).lines().any(|file| file == "half.txt")
        });
        (held || worktree.join("half.txt").exists()).then_some(())
    };
    wait::until("the half work to be somewhere", archived);
}

#[test]
fn an_interrupted_session_of_an_agent_is_resumed_in_its_worktree() {
    let world = World::new();
    // Says its session as one of the CLIs does, and goes on with it when it is asked to.
    let text = "if [ \"$1\" = resume ]; then echo \"resumed $2\" >> half.txt; git add -A; git commit -qm Finish; exit; fi\n\
                echo '{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"S-1\"}'\necho half > half.txt\n\
                exec sleep 1000\n";
    let file = world.file("cli.sh", text);
    let file = file.to_str().unwrap();
    world.configure(&format!(
        "[agents.cli]\ncommand = [\"sh\", {file:?}, \"{{prompt}}\"]\n\
         resume = [\"sh\", {file:?}, \"resume\", \"{{session}}\"]\nmode = \"headless\"\ndialect = \"claude\"\n"
    ));
    world.launch("lost", "Do it.", &["--agent", "cli"]);
    let task = world.until_state("lost", TaskState::Working);
    let attempt = task.attempt().unwrap();
    let job = world.paths.job(attempt.job.unwrap().0);
    let worktree = attempt.worktree.clone().unwrap();
    let keeper = wait::until("its keeper", || keeper(&job));
    let known = || world.json(&["ledger"]).to_string().contains("S-1").then_some(());
    wait::until("its session to be known", known);
    wait::until("its work", || worktree.join("half.txt").exists().then_some(()));
    kill(keeper.keeper);
    kill(keeper.child);
    let task = world.until_state("lost", TaskState::Interrupted);
    assert!(task.needs_you && task.why.as_str().contains("resume or retry"), "{}", task.why);
    world.ok(&["resume", "lost"]);
    let task = world.until_state("lost", TaskState::Review);
    assert_eq!(task.attempts.len(), 1, "it is the same attempt");
    assert_eq!(world.git(&["show", "nopeek/lost/1:half.txt"]), "half\nresumed S-1");
    world.ok(&["approve", "lost", "--wait"]);
    assert_eq!(world.on_main("half.txt").unwrap(), "half\nresumed S-1\n");
}

#[test]
fn a_daemon_whose_socket_was_taken_away_is_found_again() {
    let world = World::new();
    world.launch("kettle", &script("hang"), &[]);
    world.until_state("kettle", TaskState::Working);
    let daemon = world.daemon();
    std::fs::remove_file(world.paths.socket()).unwrap();
    assert!(world.ok(&["ls"]).contains("kettle"));
    assert_eq!(world.daemon(), daemon, "the same one");
    std::fs::remove_file(world.paths.socket()).unwrap();
    world.ok(&["daemon", "restart"]);
    assert!(world.ok(&["ls"]).contains("kettle"));
}
