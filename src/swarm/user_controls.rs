//! What a simulated user does beside chatting: stops and approves, comes back with a cursor, waits
//! for others, goes away from a request.

use super::speech;
use super::user::User;
use crate::trial::history::What;
use crate::trial::ids::RunId;
use crate::trial::plan::CursorKind;
use crate::world::backend::Cursor;

impl User {
    /// Waits until that user is done, as the next at one desk does.
    pub(super) async fn await_user(&mut self, index: u32) {
        let place = self.plan.users.iter().position(|user| user.index == index);
        let Some(done) = place.map(|place| self.done[place].clone()) else { return };
        tokio::select! {
            biased;
            () = done.wait(&self.world) => {}
            _ = self.world.patience(self.patience.run * 2) => {}
        }
    }

    /// Goes away from the request that started the run; what became of it is unknown.
    pub(super) fn abandon(&mut self, run: u16) {
        let Some(place) = self.calls.iter().position(|call| call.run == Some(run)) else { return };
        let call = self.calls.remove(place);
        self.progress.let_go(run);
        let error = "the user went away".into();
        self.observe(Some(&call.name), What::Broken { error });
    }

    /// Stops or approves a run whose id is known by now.
    pub(super) async fn control(&mut self, run: u16, action: &'static str) {
        if let Some(id) = self.progress.id(run) {
            let call = speech::control(id, action);
            self.ask(call, Some(run), self.patience.run).await;
        }
    }

    /// Vanishes and comes back with a cursor.
    pub(super) async fn resume(&mut self, run: u16, kind: CursorKind) {
        let cursor = self.cursor(run, kind);
        self.vanish();
        self.connect(cursor).await;
    }

    fn cursor(&self, run: u16, kind: CursorKind) -> Option<Cursor> {
        let after = self.progress.last_event(run);
        let own = self.progress.id(run)?.clone();
        match kind {
            CursorKind::Own => Some(Cursor { run: own, after }),
            CursorKind::Old => Some(Cursor { run: own, after: after / 2 }),
            CursorKind::Foreign => Some(Cursor { run: self.guess(&own)?, after: 0 }),
            CursorKind::Nonsense => Some(Cursor { run: RunId::new("no-such-run"), after: 0 }),
        }
    }

    /// The name of a run beside that one; none where it may be the user's own after all.
    fn guess(&self, own: &RunId) -> Option<RunId> {
        if self.progress.awaits_an_id() {
            return None;
        }
        let digits = own.as_str().trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let (name, number) = own.as_str().split_at(digits);
        let number: u64 = number.parse().ok()?;
        let beside = [number.checked_sub(1), number.checked_add(1)].into_iter().flatten();
        let mut names = beside.map(|number| RunId::new(format!("{name}{number}")));
        names.find(|guess| !self.progress.owns(guess))
    }

    /// Opens a new connection, and lets go of the old one once the new one stands.
    pub(super) async fn reconnect(&mut self) {
        let old = self.socket.take();
        self.connect(None).await;
        if let Some(old) = old {
            self.observe(Some(&old.name), What::Leave { vanished: true });
        }
    }
}
