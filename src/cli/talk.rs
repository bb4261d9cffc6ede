//! A subcommand's talk with the daemon: connects (starting it if need be), asks, waits for boards.

use super::error::CliError;
use crate::client::{Client, Start};
use crate::core::views::board::{Board, TaskView};
use crate::os::paths::Paths;
use crate::values::time::Span;
use crate::wire::client::{Act, FromDaemon, Reply, Request, TaskRef, ToDaemon};
use std::path::{Path, PathBuf};
use tokio::runtime::{Builder, Runtime};

/// A connection of one subcommand.
pub(super) struct Talk {
    runtime: Runtime,
    client: Client,
    repo: Option<PathBuf>,
}

impl Talk {
    /// Connects; starts the daemon if there is none.
    pub(super) fn open() -> Result<Self, CliError> {
        Self::with(Start::IfNeeded)
    }

    /// Connects to a daemon that runs already.
    pub(super) fn open_running() -> Result<Self, CliError> {
        Self::with(Start::Never)
    }

    fn with(start: Start) -> Result<Self, CliError> {
        let paths = paths()?;
        let runtime = runtime()?;
        let client = runtime.block_on(Client::connect(&paths, start))?;
        Ok(Self { runtime, client, repo: here() })
    }

    /// The main checkout of the repo that the person stands in.
    pub(super) fn repo(&self) -> Option<&Path> {
        self.repo.as_deref()
    }

    /// The task of this name, in this repo if the person stands in one.
    pub(super) fn named(&self, name: &str) -> TaskRef {
        TaskRef { repo: self.repo.clone(), name: name.to_owned() }
    }

    /// Asks one thing.
    pub(super) fn ask(&mut self, request: Request) -> Result<Reply, CliError> {
        Ok(self.runtime.block_on(self.client.request(request))?)
    }

    /// The board as it is.
    pub(super) fn board(&mut self) -> Result<Board, CliError> {
        match self.ask(Request::Board)? {
            Reply::Board(board) => Ok(*board),
            other => Err(CliError::odd(&other)),
        }
    }

    /// A task as it is.
    pub(super) fn task(&mut self, name: &str) -> Result<TaskView, CliError> {
        match self.ask(Request::Task(self.named(name)))? {
            Reply::Task(task) => Ok(*task),
            other => Err(CliError::odd(&other)),
        }
    }

    /// Does something to a task.
    pub(super) fn act(&mut self, name: &str, act: Act) -> Result<(), CliError> {
        self.ask(Request::Act { task: self.named(name), act }).map(|_| ())
    }

    /// Looks at boards as they come until `look` is satisfied; none if that takes longer than `timeout`.
    /// Outlives a restart of the daemon.
    pub(super) fn watch<T>(
        &mut self,
        timeout: Option<Span>,
        mut look: impl FnMut(&Board) -> Option<T>,
    ) -> Result<Option<T>, CliError> {
        let Self { runtime, client, .. } = self;
        let watched = watched(client, &mut look);
        match timeout {
            None => runtime.block_on(watched).map(Some),
            Some(timeout) => runtime.block_on(async {
                tokio::time::timeout(timeout.into(), watched).await.map_or(Ok(None), |found| found.map(Some))
            }),
        }
    }
}

async fn watched<T>(client: &mut Client, look: &mut impl FnMut(&Board) -> Option<T>) -> Result<T, CliError> {
    loop {
        if client.send(ToDaemon::Subscribe(true)).await.is_ok() {
            if let Ok(Reply::Board(board)) = client.request(Request::Board).await
                && let Some(found) = look(&board)
            {
                return Ok(found);
            }
            while let Some(message) = client.next().await {
                if let FromDaemon::Board(board) = message
                    && let Some(found) = look(&board)
                {
                    return Ok(found);
                }
            }
        }
        *client = Client::connect(&paths()?, Start::IfNeeded).await?;
    }
}

/// Where nopeek keeps its files.
pub(super) fn paths() -> Result<Paths, CliError> {
    Paths::find().map_err(|error| CliError::world(error, "set NOPEEK_HOME to a folder that you own"))
}

/// The runtime of a client: one thread.
pub(super) fn runtime() -> Result<Runtime, CliError> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::world(format!("can't start the event loop: {error}"), ""))
}

/// The main checkout of the repo that the person stands in.
pub(super) fn here() -> Option<PathBuf> {
    let folder = std::env::current_dir().ok()?;
    crate::git::repo::find(&folder).ok().map(|repo| repo.main)
}
