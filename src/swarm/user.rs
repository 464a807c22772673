//! One simulated user: follows their plan and records everything that they do and see.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::latch::{Arrival, Latch};
use super::progress::Progress;
use super::{MOST_TOGETHER, Patience};
use super::{Receiving, send_in_time, speech};
use crate::trial::canary::Mint;
use crate::trial::dialect::Dialect;
use crate::trial::history::What;
use crate::trial::ids::{ConnectionId, UserName};
use crate::trial::plan::{Plan, RunPlan, Step, UserPlan, Via};
use crate::trial::raw::Raw;
use crate::world::backend::{Answer, Call, Cursor, Incoming, Refusal, Session, Socket};
use crate::world::{AtRest, Timer, World, unconstrained};

/// Where the users of a trial meet, and what they share.
#[derive(Debug)]
pub(super) struct Meeting {
    pub(super) barrier: Latch,
    pub(super) finish: Latch,
    /// For each user that they have come to the end of their plan, by their place in it.
    pub(super) done: Arc<[Latch]>,
    /// How all of them read what the back end says.
    pub(super) dialect: Arc<Dialect>,
}

/// Thousands of users take turns, so what each message touches stands first and close together: where
/// the compiler puts it, it is all over the memory. They are dropped in this order, too: connections
/// before what others wait for.
#[repr(C)]
pub(super) struct User {
    pub(super) world: World,
    dialect: Arc<Dialect>,
    name: UserName,
    pub(super) socket: Option<OpenSocket>,
    pub(super) progress: Progress,
    pub(super) calls: Vec<PendingCall>,
    timer: Timer,
    pub(super) plan: Arc<Plan>,
    place: usize,
    pub(super) patience: Patience,
    mint: Mint,
    session: Box<dyn Session>,
    barrier: Latch,
    at_barrier: Arrival,
    finish: Latch,
    finished: Arrival,
    /// Who waits until others are done, and that this user is.
    pub(super) done: Arc<[Latch]>,
    at_end: Arrival,
    sockets_opened: u32,
    calls_made: u32,
}

pub(super) struct OpenSocket {
    pub(super) name: ConnectionId,
    socket: Box<dyn Socket>,
}

pub(super) struct PendingCall {
    pub(super) name: ConnectionId,
    pub(super) run: Option<u16>,
    answer: BoxFuture<'static, Result<Answer, String>>,
}

/// What a user waits for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Until {
    Greeting,
    Pong(u32),
    Events(u16, u32),
    End(u16),
    /// That no call is under way.
    Answers,
    /// That the event connection is gone.
    Gone,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waited {
    Reached,
    /// It cannot come any more: what would have carried it is gone.
    Hopeless,
    PatienceOut(AtRest),
}

impl User {
    pub(super) fn new(
        world: World,
        plan: Arc<Plan>,
        place: usize,
        session: Box<dyn Session>,
        meeting: Meeting,
        patience: Patience,
    ) -> Self {
        let waits = plan.users[place].steps.contains(&Step::Barrier);
        let mut at_barrier = Arrival::at(&meeting.barrier);
        if !waits {
            // Not counted in the barrier's width.
            at_barrier = Arrival::at(&Latch::new(0));
        }
        Self {
            world,
            mint: Mint::new(plan.campaign),
            dialect: meeting.dialect,
            name: plan.users[place].name.clone(),
            plan,
            place,
            session,
            at_barrier,
            barrier: meeting.barrier,
            finished: Arrival::at(&meeting.finish),
            finish: meeting.finish,
            at_end: Arrival::at(&meeting.done[place]),
            done: meeting.done,
            patience,
            timer: Timer::default(),
            socket: None,
            calls: Vec::new(),
            sockets_opened: 0,
            calls_made: 0,
            progress: Progress::default(),
        }
    }

    pub(super) async fn live(mut self) {
        let plan = Arc::clone(&self.plan);
        for step in &plan.users[self.place].steps {
            self.take(step).await;
        }
        self.at_end.now();
        self.linger().await;
    }

    pub(super) fn who(&self) -> &UserPlan {
        &self.plan.users[self.place]
    }

    pub(super) fn observe(&self, on: Option<&ConnectionId>, what: What) {
        self.world.observe(&self.name, on, what);
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Connect => {
                self.vanish();
                self.connect(None).await;
            }
            Step::Barrier => self.meet().await,
            Step::Pause { turns } => self.world.sleep(*turns).await,
            Step::Start(run) => self.start(run).await,
            Step::AwaitEvents { run, count } => {
                self.wait(Until::Events(*run, *count), self.patience.mid_run).await;
            }
            Step::Await { run } => self.await_end(*run).await,
            Step::Vanish => self.vanish(),
            Step::Close => self.close().await,
            Step::ReadRun { run } => self.read_run(*run, self.patience.run).await,
            Step::ReadThread { thread } => {
                self.ask(speech::read_thread(thread), None, self.patience.run).await;
            }
            Step::Ping => self.ping().await,
            Step::AwaitUser { user } => self.await_user(*user).await,
            Step::Abandon { run } => self.abandon(*run),
            Step::Stop { run } => self.control(*run, "stop").await,
            Step::Approve { run } => self.control(*run, "approve").await,
            Step::Resume { run, cursor } => self.resume(*run, *cursor).await,
            Step::Reconnect { .. } => self.reconnect().await,
            Step::Malformed => self.send(speech::MALFORMED.into()).await,
            // What only plans for a server of somebody's own have.
            Step::Tab { .. }
            | Step::StopReading { .. }
            | Step::HandOver
            | Step::TakeOver
            | Step::ControlOther { .. } => {}
        }
    }

    pub(super) async fn connect(&mut self, cursor: Option<Cursor>) {
        self.sockets_opened += 1;
        let name = ConnectionId::new(format!("{}/socket{}", self.name, self.sockets_opened));
        self.observe(Some(&name), What::Connect);
        let opening = match cursor {
            Some(cursor) => self.session.resume(&name, cursor),
            None => self.session.connect(&name),
        };
        let opened = tokio::select! {
            biased;
            opened = opening => opened,
            _ = self.world.patience(self.patience.run) => {
                Err(Refusal::Unreachable("the opening was not answered in time".into()))
            }
        };
        match opened {
            Ok(mut socket) => {
                self.observe(Some(&name), What::Connected { headers: socket.opening() });
                self.socket = Some(OpenSocket { name, socket });
                self.wait(Until::Greeting, self.patience.run).await;
            }
            Err(Refusal::Refused { status, headers, body }) => {
                self.observe(Some(&name), What::Refused { status, headers, raw: body });
            }
            Err(Refusal::Unreachable(error)) => self.observe(Some(&name), What::Broken { error }),
        }
    }

    async fn meet(&mut self) {
        self.at_barrier.now();
        tokio::select! {
            biased;
            () = self.barrier.wait(&self.world) => {}
            _ = self.world.patience(self.patience.run * 2) => {}
        }
    }

    async fn start(&mut self, run: &RunPlan) {
        let body = speech::chat(&self.mint, self.who(), run);
        self.progress.start(run);
        let now = self.world.now();
        let started = What::Start {
            run: run.run,
            via: run.via,
            thread: run.thread.clone(),
            request_id: run.request_id.clone(),
        };
        match run.via {
            Via::Socket => {
                let on = self.socket.as_ref().map(|open| open.name.clone());
                self.world.observe_at(now, &self.name, on.as_ref(), started);
                self.send_at(now, Raw::from(body).of_json()).await;
            }
            Via::Http | Via::Stream => {
                let name = self.next_call();
                self.world.observe_at(now, &self.name, Some(&name), started);
                self.call_as(name, speech::chat_call(body), Some(run.run));
            }
        }
    }

    async fn send(&mut self, raw: Raw) {
        self.send_at(self.world.now(), raw).await;
    }

    async fn send_at(&mut self, now: u64, raw: Raw) {
        let Some(OpenSocket { name, socket }) = &mut self.socket else {
            self.progress.cut();
            return;
        };
        let text = raw.text().into_owned();
        self.world.observe_at(now, &self.name, Some(name), What::Sent { raw });
        let limit = self.patience.run;
        if let Err(error) = send_in_time(&self.world, &mut **socket, text, limit).await {
            self.lose_socket(What::Broken { error });
        }
    }

    fn next_call(&mut self) -> ConnectionId {
        self.calls_made += 1;
        ConnectionId::new(format!("{}/http{}", self.name, self.calls_made))
    }

    fn call(&mut self, call: Call, run: Option<u16>) {
        let name = self.next_call();
        self.call_as(name, call, run);
    }

    fn call_as(&mut self, name: ConnectionId, call: Call, run: Option<u16>) {
        let request = What::Request {
            method: call.method.as_str().into(),
            path: call.path.as_str().into(),
            raw: call.body.as_str().into(),
            run,
        };
        self.observe(Some(&name), request);
        let answer = self.session.call(&name, call);
        self.calls.push(PendingCall { name, run, answer });
    }

    pub(super) async fn read_run(&mut self, run: u16, limit: Duration) {
        if let Some(id) = self.progress.id(run) {
            self.ask(speech::read_run(id), Some(run), limit).await;
        }
    }

    /// Asks and waits for the answer. One that does not come must not keep later ones waiting.
    pub(super) async fn ask(&mut self, call: Call, run: Option<u16>, limit: Duration) {
        self.call(call, run);
        if let Waited::PatienceOut(_) = self.wait(Until::Answers, limit).await {
            let (kept, left): (Vec<_>, Vec<_>) =
                std::mem::take(&mut self.calls).into_iter().partition(|call| self.starts_run(call));
            self.calls = kept;
            for PendingCall { name, .. } in left {
                let error = "the answer did not come in time".into();
                self.observe(Some(&name), What::Broken { error });
            }
        }
    }

    async fn ping(&mut self) {
        let pongs = self.progress.pongs + 1;
        self.send(speech::PING.into()).await;
        self.wait(Until::Pong(pongs), self.patience.run).await;
    }

    pub(super) fn vanish(&mut self) {
        if let Some(open) = self.socket.take() {
            self.observe(Some(&open.name), What::Leave { vanished: true });
            self.progress.cut();
        }
    }

    async fn close(&mut self) {
        let Some(OpenSocket { name, socket }) = &mut self.socket else { return };
        let left = What::Leave { vanished: false };
        self.world.observe(&self.name, Some(name), left);
        tokio::select! {
            biased;
            () = socket.close() => {}
            _ = self.world.patience(self.patience.look_again) => {}
        }
        self.wait(Until::Gone, self.patience.look_again * 20).await;
        self.socket = None;
        self.progress.cut();
    }

    fn lose_socket(&mut self, what: What) {
        if let Some(open) = self.socket.take() {
            self.observe(Some(&open.name), what);
            self.progress.cut();
        }
    }

    /// Listens until everybody has finished and nothing more comes: what crosses late is seen too.
    async fn linger(&mut self) {
        self.finished.now();
        let finish = self.finish.clone();
        let world = self.world.clone();
        let everybody = unconstrained(async { finish.wait(&world).await });
        tokio::pin!(everybody);
        loop {
            tokio::select! {
                biased;
                incoming = next_message(&mut self.socket) => self.take_now(incoming),
                () = &mut everybody => break,
            }
        }
        let mut silence = self.world.patience(self.patience.linger);
        loop {
            tokio::select! {
                biased;
                incoming = next_message(&mut self.socket) => self.take_now(incoming),
                _ = &mut silence => break,
            }
        }
        self.close().await;
    }

    pub(super) async fn wait(&mut self, until: Until, limit: Duration) -> Waited {
        let mut patience = self.world.patience_by(limit, std::mem::take(&mut self.timer));
        // What comes together has one time: known until something is waited for, or that much came.
        let (mut now, mut together) = (None, 0);
        let waited = loop {
            if self.reached(until) {
                break Waited::Reached;
            }
            if self.hopeless(until) {
                break Waited::Hopeless;
            }
            if together == MOST_TOGETHER {
                (now, together) = (None, 0);
                if let Some(at_rest) = patience.is_out().await {
                    break Waited::PatienceOut(at_rest);
                }
            }
            tokio::select! {
                biased;
                incoming = next_message(&mut self.socket) => {
                    let now = *now.get_or_insert_with(|| self.world.now());
                    together += 1;
                    self.take_message(incoming, now);
                }
                (place, answer) = next_answer(&mut self.calls) => {
                    now = None;
                    self.take_answer(place, answer);
                }
                at_rest = async {
                    (now, together) = (None, 0);
                    (&mut patience).await
                } => break Waited::PatienceOut(at_rest),
            }
        };
        self.timer = patience.into_timer();
        waited
    }

    fn reached(&self, until: Until) -> bool {
        match until {
            Until::Greeting => self.progress.greeted,
            Until::Pong(count) => self.progress.pongs >= count,
            Until::Events(run, count) => {
                self.progress.events(run) >= count || self.progress.has_ended(run)
            }
            Until::End(run) => self.progress.has_ended(run) && !self.is_called(run),
            Until::Answers => self.calls.iter().all(|call| self.starts_run(call)),
            Until::Gone => self.socket.is_none(),
        }
    }

    fn hopeless(&self, until: Until) -> bool {
        let no_socket = self.socket.is_none();
        match until {
            Until::Greeting | Until::Pong(_) => no_socket,
            Until::Events(run, _) | Until::End(run) => {
                !self.is_called(run) && (no_socket || self.is_over_http(run))
            }
            Until::Answers | Until::Gone => false,
        }
    }

    /// Whether a call that concerns the run is under way.
    fn is_called(&self, run: u16) -> bool {
        self.calls.iter().any(|call| call.run == Some(run))
    }

    /// Whether the call is one that starts a run, which takes as long as the run.
    fn starts_run(&self, call: &PendingCall) -> bool {
        let Some(run) = call.run else { return false };
        self.is_over_http(run) && !self.progress.has_ended(run)
    }

    fn is_over_http(&self, run: u16) -> bool {
        // To look through the steps of a long plan with each message would cost more than to read it.
        let planned = || self.who().run(run).map(|run| run.via);
        self.progress.via(run).or_else(planned) == Some(Via::Http)
    }

    fn take_now(&mut self, incoming: Incoming) {
        self.take_message(incoming, self.world.now());
    }

    fn take_message(&mut self, incoming: Incoming, now: u64) {
        match incoming {
            Incoming::Message(raw) => {
                let (heard, is_json) = speech::hear(&self.dialect, &raw);
                self.progress.hear(heard);
                let raw = if is_json { raw.of_json() } else { raw };
                let name = self.socket.as_ref().map(|open| &open.name);
                self.world.observe_at(now, &self.name, name, What::Received { raw });
            }
            Incoming::Ended { code, reason } => self.lose_socket(What::Ended { code, raw: reason }),
            Incoming::Broken(error) => self.lose_socket(What::Broken { error }),
        }
    }

    fn take_answer(&mut self, place: usize, answer: Result<Answer, String>) {
        let call = self.calls.remove(place);
        let what = match answer {
            Ok(answer) => {
                if let Some(run) = call.run {
                    let (id, ended) = speech::run_state(&answer.body);
                    if let Some(id) = id.filter(|_| self.progress.id(run).is_none()) {
                        self.progress.identify(run, id);
                    }
                    if ended {
                        self.progress.told_ended(run, self.is_over_http(run));
                    }
                }
                What::Answer { status: answer.status, headers: answer.headers, raw: answer.body }
            }
            Err(error) => What::Broken { error },
        };
        self.observe(Some(&call.name), what);
    }
}

fn next_message(socket: &mut Option<OpenSocket>) -> Receiving<'_> {
    Receiving::on(socket.as_mut().map(|open| &mut *open.socket as _))
}

async fn next_answer(calls: &mut [PendingCall]) -> (usize, Result<Answer, String>) {
    std::future::poll_fn(|context| {
        for (place, call) in calls.iter_mut().enumerate() {
            if let std::task::Poll::Ready(answer) = call.answer.as_mut().poll(context) {
                return std::task::Poll::Ready((place, answer));
            }
        }
        std::task::Poll::Pending
    })
    .await
}
