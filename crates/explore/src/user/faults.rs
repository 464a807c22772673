//! What goes otherwise than it should, and what users do to each other: tabs, slow readers, new
//! connections beside old ones, cursors, malformed input, stops and approvals, changing places.

use std::sync::Arc;

use super::allowance::spent;
use super::connect::send_in_time;
use super::meeting::Left;
use super::open_socket::{Carrier, OpenSocket};
use super::receiving::next_head;
use super::simulated_user::User;
use super::values::About;
use partywall_core::failure::{Cause, Failure};
use partywall_core::history::What;
use partywall_core::ids::{ConnectionId, UserName};
use partywall_core::plan::CursorKind;
use partywall_core::protocol::{Content, Start};
use partywall_core::raw::Raw;
use partywall_world::backend::Incoming;
use partywall_world::unconstrained;

/// What is no message of any protocol.
const MALFORMED: &str = r#"{"type":"chat","message":7"#;
/// The tab of a connection that is let go of soon.
const OLD: u8 = u8::MAX;

impl User {
    /// Tells the others what they may know of this user's runs.
    pub(super) fn post(&self) {
        if self.meeting.board.is_wanted() {
            self.meeting.board.post(self.who().index, self.runs.posted());
        }
    }

    pub(super) async fn turn_to(&mut self, tab: u8) {
        if tab == self.tab {
            return;
        }
        if let Some(open) = self.socket.take() {
            self.parked.push((self.tab, open));
        }
        self.tab = tab;
        let place = self.parked.iter().position(|(parked, _)| *parked == tab);
        match place {
            Some(place) => self.socket = Some(self.parked.remove(place).1),
            None => self.connect(None).await,
        }
    }

    /// Takes what came on another connection than the one that is sent on. Gives what is to be replied.
    pub(super) fn take_parked(
        &mut self,
        now: u64,
        place: usize,
        incoming: Incoming,
    ) -> Option<String> {
        let greeted = self.greeted;
        let (tab, current) = self.turn_to_parked(place);
        let reply = self.take_incoming(now, incoming);
        self.turn_back(place, tab, current);
        // That another connection ends takes no greeting back.
        self.greeted |= greeted;
        reply
    }

    /// Sends a reply on the connection that it is one on.
    pub(super) async fn reply(&mut self, on: Option<usize>, text: String) {
        let Some(place) = on else { return self.send(text).await };
        let (tab, current) = self.turn_to_parked(place);
        self.send(text).await;
        self.turn_back(place, tab, current);
    }

    fn turn_to_parked(&mut self, place: usize) -> (u8, Option<OpenSocket>) {
        let (tab, open) = self.parked.remove(place);
        (tab, self.socket.replace(open))
    }

    fn turn_back(&mut self, place: usize, tab: u8, current: Option<OpenSocket>) {
        if let Some(open) = std::mem::replace(&mut self.socket, current) {
            self.parked.insert(place, (tab, open));
        }
    }

    /// Opens a new event connection, and lets go of the old one that many turns after it stands.
    pub(super) async fn reconnect(&mut self, keep: u32) {
        let mut old = self.socket.take().map(|open| (OLD, open));
        if !self.world.is_simulated() {
            self.parked.extend(old.take());
        }
        self.connect(None).await;
        self.parked.extend(old);
        if keep > 0 {
            let world = self.world.clone();
            self.stand_by(world.sleep(keep), None).await;
        }
        let place = self.parked.iter().position(|(tab, _)| *tab == OLD);
        if let Some(place) = place {
            let (_, old) = self.parked.remove(place);
            self.let_go(old);
        }
    }

    /// Reads nothing for that long; what the system buffers is small for who does that.
    pub(super) async fn stop_reading(&mut self, turns: u32) {
        let world = self.world.clone();
        let over = unconstrained(world.sleep(turns));
        tokio::pin!(over);
        loop {
            tokio::select! {
                biased;
                () = &mut over => return,
                // What was asked leaves all the same.
                (place, part) = next_head(&mut self.exchanges) => self.take_part(place, part),
            }
        }
    }

    pub(super) async fn resume(&mut self, run: u16, kind: CursorKind) {
        if kind == CursorKind::Foreign && !self.world.is_simulated() {
            let (board, own) = (Arc::clone(&self.meeting.board), self.who().index);
            self.listen(board.until_foreign(own), Some(self.patience.mid_run)).await;
        }
        let own = self.runs.id(run).map(|id| (id.to_owned(), self.runs.last(run)));
        let cursor = match kind {
            CursorKind::Own => own,
            CursorKind::Old => own.map(|(id, last)| (id, last / 2)),
            CursorKind::Foreign if self.world.is_simulated() => {
                own.and_then(|(id, _)| self.guess(&id))
            }
            CursorKind::Foreign => {
                let foreign = self.meeting.board.foreign(self.who().index);
                let foreign = foreign.filter(|id| !self.runs.owns(id));
                foreign.map(|id| (id, 0)).or_else(no_such_run)
            }
            // Who was never told the run's name comes back without a cursor there.
            CursorKind::Nonsense if self.world.is_simulated() => own.and(no_such_run()),
            CursorKind::Nonsense => no_such_run(),
        };
        if let (CursorKind::Foreign, Some((id, _))) = (kind, &cursor) {
            self.runs.name_foreign(id);
        }
        self.vanish();
        self.connect(cursor).await;
    }

    /// The name of a run beside that one; none where it may be the user's own after all. To wait for
    /// a name that another was told would be switch points.
    fn guess(&self, own: &str) -> Option<(String, u64)> {
        if self.runs.awaits_an_id() {
            return None;
        }
        let digits = own.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let (name, number) = own.split_at(digits);
        let number: u64 = number.parse().ok()?;
        let beside = [number.checked_sub(1), number.checked_add(1)].into_iter().flatten();
        let mut names = beside.map(|number| format!("{name}{number}"));
        names.find(|guess| !self.runs.owns(guess)).map(|guess| (guess, 0))
    }

    /// Sends what is no message of the protocol, where runs are started.
    pub(super) async fn malformed(&mut self) {
        let protocol = Arc::clone(&self.protocol);
        let Start::Http { request, .. } = &protocol.start else {
            return self.send(MALFORMED.into()).await;
        };
        let plan = Arc::clone(&self.plan);
        let run = plan.users[self.place].runs().next();
        let mut request = request.clone();
        request.content = Content::Text(MALFORMED.into());
        let names_type = request.headers.iter().any(|(name, _)| name == "content-type");
        if !names_type {
            request.headers.push(("content-type".into(), "application/json".into()));
        }
        self.call(&request, About { run, ..About::default() }, None, None);
    }

    /// Leaves the event connection to the next user at this browser.
    pub(super) async fn hand_over(&mut self) {
        let Some(browser) = self.who().browser else { return };
        let protocol = Arc::clone(&self.protocol);
        let leave = protocol.switch.as_ref().map(|switch| &switch.leave);
        if let Some(leave) = leave.filter(|leave| **leave != Content::Nothing)
            && let Ok(text) = self.content(leave, About::default())
        {
            self.send(text).await;
        }
        let by = self.name.clone();
        let left = self.socket.take().map(|open| Left { open, by });
        self.meeting.desks.leave(browser, left);
    }

    /// Takes over what the user before left; where that is nothing, opens a connection of one's own.
    pub(super) async fn take_over(&mut self) {
        let (Some(browser), protocol) = (self.who().browser, Arc::clone(&self.protocol)) else {
            return;
        };
        let desks = Arc::clone(&self.meeting.desks);
        let mut left = None;
        let limit = self.patience.run * 2;
        self.listen(async { left = desks.take(browser).await }, Some(limit)).await;
        let (Some(Left { open, by }), Some(switch)) = (left, &protocol.switch) else {
            return self.connect(None).await;
        };
        let enter = self.content(&switch.enter, About::default());
        let OpenSocket { name: old, carrier: Carrier::Websocket(mut socket) } = open else {
            return;
        };
        self.sockets_opened += 1;
        let name = ConnectionId::new(format!("{}/socket{}", self.name, self.sockets_opened));
        self.observe(Some(&name), What::Connect);
        let entered = match enter {
            Ok(_) if !self.given().allowance.take() => Err(spent()),
            Ok(text) => {
                self.observe(Some(&name), What::Sent { raw: text.as_str().into() });
                let sent = send_in_time(&self.world, &mut *socket, text, self.patience.run).await;
                sent.map_err(Failure::from)
            }
            Err(error) => Err(Cause::Unfilled.because(error)),
        };
        let confirmed = match entered {
            Ok(()) => self.confirmed(&mut *socket, &switch.until, &by, &old).await,
            Err(error) => Err(error),
        };
        // From here on nothing of the former user may come.
        self.world.observe(&by, Some(&old), What::Leave { vanished: true });
        match confirmed {
            Ok(raw) => {
                self.observe(Some(&name), What::Connected { headers: Raw::default() });
                self.observe(Some(&name), What::Received { raw });
                self.socket = Some(OpenSocket { name, carrier: Carrier::Websocket(socket) });
            }
            Err(Failure { cause, words }) => {
                let failed = cause.because(format!("the switch of users: {words}"));
                self.observe(Some(&name), What::broken(failed));
            }
        }
    }

    /// The message that confirms the switch; what comes before it is still the former user's.
    async fn confirmed(
        &mut self,
        socket: &mut dyn partywall_world::backend::Socket,
        until: &str,
        by: &UserName,
        old: &ConnectionId,
    ) -> Result<Raw, Failure> {
        let world = self.world.clone();
        let patience = world.patience(self.patience.run);
        tokio::pin!(patience);
        loop {
            let incoming = tokio::select! {
                biased;
                incoming = socket.receive() => incoming,
                _ = &mut patience => return Err(Cause::Late.because("it was not confirmed in time")),
            };
            let raw = match incoming {
                Incoming::Message(raw) => raw,
                Incoming::Aside(raw) => {
                    world.observe(by, Some(old), What::Aside { raw });
                    continue;
                }
                Incoming::Ended { code, reason } => {
                    world.observe(by, Some(old), What::Ended { code, raw: reason });
                    return Err(Cause::Lost.because("the connection was ended"));
                }
                Incoming::Broken(error) => return Err(error.into()),
            };
            let said = self.reader.read(&self.protocol.dialect, &raw, false);
            if said.kind.as_deref() == Some(until) {
                return Ok(raw);
            }
            world.observe(by, Some(old), What::Received { raw });
        }
    }
}

fn no_such_run() -> Option<(String, u64)> {
    Some(("no-such-run".to_owned(), 0))
}
