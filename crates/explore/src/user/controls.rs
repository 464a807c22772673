//! What a user asks for that starts no run: to stop or approve one, its state, a thread's messages.

use std::sync::Arc;
use std::time::Duration;

use super::allowance::spent;
use super::exchange::{Exchange, Reading, late};
use super::runs::Posted;
use super::simulated_user::User;
use super::values::About;
use partywall_core::failure::Cause;
use partywall_core::history::What;
use partywall_core::ids::{ConnectionId, RunId, ThreadId, UserName};
use partywall_core::plan::{ControlAction, RunPlan, Via};
use partywall_core::protocol::{Act, Request};
use partywall_world::backend::Call;

impl User {
    /// Sends a request that starts nothing; its answer is recorded when it comes.
    pub(super) fn call(
        &mut self,
        request: &Request,
        about: About<'_>,
        control: Option<What>,
        run: Option<u16>,
    ) {
        let name = self.next_call();
        if let Some(control) = control {
            self.observe(Some(&name), control);
        }
        // Where answers tell states, each answer about a run does.
        let run = run.filter(|_| self.protocol.dialect.tells_states());
        self.send_request(name, request, about, run, Reading::Whole);
    }

    /// Sends the request, which was given that name.
    pub(super) fn send_request(
        &mut self,
        name: ConnectionId,
        request: &Request,
        about: About<'_>,
        run: Option<u16>,
        reading: Reading,
    ) {
        let call = match self.fill_request(request, about) {
            Ok(_) if !self.given().allowance.take() => Err(spent()),
            filled => filled.map_err(|error| Cause::Unfilled.because(error)),
        };
        match call {
            Ok(call) => self.exchange(name, run, call, reading),
            Err(failed) => self.observe(Some(&name), What::broken(failed)),
        }
    }

    /// Sends the call and records it.
    pub(super) fn exchange(
        &mut self,
        name: ConnectionId,
        run: Option<u16>,
        call: Call,
        reading: Reading,
    ) {
        let (method, path) = (call.method.as_str().into(), call.path.as_str().into());
        let raw = call.body.as_str().into();
        self.observe(Some(&name), What::Request { method, path, raw, run });
        let answer = self.session.exchange(&name, call);
        let (who, unrecorded) = ((&self.world, &self.name), &self.meeting.given.unrecorded);
        let exchange = Exchange::new(who, name, run, reading, unrecorded, answer);
        self.exchanges.push(exchange);
    }

    /// Waits for what was asked for, but for what starts runs and takes as long as they do. What
    /// does not come must not keep later answers waiting.
    async fn answered(&mut self, limit: Duration) {
        let all = |user: &Self| user.exchanges.iter().all(|exchange| user.takes_long(exchange));
        if self.wait(all, limit).await.is_none() {
            return;
        }
        while let Some(place) = self.exchanges.iter().position(|own| !self.takes_long(own)) {
            self.exchanges.remove(place).abandon(Some(late()));
        }
    }

    fn takes_long(&self, exchange: &Exchange) -> bool {
        let starts = |run| self.via(run) != Via::Socket && !self.runs.has_ended(run);
        exchange.reading == Reading::Events || exchange.run.is_some_and(starts)
    }

    /// Reads the state of a run whose id is known by now.
    pub(super) async fn read_run(&mut self, run: u16, limit: Duration) {
        let (protocol, id) = (Arc::clone(&self.protocol), self.runs.id(run).map(str::to_owned));
        let (Some(request), Some(id)) = (&protocol.reads.run, id) else { return };
        let about = About { cursor: Some((&id, 0)), ..About::default() };
        self.call(request, about, None, Some(run));
        self.answered(limit).await;
    }

    pub(super) async fn read_thread(&mut self, thread: &ThreadId) {
        let protocol = Arc::clone(&self.protocol);
        let Some(request) = &protocol.reads.thread else { return };
        self.call(request, About { thread: Some(thread), ..About::default() }, None, None);
        self.answered(self.patience.run).await;
    }

    pub(super) async fn ping(&mut self) {
        let protocol = Arc::clone(&self.protocol);
        let Some(ping) = &protocol.reads.ping else { return };
        let pongs = self.pongs + 1;
        match self.content(&ping.content, About::default()) {
            Ok(text) => self.send(text).await,
            Err(error) => {
                return self.observe(None, What::broken(Cause::Unfilled.because(error)));
            }
        }
        let answered = |user: &Self| user.pongs >= pongs || user.socket.is_none();
        self.wait(answered, self.patience.run).await;
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
        let by_name = act.names_run();
        let may_be = |user: &Self| {
            let named = user.runs.id(run).is_some() || !by_name;
            named && (!asks || user.runs.has_asked(run))
        };
        // In the simulated world it is the plan that says when, also where it is too late.
        if !self.world.is_simulated() {
            self.wait(|user| user.runs.has_ended(run) || may_be(user), limit).await;
            if self.runs.has_ended(run) {
                return;
            }
        }
        if !may_be(self) {
            return;
        }
        let plan = Arc::clone(&self.plan);
        let (own, id) = (plan.users[self.place].run(run), self.runs.id(run).map(str::to_owned));
        if let Some(own) = own {
            let user = self.name.clone();
            self.send_control(act, action, &user, own, id).await;
        }
        if self.world.is_simulated() {
            self.answered(self.patience.run).await;
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
        let is_so = |run: &Posted| run.ended || (run.id.is_some() && (!asks || run.asked));
        self.listen(board.until(user, run, is_so), Some(self.patience.run)).await;
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
        let about = About { run: Some(run), cursor, thread: None };
        match act {
            Act::Request(request) if self.protocol.dialect.tells_states() => {
                self.call(request, about, None, Some(run.run));
            }
            Act::Request(request) => self.call(request, about, Some(control), None),
            Act::Send(content) => {
                let on = self.socket.as_ref().map(|open| open.name.clone());
                self.observe(on.as_ref(), control);
                match self.content(content, about) {
                    Ok(text) => self.send(text).await,
                    Err(error) => {
                        let what = What::broken(Cause::Unfilled.because(error));
                        self.observe(on.as_ref(), what);
                    }
                }
            }
        }
    }
}
