//! The steps of a plan, as a user takes them.

use std::sync::Arc;
use std::time::Duration;

use super::exchange::{Exchange, Reading, went_away};
use super::simulated_user::User;
use super::values::About;
use partywall_core::failure::Cause;
use partywall_core::history::What;
use partywall_core::plan::{ControlAction, RunPlan, Step};
use partywall_core::protocol::{AnswerKind, Start};
use partywall_core::raw::Raw;

impl User {
    pub(super) async fn live(mut self) {
        let plan = Arc::clone(&self.plan);
        let mut steps = &plan.users[self.place].steps[..];
        // Who comes later than others logs in later too.
        while let Some((Step::Pause { turns }, rest)) = steps.split_first() {
            self.world.sleep(*turns).await;
            steps = rest;
        }
        self.set_up(false).await;
        self.tell_account();
        for step in steps {
            self.step(step).await;
        }
        self.at_end.now();
        self.linger().await;
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Connect => {
                self.vanish();
                self.connect(None).await;
            }
            Step::Barrier => {
                self.at_barrier.now();
                let (barrier, world) = (self.meeting.barrier.clone(), self.world.clone());
                let limit = Some(self.patience.run * 2);
                self.stand_by(async { barrier.wait(&world).await }, limit).await;
            }
            Step::Pause { turns } => {
                let world = self.world.clone();
                self.stand_by(world.sleep(*turns), None).await;
            }
            Step::Start(run) => self.start(run).await,
            Step::AwaitEvents { run, count } => {
                let enough = |user: &Self| {
                    let came = user.runs.events(*run) >= *count || user.runs.has_ended(*run);
                    came || user.is_hopeless(*run)
                };
                self.wait(enough, self.patience.mid_run).await;
            }
            Step::Await { run } => self.await_end(*run).await,
            Step::Vanish => self.vanish(),
            Step::Close => self.close().await,
            Step::AwaitUser { user } => {
                let place = self.plan.users.iter().position(|own| own.index == *user);
                if let Some(done) = place.map(|place| self.meeting.done[place].clone()) {
                    let world = self.world.clone();
                    let limit = Some(self.patience.run * 2);
                    self.stand_by(async { done.wait(&world).await }, limit).await;
                }
            }
            Step::Abandon { run } => self.abandon(*run),
            Step::Resume { run, cursor } => self.resume(*run, *cursor).await,
            Step::Reconnect { keep } => self.reconnect(*keep).await,
            Step::Malformed => self.malformed().await,
            Step::Stop { run } => self.control(ControlAction::Stop, *run).await,
            Step::Approve { run } => self.control(ControlAction::Approve, *run).await,
            Step::ControlOther { action, user, run } => {
                self.control_other(*action, *user, *run).await;
            }
            Step::Tab { tab } => self.turn_to(*tab).await,
            Step::StopReading { turns } => self.stop_reading(*turns).await,
            Step::HandOver => self.hand_over().await,
            Step::TakeOver => self.take_over().await,
            Step::ReadRun { run } => self.read_run(*run, self.patience.run).await,
            Step::ReadThread { thread } => self.read_thread(thread).await,
            Step::Ping => self.ping().await,
        }
    }

    /// Waits for the next run's turn, and for a server that is restarted; whoever lost their
    /// connection by that comes back.
    async fn ready(&mut self) {
        let wait = self.meeting.turns.wait(self.world.now());
        if wait > 0 {
            let world = self.world.clone();
            self.listen(world.sleep(wait), None).await;
        }
        let Some(mut up) = self.given().up.clone() else { return };
        let is_up = async {
            // Who restarts it may be gone; then it stays as it is.
            let _ = up.wait_for(|up| *up).await;
        };
        self.listen(is_up, Some(self.patience.run)).await;
        if self.socket.is_none() {
            self.connect(None).await;
        }
    }

    async fn start(&mut self, run: &RunPlan) {
        self.ready().await;
        self.tell_account();
        self.note_identity(run);
        self.runs.start(run.run, run.via, run.request_id.clone());
        let started = What::Start {
            run: run.run,
            via: run.via,
            thread: run.thread.clone(),
            request_id: run.request_id.clone(),
        };
        let about = About { run: Some(run), ..About::default() };
        let protocol = Arc::clone(&self.protocol);
        match protocol.start_via(run.via) {
            Start::Message(_) => {
                let now = self.world.now();
                let on = self.socket.as_ref().map(|open| &open.name);
                self.world.observe_at(now, &self.name, on, started);
                let filled = self.meeting.start.as_ref().map_err(String::clone).and_then(|start| {
                    let text = start.fill(&|name: &str| self.value(name, about))?;
                    let raw = Raw::from(text);
                    Ok(if start.is_json() { raw.of_json() } else { raw })
                });
                match filled {
                    Ok(raw) => self.send_at(now, raw).await,
                    Err(error) => {
                        self.observe(None, What::broken(Cause::Unfilled.because(error)));
                    }
                }
            }
            Start::Http { request, answer } => {
                let name = self.next_call();
                self.observe(Some(&name), started);
                let reading = match answer {
                    AnswerKind::Stream => Reading::Stream,
                    AnswerKind::Whole | AnswerKind::Accepted => Reading::Whole,
                };
                self.send_request(name, request, about, Some(run.run), reading);
            }
        }
    }

    /// Listens until everybody has finished and nothing more comes: what crosses late is seen too.
    async fn linger(&mut self) {
        self.finished.now();
        // In the simulated world nobody takes an answer meanwhile: each would be a switch point, and
        // seeds would come to other schedules.
        let later = match self.world.is_simulated() {
            true => std::mem::take(&mut self.exchanges),
            false => Vec::new(),
        };
        let (finish, world) = (self.meeting.finish.clone(), self.world.clone());
        self.listen(async { finish.wait(&world).await }, None).await;
        let is_connection = |exchange: &Exchange| exchange.reading == Reading::Events;
        let hears = self.socket.is_some()
            || !self.parked.is_empty()
            || self.exchanges.iter().any(is_connection);
        let longer = if hears { self.plan.linger } else { 0 };
        let linger = self.patience.linger.max(Duration::from_millis(longer.into()));
        self.wait(|_| false, linger).await;
        let (connections, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.exchanges).into_iter().partition(is_connection);
        for exchange in others {
            let why = (!exchange.streams()).then(went_away);
            exchange.abandon(why);
        }
        self.exchanges = connections;
        self.exchanges.extend(later);
        self.close().await;
        while let Some((_, open)) = self.parked.pop() {
            self.socket = Some(open);
            self.close().await;
        }
    }
}
