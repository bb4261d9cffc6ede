//! Clients: who is connected, what each has subscribed to, and where their answers go.
//!
//! Promises: nothing here waits for a client, its outbox is bounded; of all clients one rings for a notice, the one whose
//! person did something last.

use super::message::{ClientId, ReplyTo};
use super::outbox::Outbox;
use super::rings::{Rings, is_word_of_a_person};
use crate::core::model::notice::Notice;
use crate::values::text::Shown;
use crate::wire::client::ToDaemon;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Longest name of a person in the ledger, in characters.
const WHO_MAX: usize = 100;

/// A connected client.
#[derive(Debug)]
struct Client {
    outbox: Arc<Outbox>,
    who: String,
    /// It is sent boards and notices.
    subscribed: bool,
    rings: Rings,
}

/// All connected clients.
#[derive(Debug, Default)]
pub(super) struct Clients {
    connected: BTreeMap<ClientId, Client>,
}

impl Clients {
    /// A client has said hello; `who` as it says.
    pub(super) fn join(&mut self, id: ClientId, outbox: Arc<Outbox>, who: &str) {
        let who = Shown::line(who).as_str().chars().take(WHO_MAX).collect();
        self.connected.insert(id, Client { outbox, who, subscribed: false, rings: Rings::default() });
    }

    /// A client is gone. Its outbox, closed.
    pub(super) fn leave(&mut self, id: ClientId) -> Option<Arc<Outbox>> {
        let gone = self.connected.remove(&id)?;
        gone.outbox.close();
        Some(gone.outbox)
    }

    /// The daemon ends: all are sent away once their answers are written.
    pub(super) fn send_away(&mut self) {
        self.connected.values().for_each(|client| client.outbox.close());
        self.connected.clear();
    }

    /// How many are connected.
    pub(super) fn count(&self) -> usize {
        self.connected.len()
    }

    /// Where messages for a client go.
    pub(super) fn outbox(&self, id: ClientId) -> Option<&Arc<Outbox>> {
        self.connected.get(&id).map(|client| &client.outbox)
    }

    /// Where the answer to a client's request goes.
    pub(super) fn reply_to(&self, id: ClientId, request: u64) -> Option<ReplyTo> {
        let client = self.connected.get(&id)?;
        Some(ReplyTo { outbox: Arc::clone(&client.outbox), id: request, who: client.who.clone() })
    }

    /// A client wants boards and notices, or no more of them.
    pub(super) fn subscribe(&mut self, id: ClientId, on: bool) {
        if let Some(client) = self.connected.get_mut(&id) {
            client.subscribed = on;
        }
    }

    /// Whether anybody sees the board.
    pub(super) fn any_subscribed(&self) -> bool {
        self.subscribed().next().is_some()
    }

    /// Sends an encoded board to all who see it.
    pub(super) fn board(&self, bytes: &Arc<Vec<u8>>) {
        self.subscribed().for_each(|(_, client)| client.outbox.board(bytes));
    }

    /// Keeps in mind whose person did something last, and what a client rings for.
    pub(super) fn heed(&mut self, id: ClientId, message: &ToDaemon) {
        if !is_word_of_a_person(message) {
            return;
        }
        let word = self.connected.values().map(|client| client.rings.word).max().unwrap_or(0) + 1;
        let Some(client) = self.connected.get_mut(&id) else { return };
        client.rings.word = word;
        if let ToDaemon::Ring { repo } = message {
            client.rings.only = Some(repo.clone());
        }
    }

    /// Tells all who see the board of a notice about a task of `repo`; one of them rings.
    pub(super) fn notice(&self, notice: &Notice, repo: Option<&Path>) {
        let ringer = self
            .subscribed()
            .filter(|(_, client)| client.rings.for_repo(repo))
            .max_by_key(|(_, client)| client.rings.word)
            .map(|(id, _)| id);
        for (id, client) in self.subscribed() {
            client.outbox.notice(notice.clone(), ringer == Some(id));
        }
    }

    fn subscribed(&self) -> impl Iterator<Item = (ClientId, &Client)> {
        self.connected.iter().filter(|(_, client)| client.subscribed).map(|(id, client)| (*id, client))
    }
}

#[cfg(test)]
mod tests {
    use super::super::outbox::Parcel;
    use super::*;
    use crate::core::model::notice::NoticeKind;
    use crate::values::ids::JobId;
    use crate::wire::client::FromDaemon;
    use crate::wire::frame::Decoder;

    fn rung(outbox: &Outbox) -> Option<bool> {
        let Parcel::Push(bytes) = outbox.more()? else { return None };
        let mut decoder = Decoder::default();
        decoder.push(&bytes);
        match decoder.next_message().unwrap() {
            Some(FromDaemon::Notice { ring, .. }) => Some(ring),
            _ => None,
        }
    }

    #[test]
    fn one_rings_whose_person_did_something_last_and_only_who_sees_the_board_is_told() {
        let mut clients = Clients::default();
        let outboxes: Vec<_> = (0..3).map(|_| Outbox::new()).collect();
        for (n, outbox) in (0..).zip(&outboxes) {
            clients.join(ClientId(n), Arc::clone(outbox), "ada");
            clients.subscribe(ClientId(n), n < 2);
            clients.heed(ClientId(n), &ToDaemon::Ring { repo: None });
        }
        clients.heed(ClientId(0), &ToDaemon::Look(Vec::new()));
        clients.heed(ClientId(1), &ToDaemon::Shown(JobId(1)));
        let notice = Notice { task: None, kind: NoticeKind::Red, text: Shown::line("x") };
        clients.notice(&notice, None);
        let rings: Vec<_> = outboxes.iter().map(|outbox| rung(outbox)).collect();
        assert_eq!(rings, [Some(true), Some(false), None], "a client's own message is no person's word");
        assert!(clients.leave(ClientId(0)).is_some() && clients.leave(ClientId(0)).is_none());
        clients.notice(&notice, None);
        assert_eq!((rung(&outboxes[0]), rung(&outboxes[1])), (None, Some(true)));
    }
}
