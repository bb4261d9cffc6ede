//! A client that looks at one job's screen, as the protocol has it: one frame in flight, changes added up.

use super::wait::PATIENCE;
use super::world::World;
use nopeek::client::{Client, Start};
use nopeek::values::ids::JobId;
use nopeek::wire::client::{FromDaemon, Look, ToDaemon};
use tokio::runtime::{Builder, Runtime};

pub(crate) struct Looker {
    runtime: Runtime,
    client: Client,
    job: JobId,
    /// The screen as it is known here.
    pub(crate) rows: Vec<String>,
    pub(crate) size: (u16, u16),
    /// The daemon said that there is nothing to see.
    pub(crate) covered: bool,
}

impl Looker {
    pub(crate) fn open(world: &World, job: JobId, rows: u16, cols: u16, focus: bool) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let mut client = Client::connect(&world.paths, Start::Never).await.unwrap();
            let look = Look { job, rows, cols, focus, scrolled: 0 };
            client.send(ToDaemon::Look(vec![look])).await.unwrap();
            client
        });
        Self { runtime, client, job, rows: Vec::new(), size: (0, 0), covered: false }
    }

    /// Says something else to the daemon.
    pub(crate) fn send(&mut self, message: ToDaemon) {
        self.runtime.block_on(self.client.send(message)).unwrap();
    }

    /// Looks until the screen is as wanted.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, good: impl Fn(&Self) -> bool) {
        if !self.within(PATIENCE, good) {
            panic!("waited {PATIENCE:?} for {what}\ncovered: {}\n{}", self.covered, self.rows.join("\n"));
        }
    }

    /// The same; whether it came in time.
    pub(crate) fn within(&mut self, patience: std::time::Duration, good: impl Fn(&Self) -> bool) -> bool {
        let began = nopeek::os::clock::instant();
        while !good(self) {
            let left = patience.saturating_sub(began.elapsed());
            let next = self.client.next();
            let next = self.runtime.block_on(async { tokio::time::timeout(left, next).await });
            match next {
                Ok(Some(message)) => self.hear(message),
                Ok(None) | Err(_) => return false,
            }
        }
        true
    }

    fn hear(&mut self, message: FromDaemon) {
        match message {
            FromDaemon::Frame { job, changes } if job == self.job => {
                self.covered = false;
                self.size = (changes.rows, changes.cols);
                if changes.full {
                    self.rows.clear();
                }
                self.rows.resize(usize::from(changes.rows), String::new());
                for (n, row) in changes.changed {
                    self.rows[usize::from(n)] = row.text();
                }
                self.send(ToDaemon::Shown(self.job));
            }
            FromDaemon::Covered(job) if job == self.job => {
                self.covered = true;
                self.rows.clear();
            }
            _ => {}
        }
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.rows.iter().any(|row| row.contains(text))
    }
}
