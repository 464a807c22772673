//! What goes otherwise than it should, and what users do to each other: tabs, slow readers, new
//! connections beside old ones, cursors, malformed input, stops and approvals, changing places.

use std::sync::Arc;

use super::allowance::SPENT;
use super::exchange::Reading;
use super::meeting::Left;
use super::values::About;
use super::{Carrier, Client, OpenSocket};
use crate::swarm::send_in_time;
use crate::trial::history::What;
use crate::trial::ids::{ConnectionId, RunId, UserName};
use crate::trial::plan::{ControlAction, CursorKind, RunPlan};
use crate::trial::protocol::{Act, Content, Request, Start};
use crate::trial::raw::Raw;
use crate::world::backend::Incoming;

/// What is no message of any protocol.
const MALFORMED: &str = r#"{"type":"chat","message":7"#;
/// The tab of a connection that is let go of soon.
const OLD: u8 = u8::MAX;

impl Client {
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
        let (tab, current) = self.turn_to_parked(place);
        let reply = self.take_incoming(now, incoming);
        self.turn_back(place, tab, current);
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
        self.parked.extend(self.socket.take().map(|open| (OLD, open)));
        self.connect(None).await;
        if keep > 0 {
            let world = self.world.clone();
            self.listen(world.sleep(keep), self.patience.run * 2).await;
        }
        let place = self.parked.iter().position(|(tab, _)| *tab == OLD);
        if let Some(place) = place {
            let (_, old) = self.parked.remove(place);
            self.let_go(old);
        }
    }

    /// Reads nothing for that long; what the system buffers is small for who does that.
    pub(super) async fn stop_reading(&mut self, turns: u32) {
        self.reads.send_replace(false);
        self.world.sleep(turns).await;
        self.reads.send_replace(true);
    }

    pub(super) async fn resume(&mut self, run: u16, kind: CursorKind) {
        if kind == CursorKind::Foreign {
            let (board, own) = (Arc::clone(&self.meeting.board), self.who().index);
            self.listen(board.until_foreign(own), self.patience.mid_run).await;
        }
        let own = self.runs.id(run).map(|id| (id.to_owned(), self.runs.last(run)));
        let cursor = match kind {
            CursorKind::Own => own,
            CursorKind::Old => own.map(|(id, last)| (id, last / 2)),
            CursorKind::Foreign => {
                let foreign = self.meeting.board.foreign(self.who().index);
                let foreign = foreign.filter(|id| !self.runs.owns(id));
                foreign.map(|id| (id, 0)).or_else(no_such_run)
            }
            CursorKind::Nonsense => no_such_run(),
        };
        if let (CursorKind::Foreign, Some((id, _))) = (kind, &cursor) {
            self.runs.name_foreign(id);
        }
        self.vanish();
        self.connect(cursor).await;
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
        self.call(&request, About { run, cursor: None }, None);
    }

    /// Sends a request that starts nothing; its answer is recorded when it comes.
    fn call(&mut self, request: &Request, about: About<'_>, control: Option<What>) {
        let name = self.next_call();
        if let Some(control) = control {
            self.observe(Some(&name), control);
        }
        let filled = match self.fill_request(request, about) {
            Ok(filled) => filled,
            Err(error) => return self.observe(Some(&name), What::Broken { error }),
        };
        if !self.servers.allowance.take() {
            return self.observe(Some(&name), What::Broken { error: SPENT.into() });
        }
        let (method, path) = (filled.ready.method.clone(), filled.path);
        let raw = Raw::from(filled.ready.body.as_str());
        self.observe(
            Some(&name),
            What::Request { method: method.into(), path: path.into(), raw, run: None },
        );
        let exchange = self.exchange(name, None, filled.ready, Reading::Whole);
        self.exchanges.push(exchange);
    }

    /// Stops or approves a run of one's own, once it is known by name or asks for it.
    pub(super) async fn control(&mut self, action: ControlAction, run: u16) {
        let protocol = Arc::clone(&self.protocol);
        let Some(act) = protocol.controls.act(action) else { return };
        let limit = match action {
            ControlAction::Stop => self.patience.mid_run,
            ControlAction::Approve => self.patience.run,
        };
        let asks = action == ControlAction::Approve && !protocol.controls.asks.is_empty();
        let may_be = |client: &Self| {
            let named = client.runs.id(run).is_some() || !act.names_run();
            client.runs.has_ended(run) || (named && (!asks || client.runs.has_asked(run)))
        };
        self.wait(may_be, limit).await;
        if !may_be(self) || self.runs.has_ended(run) {
            return;
        }
        let plan = Arc::clone(&self.plan);
        let (own, id) = (plan.users[self.place].run(run), self.runs.id(run).map(str::to_owned));
        if let Some(own) = own {
            let user = self.name.clone();
            self.send_control(act, action, &user, own, id).await;
        }
    }

    /// Stops or approves a run of another user, once it goes on and is known by name.
    pub(super) async fn control_other(&mut self, action: ControlAction, user: u32, run: u16) {
        let (protocol, plan) = (Arc::clone(&self.protocol), Arc::clone(&self.plan));
        let (Some(act), Some(other)) = (protocol.controls.act(action), plan.user_at(user)) else {
            return;
        };
        let Some(other_run) = other.run(run) else { return };
        let asks = action == ControlAction::Approve && !protocol.controls.asks.is_empty();
        let board = Arc::clone(&self.meeting.board);
        let is_so =
            |run: &super::runs::Posted| run.ended || (run.id.is_some() && (!asks || run.asked));
        self.listen(board.until(user, run, is_so), self.patience.run).await;
        let posted = board.read(user, run);
        let Some(id) = posted.id.clone().filter(|_| is_so(&posted) && !posted.ended) else {
            return;
        };
        self.runs.name_foreign(&id);
        self.send_control(act, action, &other.name, other_run, Some(id)).await;
    }

    async fn send_control(
        &mut self,
        act: &Act,
        action: ControlAction,
        user: &UserName,
        run: &RunPlan,
        id: Option<String>,
    ) {
        let control = What::Control {
            action,
            user: user.clone(),
            run: run.run,
            id: id.as_deref().map(RunId::new),
        };
        let cursor = id.as_deref().map(|id| (id, 0));
        let about = About { run: Some(run), cursor };
        match act {
            Act::Request(request) => self.call(request, about, Some(control)),
            Act::Send(content) => {
                let on = self.socket.as_ref().map(|open| open.name.clone());
                self.observe(on.as_ref(), control);
                match self.content(content, about) {
                    Ok(text) => self.send(text).await,
                    Err(error) => self.observe(on.as_ref(), What::Broken { error }),
                }
            }
        }
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
        self.listen(async { left = desks.take(browser).await }, limit).await;
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
            Ok(_) if !self.servers.allowance.take() => Err(SPENT.to_owned()),
            Ok(text) => {
                self.observe(Some(&name), What::Sent { raw: text.as_str().into() });
                send_in_time(&self.world, &mut *socket, text, self.patience.run).await
            }
            Err(error) => Err(error),
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
            Err(error) => {
                let error = format!("cannot reach: the switch of users: {error}");
                self.observe(Some(&name), What::Broken { error });
            }
        }
    }

    /// The message that confirms the switch; what comes before it is still the former user's.
    async fn confirmed(
        &mut self,
        socket: &mut dyn crate::world::backend::Socket,
        until: &str,
        by: &UserName,
        old: &ConnectionId,
    ) -> Result<Raw, String> {
        let world = self.world.clone();
        let patience = world.patience(self.patience.run);
        tokio::pin!(patience);
        loop {
            let incoming = tokio::select! {
                biased;
                incoming = socket.receive() => incoming,
                _ = &mut patience => return Err("it was not confirmed in time".into()),
            };
            let raw = match incoming {
                Incoming::Message(raw) => raw,
                Incoming::Ended { code, reason } => {
                    world.observe(by, Some(old), What::Ended { code, raw: reason });
                    return Err("the connection was ended".into());
                }
                Incoming::Broken(error) => return Err(error),
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
