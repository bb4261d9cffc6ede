//! Facts of batches in words.

use crate::core::model::batch::fact::BatchFact;
use crate::values::text::Shown;
use crate::values::words::duration;
use crate::values::words::plural::{counted, verb};

impl BatchFact {
    /// The fact in words, one line.
    #[must_use]
    pub fn describe(&self) -> Shown {
        Shown::line(&describe(self))
    }
}

fn describe(fact: &BatchFact) -> String {
    let colon = |why: &Shown| if why.is_empty() { String::new() } else { format!(": {why}") };
    match fact {
        BatchFact::Scheduled { schedule } => {
            let when =
                schedule.cron.as_ref().map_or_else(|| "on request".to_owned(), |cron| format!("at {cron}"));
            let phases: Vec<&str> = schedule.phases.keys().map(|phase| phase.label()).collect();
            format!("batches {when}: {}", phases.join(", "))
        }
        BatchFact::Switched { on: true, .. } => "the schedule is on".to_owned(),
        BatchFact::Switched { on: false, .. } => "the schedule is off".to_owned(),
        BatchFact::Watched { on: true, .. } => "the queue is watched".to_owned(),
        BatchFact::Watched { on: false, .. } => "the queue is not watched any more".to_owned(),
        BatchFact::Opened { batch, due: Some(_), .. } => format!("batch {batch} begins"),
        BatchFact::Opened { batch, due: None, .. } => format!("batch {batch} begins: started by a person"),
        BatchFact::Missed { count, .. } => format!("{} missed", counted(*count, "batch")),
        BatchFact::PhaseBegan { batch, phase, limit, .. } => {
            format!("batch {batch}: {} begins, for at most {}", phase.label(), duration::long(*limit))
        }
        BatchFact::Looked { waiting, .. } => format!(
            "the queue was read: {} {}",
            counted(waiting.len(), "file"),
            verb(waiting.len(), "waits", "wait")
        ),
        BatchFact::Taken { spec, folder, file, .. } => format!("{folder}/{file} is built as spec {spec}"),
        BatchFact::Refused { folder, file, why, .. } => format!("{folder}/{file} can't be built: {why}"),
        BatchFact::Moved { spec, to } => format!("the file of spec {spec} goes to {}", to.folder()),
        BatchFact::Tasked { batch, phase, .. } => format!("belongs to batch {batch}, {}", phase.label()),
        BatchFact::Left { batch, spec, tasks, .. } if tasks.is_empty() => {
            format!("batch {batch} leaves spec {spec} to the next")
        }
        BatchFact::Left { batch, spec, tasks, .. } => {
            format!(
                "batch {batch} leaves spec {spec} to the next, with {} stopped",
                counted(tasks.len(), "task")
            )
        }
        BatchFact::WentOn { batch, spec, .. } => format!("batch {batch} goes on with spec {spec}"),
        BatchFact::Reported { batch, file, .. } => format!("the report of batch {batch} is in {file}"),
        BatchFact::PhaseOver { batch, phase, outcome, why, .. } => {
            format!("batch {batch}: {} {}{}", phase.label(), outcome.label(), colon(why))
        }
        BatchFact::Closed { batch, .. } => format!("batch {batch} is over"),
    }
}
