//! A plan: the tasks of a spec, as a graph in phases; what makes one sound; and its picture.
//!
//! Owns the rules of a plan: every task has a check and stays within the spec's touchpoints, nothing waits for itself, and
//! two tasks that may change the same file never run at once: the later one is kept apart. Phase files are read by
//! [`crate::config`].

use crate::core::model::plan::{Phase, Planned, TASKS_MAX};
use crate::values::ids::TaskName;
use crate::values::pattern::{Pattern, collide};
use crate::values::words::duration;
use std::collections::BTreeSet;

/// Something in a plan that can't stay so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub file: String,
    /// From 1.
    pub line: usize,
    pub what: String,
    /// What to write instead.
    pub remedy: String,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, ": {}", self.remedy) }
    }
}

/// All that is wrong with a plan for a spec with these touchpoints.
#[must_use]
pub fn check(phases: &[Phase], touchpoints: &[String]) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut wrong = |phase: &Phase, line: usize, what: String, remedy: &str| {
        mistakes.push(Mistake { file: phase.file.clone(), line, what, remedy: remedy.to_owned() });
    };
    let count: usize = phases.iter().map(|phase| phase.tasks.len()).sum();
    if let Some(phase) = phases.last().filter(|_| count > TASKS_MAX) {
        let what = format!("the plan has {count} tasks; {TASKS_MAX} are allowed");
        wrong(phase, 1, what, "cut the spec into several");
    }
    let allowed: Vec<Pattern> = touchpoints.iter().filter_map(|text| Pattern::parse(text).ok()).collect();
    let mut seen: BTreeSet<&TaskName> = BTreeSet::new();
    for (n, phase) in phases.iter().enumerate() {
        if phase.tasks.is_empty() {
            wrong(phase, 1, "the phase has no task".to_owned(), "add a [[task]], or take the file away");
        }
        for task in &phase.tasks {
            let name = &task.name;
            if !seen.insert(name) {
                wrong(phase, task.line, format!("there are two tasks {name}"), "give each its own name");
            }
            if task.does.trim().is_empty() {
                wrong(
                    phase,
                    task.line,
                    format!("task {name} does nothing"),
                    "say in does what is to be done",
                );
            }
            if task.check.trim().is_empty() {
                wrong(
                    phase,
                    task.line,
                    format!("task {name} has no check"),
                    "name the command that says whether it is done",
                );
            }
            if task.touches.is_empty() {
                let what = format!("task {name} does not say what it touches");
                wrong(phase, task.line, what, "list the paths that it may change");
            }
            for touch in &task.touches {
                if !allowed.is_empty() && !allowed.iter().any(|pattern| covers(pattern, touch)) {
                    let what = format!("task {name} touches {touch}, outside of the spec's touchpoints");
                    wrong(phase, task.line, what, &format!("the spec allows {}", touchpoints.join(", ")));
                }
            }
            for need in &task.after {
                let known = phases.iter().take(n + 1).flat_map(|p| &p.tasks).any(|other| other.name == *need);
                let later = phases.iter().skip(n + 1).flat_map(|p| &p.tasks).any(|other| other.name == *need);
                if later {
                    let what = format!("task {name} waits for {need}, which is in a later phase");
                    wrong(phase, task.line, what, "phases run one after the other: move one of them");
                } else if !known {
                    wrong(
                        phase,
                        task.line,
                        format!("there is no task {need} to wait for"),
                        "name a task of the plan",
                    );
                }
            }
        }
        if let Some(task) = in_circle(phase) {
            let what = format!("task {} waits for itself, by way of its after", task.name);
            wrong(phase, task.line, what, "take one of them out");
        }
    }
    mistakes
}

/// Whether all that `touch` can match is allowed by `pattern`, as far as can be told: a literal path that it matches, or
/// the same words, or a longer one below `DIR/**`.
fn covers(pattern: &Pattern, touch: &str) -> bool {
    let text = pattern.as_str();
    let below = text.strip_suffix("**").or_else(|| text.strip_suffix('/').map(|_| text));
    pattern.matches(touch) || text == touch || below.is_some_and(|folder| touch.starts_with(folder))
}

/// A task of the phase that waits for itself.
fn in_circle(phase: &Phase) -> Option<&Planned> {
    let mut done: BTreeSet<&TaskName> = BTreeSet::new();
    let own = |name: &TaskName| phase.tasks.iter().any(|task| task.name == *name);
    loop {
        let before = done.len();
        for task in &phase.tasks {
            if task.after.iter().all(|need| done.contains(need) || !own(need)) {
                done.insert(&task.name);
            }
        }
        if done.len() == before {
            return phase.tasks.iter().find(|task| !done.contains(&task.name));
        }
    }
}

/// Tasks of one phase that may change the same file and do not wait for each other: earlier, later, where.
#[must_use]
pub fn kept_apart(phase: &Phase) -> Vec<(&Planned, &Planned, &str)> {
    let mut pairs = Vec::new();
    for (n, first) in phase.tasks.iter().enumerate() {
        for second in &phase.tasks[n + 1..] {
            let ordered = waits_for(phase, second, first) || waits_for(phase, first, second);
            if let (false, Some(place)) = (ordered, collide(&first.touches, &second.touches)) {
                pairs.push((first, second, place));
            }
        }
    }
    pairs
}

fn waits_for(phase: &Phase, task: &Planned, other: &Planned) -> bool {
    let mut todo: Vec<&TaskName> = task.after.iter().collect();
    let mut seen: BTreeSet<&TaskName> = BTreeSet::new();
    while let Some(name) = todo.pop() {
        if *name == other.name {
            return true;
        }
        if seen.insert(name) {
            let named = phase.tasks.iter().filter(|task| task.name == *name);
            todo.extend(named.flat_map(|task| &task.after));
        }
    }
    false
}

/// The plan as a graph for people, a line a task: phases from top to bottom, in each what waits for what.
#[must_use]
pub fn graph(phases: &[Phase]) -> Vec<String> {
    let mut lines = Vec::new();
    for (n, phase) in phases.iter().enumerate() {
        lines.push(format!("phase {}  {}", n + 1, phase.title));
        let apart = kept_apart(phase);
        let width = phase.tasks.iter().map(|task| task.name.as_str().len()).max().unwrap_or(0);
        for (at, (task, depth)) in ordered(phase).into_iter().enumerate() {
            let last = at + 1 == phase.tasks.len();
            let branch = if last { "└" } else { "├" };
            let mut line = format!("  {branch}{}─ {:width$}", "──".repeat(depth), task.name.as_str());
            let own: Vec<&str> = task.after.iter().map(TaskName::as_str).collect();
            if !own.is_empty() {
                line.push_str(&format!("  after {}", own.join(", ")));
            }
            for (first, _, place) in apart.iter().filter(|(_, second, _)| second.name == task.name) {
                line.push_str(&format!("  runs after {}: both change {place}", first.name));
            }
            lines.push(line.trim_end().to_owned());
        }
        if let Some(soak) = phase.soak {
            lines.push(format!("  bake time {}", duration::minutes(soak)));
        }
    }
    lines
}

/// The phase's tasks, each after those that it waits for, with how deep it stands.
fn ordered(phase: &Phase) -> Vec<(&Planned, usize)> {
    let mut placed: Vec<(&Planned, usize)> = Vec::new();
    while placed.len() < phase.tasks.len() {
        let before = placed.len();
        for task in &phase.tasks {
            let own = |need: &&TaskName| phase.tasks.iter().any(|other| other.name == **need);
            let depth_of = |need: &TaskName| placed.iter().find(|(p, _)| p.name == *need).map(|(_, d)| *d);
            let ready = task.after.iter().filter(own).all(|need| depth_of(need).is_some());
            if ready && !placed.iter().any(|(p, _)| p.name == task.name) {
                let depth = task.after.iter().filter_map(depth_of).max().map_or(0, |depth| depth + 1);
                placed.push((task, depth));
            }
        }
        if placed.len() == before {
            // A circle, or a name twice: shown as it stands, and check() says what is wrong.
            let rest: Vec<_> = phase.tasks.iter().skip(placed.len()).map(|task| (task, 0)).collect();
            placed.extend(rest);
        }
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(name: &str, touches: &[&str], after: &[&str]) -> Planned {
        Planned {
            name: TaskName::new(name).unwrap(),
            does: "something".into(),
            touches: touches.iter().map(|text| (*text).to_owned()).collect(),
            check: "make test".into(),
            after: after.iter().map(|name| TaskName::new(name).unwrap()).collect(),
            agent: None,
            line: 3,
        }
    }

    fn phase(n: usize, tasks: Vec<Planned>) -> Phase {
        Phase {
            file: format!("specs/x/phase-{n}.md"),
            title: "Tea".into(),
            soak: None,
            notes: String::new(),
            tasks,
        }
    }

    #[test]
    fn each_mistake_of_a_plan_is_named_with_its_place() {
        let points = ["src/**".to_owned(), "README.md".to_owned()];
        let says =
            |phases: &[Phase]| check(phases, &points).iter().map(ToString::to_string).collect::<Vec<_>>();
        let sound = [phase(1, vec![task("a", &["src/a.rs"], &[]), task("b", &["README.md"], &["a"])])];
        assert!(says(&sound).is_empty(), "{:?}", says(&sound));
        let cases: [(Vec<Phase>, &str); 9] = [
            (vec![phase(1, vec![])], "specs/x/phase-1.md:1: the phase has no task"),
            (
                vec![phase(1, vec![task("a", &["src/a"], &[]), task("a", &["src/b"], &[])])],
                "specs/x/phase-1.md:3: there are two tasks a",
            ),
            (
                vec![phase(1, vec![Planned { check: " ".into(), ..task("a", &["src/a"], &[]) }])],
                "specs/x/phase-1.md:3: task a has no check: name the command",
            ),
            (
                vec![phase(1, vec![Planned { does: String::new(), ..task("a", &["src/a"], &[]) }])],
                "specs/x/phase-1.md:3: task a does nothing",
            ),
            (
                vec![phase(1, vec![task("a", &[], &[])])],
                "specs/x/phase-1.md:3: task a does not say what it touches",
            ),
            (
                vec![phase(1, vec![task("a", &["lib/a.rs"], &[])])],
                "specs/x/phase-1.md:3: task a touches lib/a.rs, outside of the spec's touchpoints: the spec allows src/**, README.md",
            ),
            (
                vec![
                    phase(1, vec![task("a", &["src/a"], &["b"])]),
                    phase(2, vec![task("b", &["src/b"], &[])]),
                ],
                "specs/x/phase-1.md:3: task a waits for b, which is in a later phase",
            ),
            (vec![phase(1, vec![task("a", &["src/a"], &["z"])])], "specs/x/phase-1.md:3: there is no task z"),
            (
                vec![phase(1, vec![task("a", &["src/a"], &["b"]), task("b", &["src/b"], &["a"])])],
                "specs/x/phase-1.md:3: task a waits for itself",
            ),
        ];
        for (phases, wanted) in cases {
            let said = says(&phases);
            assert!(said.iter().any(|line| line.starts_with(wanted)), "{wanted}\n{said:?}");
        }
    }

    #[test]
    fn tasks_on_one_file_are_kept_apart_unless_they_wait_for_each_other() {
        let both = phase(1, vec![task("a", &["src/x.rs"], &[]), task("b", &["src/**"], &[])]);
        let pairs: Vec<_> =
            kept_apart(&both).iter().map(|(a, b, at)| (a.name.as_str(), b.name.as_str(), *at)).collect();
        assert_eq!(pairs, [("a", "b", "src/x.rs")]);
        let chain = phase(
            1,
            vec![
                task("a", &["src/x.rs"], &[]),
                task("m", &["src/m.rs"], &["a"]),
                task("b", &["src/x.rs"], &["m"]),
            ],
        );
        assert!(kept_apart(&chain).is_empty());
    }

    #[test]
    fn a_plan_is_drawn_as_a_graph() {
        let plan = [
            phase(
                1,
                vec![
                    task("parse", &["src/p"], &[]),
                    task("print", &["src/q"], &["parse"]),
                    task("docs", &["src/p"], &[]),
                ],
            ),
            phase(2, vec![task("join", &["src/j"], &[])]),
        ];
        assert_eq!(
            graph(&plan),
            [
                "phase 1  Tea",
                "  ├─ parse",
                "  ├─── print  after parse",
                "  └─ docs   runs after parse: both change src/p",
                "phase 2  Tea",
                "  └─ join",
            ]
        );
    }
}
