//! Reports of simulated crews: their sums are what a count of the bare facts says.

use crate::core::model::agent::Usage;
use crate::core::model::assignment::AttemptKind;
use crate::core::model::attempt::AttemptResult;
use crate::core::model::fact::{Entry, Fact};
use crate::core::model::gate::Verdict;
use crate::core::model::job::Role;
use crate::core::sim;
use crate::report::gather::report;
use crate::report::{Report, Scope, TASKS_MAX, html, markdown, words};
use crate::values::ids::{AttemptId, JobId, TaskId};
use crate::values::text::Shown;
use crate::values::time::Time;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A simulated ledger in which some agents say what they use: twice, in totals.
fn ledger(seed: u64) -> Vec<Entry> {
    let mut out: Vec<Entry> = Vec::new();
    let mut agents: BTreeMap<JobId, AttemptId> = BTreeMap::new();
    // What the simulation itself lets agents tell is left out: this test counts its own.
    let told = |entry: &Entry| matches!(entry.fact, Fact::UsageKnown { .. });
    for entry in sim::ledger(seed).into_iter().filter(|entry| !told(entry)) {
        let at = entry.at;
        let mut push = |fact| out.push(Entry { seq: out.len() as u64 + 1, at, by: "sim".into(), fact });
        match &entry.fact {
            Fact::JobOpened { job, attempt, role: Role::Agent } => drop(agents.insert(*job, *attempt)),
            Fact::JobEnded { job, .. } => {
                if let Some(attempt) = agents.get(job).copied().filter(|a| a.task.0 % 3 != 0) {
                    let usage = |n| Usage {
                        tokens_in: Some(n * 1_000),
                        tokens_out: Some(n),
                        cost_microusd: Some(n * 7),
                        ..Usage::default()
                    };
                    push(Fact::UsageKnown { attempt, usage: usage(job.0 * 50 + 3) });
                    push(Fact::UsageKnown { attempt, usage: usage(job.0 * 50 + 40) });
                }
            }
            _ => {}
        }
        push(entry.fact);
    }
    out
}

/// What the facts say, counted without a state.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    tasks: BTreeSet<TaskId>,
    landed: u32,
    rolled_back: u32,
    attempts: u32,
    looks: u32,
    verdicts: u32,
    red_gates: u32,
    answers: u32,
    peeks: u32,
    sent_back: u32,
    cost: u64,
    tokens_in: u64,
    unknown: u32,
    work: u64,
    /// Ended, green, landed; of peeked attempts, then of the others.
    fared: [[u32; 3]; 2],
}

fn count(entries: &[Entry]) -> Count {
    let mut all = Count::default();
    let mut usage: BTreeMap<AttemptId, Usage> = BTreeMap::new();
    let (mut ran, mut agents) = (BTreeSet::new(), BTreeMap::new());
    let (mut over, mut green, mut landed, mut peeked) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut looks = BTreeSet::new();
    let mut newest: BTreeMap<TaskId, AttemptId> = BTreeMap::new();
    for entry in entries {
        match &entry.fact {
            Fact::Launched { task, .. } => drop(all.tasks.insert(*task)),
            Fact::AttemptOpened { attempt, part, .. } => {
                all.attempts += 1;
                match part {
                    AttemptKind::Work => drop(newest.insert(attempt.task, *attempt)),
                    AttemptKind::SecondReview => drop(looks.insert(*attempt)),
                }
            }
            Fact::JobOpened { job, attempt, role: Role::Agent } => drop(agents.insert(*job, *attempt)),
            Fact::JobRan { job, .. } => drop(agents.get(job).map(|attempt| ran.insert(*attempt))),
            Fact::UsageKnown { attempt, usage: new } => drop(usage.insert(*attempt, *new)),
            Fact::GateJudged { verdict, .. } => {
                all.verdicts += 1;
                let red = [Verdict::Failed, Verdict::TimedOut, Verdict::Errored].contains(verdict);
                all.red_gates += u32::from(red);
            }
            Fact::AttemptOver { attempt, result } => {
                over.insert(*attempt);
                if *result == AttemptResult::Green {
                    green.insert(*attempt);
                }
                all.sent_back += u32::from(*result == AttemptResult::SentBack);
            }
            Fact::Answered { .. }
            | Fact::Question(crate::core::model::question::QuestionFact::Answered { .. }) => all.answers += 1,
            Fact::Peeked { attempt, .. } => {
                all.peeks += 1;
                peeked.insert(*attempt);
            }
            Fact::Landed { task, .. } => {
                all.landed += 1;
                landed.insert(newest[task]);
            }
            Fact::RolledBack { .. } => all.rolled_back += 1,
            _ => {}
        }
    }
    all.cost = usage.values().filter_map(|usage| usage.cost_microusd).sum();
    all.tokens_in = usage.values().filter_map(|usage| usage.tokens_in).sum();
    all.unknown = ran.iter().filter(|attempt| !usage.contains_key(attempt)).count() as u32;
    all.work = work(entries, &agents);
    all.looks = looks.len() as u32;
    for (n, of) in [over, green, landed].into_iter().enumerate() {
        let of: BTreeSet<AttemptId> = of.difference(&looks).copied().collect();
        let seen = of.iter().filter(|attempt| peeked.contains(attempt)).count() as u32;
        all.fared[0][n] = seen;
        all.fared[1][n] = of.len() as u32 - seen;
    }
    all
}

/// Running time of agents, minute by minute of the ledger; only for ledgers in which nothing was paused or slept.
fn work(entries: &[Entry], agents: &BTreeMap<JobId, AttemptId>) -> u64 {
    let mut running: BTreeMap<JobId, Time> = BTreeMap::new();
    let mut sum = 0;
    for entry in entries {
        match &entry.fact {
            Fact::JobRan { job, .. } if agents.contains_key(job) => {
                running.entry(*job).or_insert(entry.at);
            }
            Fact::JobEnded { job, .. } => sum += running.remove(job).map_or(0, |from| entry.at.since(from).0),
            _ => {}
        }
    }
    sum
}

fn stands_still(entries: &[Entry]) -> bool {
    let still = |entry: &Entry| {
        matches!(entry.fact, Fact::Paused { .. } | Fact::Slept { .. } | Fact::Unpaused { .. })
    };
    entries.iter().any(still)
}

fn counted(report: &Report) -> Count {
    let totals = &report.totals;
    let fared = |of: &crate::report::Outcomes| [of.ended, of.green, of.landed];
    Count {
        tasks: report.tasks.iter().map(|task| task.id).collect(),
        landed: totals.landed,
        rolled_back: totals.rolled_back,
        attempts: totals.attempts,
        looks: totals.looks,
        verdicts: totals.verdicts,
        red_gates: totals.red_gates,
        answers: totals.answers,
        peeks: totals.peeks,
        sent_back: totals.sent_back,
        cost: totals.used.cost_microusd.unwrap_or(0),
        tokens_in: totals.used.tokens_in.unwrap_or(0),
        unknown: totals.used.cost_unknown,
        work: totals.used.work.0,
        fared: [fared(&totals.peeked), fared(&totals.unpeeked)],
    }
}

fn end(entries: &[Entry]) -> Time {
    entries.last().map_or(Time(1), |entry| Time(entry.at.0 + 1))
}

#[test]
fn the_totals_are_what_the_ledger_says() {
    let (mut costs, mut peeks, mut exact) = (0, 0, 0);
    for seed in 0..300 {
        let entries = ledger(seed);
        let report = report(&entries, Scope::default(), end(&entries));
        let (mut says, mut wants) = (counted(&report), count(&entries));
        if stands_still(&entries) {
            (says.work, wants.work) = (0, 0);
        } else {
            exact += 1;
        }
        assert_eq!(says, wants, "seed {seed}");
        let listed: u64 =
            report.tasks.iter().flat_map(|task| &task.attempts).filter_map(|a| a.used.cost_microusd).sum();
        assert_eq!(listed, wants.cost, "seed {seed}: what is listed adds up to the sum");
        costs += wants.cost;
        peeks += wants.peeks;
    }
    assert!(costs > 0 && peeks > 0 && exact > 10, "the ledgers prove nothing: {costs} {peeks} {exact}");
}

#[test]
fn reports_of_neighbouring_stretches_add_up_to_the_report_of_both() {
    for seed in 0..150 {
        let entries = ledger(seed);
        let (from, to) = (entries[0].at, end(&entries));
        let whole = report(&entries, Scope::default(), to).totals;
        let third = to.since(from).0 / 3;
        let cuts = [from, Time(from.0 + third), Time(from.0 + 2 * third), to];
        let parts: Vec<Report> = cuts
            .windows(2)
            .map(|cut| Scope { since: Some(cut[0]), until: Some(cut[1]), ..Scope::default() })
            .map(|scope| report(&entries, scope, to))
            .collect();
        let sum =
            |of: fn(&crate::report::Totals) -> u64| parts.iter().map(|part| of(&part.totals)).sum::<u64>();
        let counts: [fn(&crate::report::Totals) -> u64; 12] = [
            |t| t.landed.into(),
            |t| t.rolled_back.into(),
            |t| t.attempts.into(),
            |t| t.verdicts.into(),
            |t| t.red_gates.into(),
            |t| t.questions.into(),
            |t| t.answers.into(),
            |t| t.peeks.into(),
            |t| t.sent_back.into(),
            |t| t.used.cost_microusd.unwrap_or(0),
            |t| t.used.tokens_out.unwrap_or(0),
            |t| t.time.queued.0 + t.time.working.0 + t.time.waiting.0 + t.time.merging.0 + t.time.paused.0,
        ];
        for (n, of) in counts.into_iter().enumerate() {
            assert_eq!(sum(of), of(&whole), "seed {seed}, sum {n}");
        }
        if !entries.iter().any(|entry| matches!(entry.fact, Fact::Slept { .. })) {
            assert_eq!(sum(|t| t.used.work.0), whole.used.work.0, "seed {seed}: work");
        }
        assert!(parts.iter().all(|part| part.totals.time.working <= whole.time.working), "seed {seed}");
    }
}

#[test]
fn a_scope_keeps_to_its_tasks() {
    let entries = ledger(7);
    let to = end(&entries);
    let all = report(&entries, Scope::default(), to);
    let mut landed = 0;
    for task in &all.tasks {
        let scope = Scope { tasks: Some([task.id].into()), ..Scope::default() };
        let one = report(&entries, scope, to);
        assert_eq!(one.tasks.as_slice(), std::slice::from_ref(task));
        landed += one.totals.landed;
    }
    assert_eq!(landed, all.totals.landed);
    let scope = Scope { repo: Some("/elsewhere".into()), ..Scope::default() };
    assert_eq!(report(&entries, scope, to).tasks, []);
    assert!(all.tasks.len() < TASKS_MAX);
}

#[test]
fn what_is_unknown_is_said_to_be_unknown() {
    let bare: Vec<Entry> =
        ledger(11).into_iter().filter(|entry| !matches!(entry.fact, Fact::UsageKnown { .. })).collect();
    let report = report(&bare, Scope::default(), end(&bare));
    let used = &report.totals.used;
    assert_eq!((used.cost_microusd, used.tokens_in), (None, None));
    assert!(used.cost_unknown > 0);
    assert_eq!(words::cost(used), "unknown");
    let text = markdown::render(&report, &TimeZone::UTC);
    assert!(text.contains("| cost | unknown |") && !text.contains("$0"), "{text}");
    assert!(!html::render(&report, &TimeZone::UTC).contains("$0"));
}

/// What a name, a question, a reason may hold at worst.
const EVIL: &str = "</title><script>alert('x')</script> | <img src=http://e.example/x> \u{202e}[a](b) \"&";

/// The same, and what acts on a terminal or hides.
const HOSTILE: &str = "</title></text></svg><script>alert('x')</script><img src=http://e.example/x onload=x> \u{202e}\u{1b}[31m\u{200b}\0 \"'&";

fn evil() -> Report {
    evil_of(3)
}

pub(super) fn evil_of(seed: u64) -> Report {
    let mut entries = ledger(seed);
    for entry in &mut entries {
        match &mut entry.fact {
            Fact::Launched { launch, .. } => {
                launch.prompt = EVIL.to_owned();
                launch.agent.profile = EVIL.to_owned();
            }
            Fact::WorktreeMade { ready, .. } => {
                ready.gates.iter_mut().for_each(|gate| gate.name = EVIL.to_owned());
            }
            Fact::Peeked { reason, .. } => *reason = EVIL.into(),
            Fact::Answered { answer, .. } => *answer = EVIL.into(),
            Fact::Stuck { why, .. } => *why = EVIL.into(),
            _ => {}
        }
        entry.by = EVIL.to_owned();
    }
    report(&entries, Scope::default(), end(&entries))
}

#[test]
fn the_page_needs_nothing_else_and_outside_text_means_nothing_in_it() {
    let page = html::render(&evil(), &TimeZone::UTC);
    assert!(page.contains("&lt;script&gt;"));
    inert(&page);
    balanced(&page);
    let text = markdown::render(&evil(), &TimeZone::UTC);
    assert!(!text.contains("\u{202e}") && !text.replace("\\<", "").contains("<script"), "{text}");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `work")).collect();
    assert!(
        !rows.is_empty() && rows.iter().all(|row| row.replace("\\|", "").matches('|').count() == 9),
        "{rows:?}"
    );
}

#[test]
fn no_text_of_a_report_means_anything_in_its_page() {
    let mut report = evil();
    report.tasks.truncate(4);
    let (report, texts) = hostile(&report);
    assert!(texts > 30, "{texts} texts are hostile: too few to prove something");
    let page = html::render(&report, &TimeZone::UTC);
    balanced(&page);
    inert(&page);
}

/// The value with each text in it, that may be any text, made hostile; and how many those are.
pub(super) fn hostile<T: Serialize + DeserializeOwned>(value: &T) -> (T, usize) {
    let mut json = serde_json::to_value(value).unwrap();
    let mut places = Vec::new();
    texts(&json, String::new(), &mut places);
    let mut count = 0;
    for place in places {
        let at = json.pointer_mut(&place).unwrap();
        let was = std::mem::replace(at, HOSTILE.into());
        if T::deserialize(&json).is_ok() {
            count += 1;
        } else {
            *json.pointer_mut(&place).unwrap() = was;
        }
    }
    (T::deserialize(&json).unwrap(), count)
}

/// Where in `json` texts stand.
fn texts(json: &Value, at: String, places: &mut Vec<String>) {
    match json {
        Value::String(_) => places.push(at),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(n, one)| texts(one, format!("{at}/{n}"), places));
        }
        Value::Object(map) => {
            let key = |key: &str| key.replace('~', "~0").replace('/', "~1");
            map.iter().for_each(|(name, one)| texts(one, format!("{at}/{}", key(name)), places));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Nothing of a page is loaded from elsewhere, runs, hides or turns a line around.
pub(super) fn inert(page: &str) {
    for bad in ["<script", "<img", "<link", "<iframe", "@import", "url(http"] {
        assert!(!page.contains(bad), "{bad} is in the page");
    }
    for tag in page.split('<').skip(1) {
        let inside = &tag[..tag.find('>').unwrap()];
        assert!(!inside.contains(" on") && !inside.contains(" href"), "<{inside}> acts");
    }
    let acts = |c: char| {
        (c.is_control() && c != '\n') || Shown::line(c.encode_utf8(&mut [0; 4])).as_str().starts_with("<U+")
    };
    if let Some(at) = page.find(acts) {
        panic!("{:?} is in the page", &page[at..].chars().next());
    }
    for outside in page.match_indices("http").map(|(at, _)| &page[at..]) {
        let ours = outside.starts_with("http://www.w3.org/2000/svg\"") || outside.starts_with("http-equiv");
        assert!(ours || outside.starts_with("http://e.example/x"), "{}", &outside[..40]);
    }
}

/// Each element that is opened is closed, in its place.
pub(super) fn balanced(page: &str) {
    let void = ["meta", "!doctype", "br"];
    let style = page.find("<style>").unwrap()..page.find("</style>").unwrap();
    let text = format!("{}{}", &page[..style.start], &page[style.end + 8..]);
    let mut open: Vec<&str> = Vec::new();
    for tag in text.split('<').skip(1) {
        let inside = &tag[..tag.find('>').expect("a tag ends")];
        let name = inside.split([' ', '/']).find(|part| !part.is_empty()).unwrap();
        if inside.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !inside.ends_with('/') && !void.iter().any(|void| name.eq_ignore_ascii_case(void)) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn an_empty_report_says_so() {
    let report = report(&[], Scope::default(), Time(1_000));
    assert!(markdown::render(&report, &TimeZone::UTC).contains("Nothing happened."));
    balanced(&html::render(&report, &TimeZone::UTC));
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
}

#[test]
fn whoever_has_less_room_gets_the_newer_tasks_and_all_sums() {
    let entries = ledger(5);
    let whole = report(&entries, Scope::default(), end(&entries));
    let mut short = whole.clone();
    short.shorten();
    assert_eq!(short.totals, whole.totals);
    assert_eq!(short.tasks.len() + short.left_out as usize, whole.tasks.len());
    assert_eq!(short.tasks.last(), whole.tasks.last());
}
