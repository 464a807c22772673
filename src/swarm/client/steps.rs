//! The steps of a plan, as a user of a server of somebody's own takes them.

use std::time::Duration;

use super::allowance::SPENT;
use super::exchange::Reading;
use super::incoming::next_message;
use super::values::About;
use super::{Carrier, Client, MOST_TOGETHER, OpenSocket};
use crate::swarm::send_in_time;
use crate::swarm::transport::open_socket;
use crate::trial::history::What;
use crate::trial::ids::{ConnectionId, RunId};
use crate::trial::plan::{ControlAction, RunPlan, Step};
use crate::trial::protocol::{AnswerKind, Start};
use crate::trial::raw::Raw;
use crate::world::backend::Refusal;
use crate::world::unconstrained;

impl Client {
    pub(super) async fn live(mut self) {
        let plan = std::sync::Arc::clone(&self.plan);
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
                self.listen(async { barrier.wait(&world).await }, self.patience.run * 2).await;
            }
            Step::Pause { turns } => {
                let world = self.world.clone();
                self.listen(world.sleep(*turns), Duration::from_secs(600)).await;
            }
            Step::Start(run) => self.start(run).await,
            Step::AwaitEvents { run, count } => {
                let enough = |client: &Self| {
                    client.runs.events(*run) >= *count || client.runs.has_ended(*run)
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
                    let limit = self.patience.run * 2;
                    self.listen(async { done.wait(&world).await }, limit).await;
                }
            }
            Step::Abandon { run } => self.abandon(*run, None),
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
            // What the reference protocol has and this one does not.
            Step::ReadRun { .. } | Step::ReadThread { .. } | Step::Ping => {}
        }
    }

    pub(super) async fn connect(&mut self, cursor: Option<(String, u64)>) {
        let Some(events) = self.protocol.events.clone() else { return };
        self.sockets_opened += 1;
        self.greeted = false;
        let name = ConnectionId::new(format!("{}/socket{}", self.name, self.sockets_opened));
        self.observe(Some(&name), What::Connect);
        if let Some((id, after)) = &cursor {
            let (run, after) = (RunId::new(id), *after);
            self.observe(Some(&name), What::Resume { run, after });
        }
        if !self.servers.allowance.take() {
            return self.observe(Some(&name), What::Broken { error: SPENT.into() });
        }
        let cursor = cursor.as_ref().map(|(id, after)| (id.as_str(), *after));
        let about = About { run: None, cursor };
        let more = if cursor.is_some() { events.resume.as_slice() } else { &[] };
        let filled = self.path(&events.path, more, about).and_then(|path| {
            let headers = self.headers(&[], about)?;
            Ok((path, headers))
        });
        let (path, headers) = match filled {
            Ok(filled) => filled,
            Err(error) => return self.observe(Some(&name), What::Broken { error }),
        };
        if events.streamed {
            let (method, raw) = ("GET".to_owned(), Raw::default());
            let url = format!("{}{path}", self.url);
            self.observe(
                Some(&name),
                What::Request { method: method.as_str().into(), path: path.into(), raw, run: None },
            );
            let ready = super::exchange::Ready { method, url, headers, body: String::new() };
            let exchange = self.exchange(name.clone(), None, ready, Reading::Events);
            self.socket = Some(OpenSocket { name, carrier: Carrier::Streamed(exchange) });
            let open = |client: &Self| match &client.socket {
                Some(OpenSocket { carrier: Carrier::Streamed(exchange), .. }) => exchange.streams(),
                _ => true,
            };
            self.wait(open, self.patience.run).await;
        } else if !self.open_websocket(name, &path, headers).await {
            return;
        }
        self.set_up(true).await;
        self.tell_account();
        if !self.protocol.dialect.greeting.is_empty() {
            self.wait(|client| client.greeted || client.socket.is_none(), self.patience.run).await;
        }
    }

    async fn open_websocket(
        &mut self,
        name: ConnectionId,
        path: &str,
        headers: Vec<(String, String)>,
    ) -> bool {
        let subprotocol = self.protocol.identity.subprotocol.clone();
        let subprotocol = match subprotocol.map(|text| self.content_of(&text)).transpose() {
            Ok(subprotocol) => subprotocol,
            Err(error) => {
                self.observe(Some(&name), What::Broken { error });
                return false;
            }
        };
        let url = self.servers.websocket.as_ref().unwrap_or(&self.url).socket_url(path);
        let opened = tokio::select! {
            biased;
            opened = open_socket(url, headers, subprotocol, &self.servers.trust) => opened,
            _ = self.world.patience(self.patience.run) => {
                Err(Refusal::Unreachable("the opening was not answered in time".into()))
            }
        };
        match opened {
            Ok(mut socket) => {
                let headers = socket.opening();
                self.hide_cookies(&headers);
                self.keep_cookies(&headers.text());
                self.observe(Some(&name), What::Connected { headers });
                self.socket = Some(OpenSocket { name, carrier: Carrier::Websocket(socket) });
                return true;
            }
            Err(Refusal::Refused { status, headers, body }) => {
                self.hide_cookies(&headers);
                self.keep_cookies(&headers.text());
                self.observe(Some(&name), What::Refused { status, headers, raw: body });
            }
            Err(Refusal::Unreachable(error)) => self.observe(Some(&name), What::Broken { error }),
        }
        false
    }

    pub(super) fn content_of(&self, text: &str) -> Result<String, String> {
        let values = |name: &str| self.value(name, About::default());
        crate::trial::template::fill(text, &values, crate::trial::template::plain)
    }

    /// Waits for the next run's turn, and for a server that is restarted; whoever lost their
    /// connection by that comes back.
    async fn ready(&mut self) {
        let wait = self.meeting.turns.wait(self.world.now());
        if wait > 0 {
            let (world, forever) = (self.world.clone(), Duration::from_secs(3600));
            self.listen(world.sleep(wait), forever).await;
        }
        let Some(mut up) = self.servers.up.clone() else { return };
        let is_up = async {
            // Who restarts it may be gone; then it stays as it is.
            let _ = up.wait_for(|up| *up).await;
        };
        self.listen(is_up, self.patience.run).await;
        if self.socket.is_none() {
            self.connect(None).await;
        }
    }

    async fn start(&mut self, run: &RunPlan) {
        self.ready().await;
        self.tell_account();
        self.runs.start(run.run, run.request_id.clone());
        let started = What::Start {
            run: run.run,
            via: run.via,
            thread: run.thread.clone(),
            request_id: run.request_id.clone(),
        };
        let about = About { run: Some(run), cursor: None };
        let protocol = std::sync::Arc::clone(&self.protocol);
        match &protocol.start {
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
                    Err(error) => self.observe(None, What::Broken { error }),
                }
            }
            Start::Http { request, answer } => {
                let name = self.next_call();
                self.observe(Some(&name), started);
                let filled = match self.fill_request(request, about) {
                    Ok(filled) => filled,
                    Err(error) => return self.observe(Some(&name), What::Broken { error }),
                };
                if !self.servers.allowance.take() {
                    return self.observe(Some(&name), What::Broken { error: SPENT.into() });
                }
                let (method, path) = (filled.ready.method.clone(), filled.path);
                let raw = Raw::from(filled.ready.body.as_str());
                let own = Some(run.run);
                self.observe(
                    Some(&name),
                    What::Request { method: method.into(), path: path.into(), raw, run: own },
                );
                let reading = match answer {
                    AnswerKind::Stream => Reading::Stream,
                    AnswerKind::Whole | AnswerKind::Accepted => Reading::Whole,
                };
                let exchange = self.exchange(name, own, filled.ready, reading);
                self.exchanges.push(exchange);
            }
        }
    }

    pub(super) async fn send(&mut self, text: String) {
        self.send_at(self.world.now(), text.into()).await;
    }

    async fn send_at(&mut self, now: u64, raw: Raw) {
        let Some(OpenSocket { name: on, carrier: Carrier::Websocket(socket) }) = &mut self.socket
        else {
            return;
        };
        if !self.servers.allowance.take() {
            return self.world.observe(&self.name, None, What::Broken { error: SPENT.into() });
        }
        let text = raw.text().into_owned();
        self.world.observe_at(now, &self.name, Some(on), What::Sent { raw });
        let limit = self.patience.run;
        if let Err(error) = send_in_time(&self.world, &mut **socket, text, limit).await {
            self.lose_socket(What::Broken { error });
        }
    }

    /// Waits for the end of the run; one that does not come within the time-out is unknown.
    async fn await_end(&mut self, run: u16) {
        let over_socket = !matches!(
            &self.protocol.start,
            Start::Http { answer: AnswerKind::Whole | AnswerKind::Stream, .. }
        );
        let ended = |client: &Self| {
            let carried = client.exchanges.iter().any(|exchange| exchange.run == Some(run))
                || (over_socket && client.socket.is_some());
            client.runs.has_ended(run) || !carried
        };
        self.wait(ended, self.patience.run).await;
        if !self.runs.has_ended(run) {
            self.abandon(run, Some("the answer did not come in time"));
            self.observe(None, What::GaveUp { run, at_rest: false });
        }
    }

    /// Goes away from the request that started the run; what became of it is unknown.
    fn abandon(&mut self, run: u16, why: Option<&str>) {
        let place = self.exchanges.iter().position(|exchange| exchange.run == Some(run));
        if let Some(place) = place {
            let exchange = self.exchanges.remove(place);
            let why = why.or((!exchange.streams()).then_some("the user went away"));
            exchange.abandon(self, why);
        }
        if why.is_none() && !self.runs.has_ended(run) {
            self.observe(None, What::GaveUp { run, at_rest: false });
            self.runs.end(run);
        }
        self.post();
    }

    pub(super) fn vanish(&mut self) {
        if let Some(open) = self.socket.take() {
            self.let_go(open);
        }
    }

    pub(super) fn let_go(&self, open: OpenSocket) {
        match open.carrier {
            Carrier::Streamed(exchange) => exchange.abandon(self, None),
            Carrier::Websocket(_) => {
                self.observe(Some(&open.name), What::Leave { vanished: true });
            }
        }
    }

    async fn close(&mut self) {
        if matches!(&self.socket, Some(OpenSocket { carrier: Carrier::Streamed(_), .. })) {
            return self.vanish();
        }
        let Some(OpenSocket { name, carrier: Carrier::Websocket(socket) }) = &mut self.socket
        else {
            return;
        };
        self.world.observe(&self.name, Some(name), What::Leave { vanished: false });
        tokio::select! {
            biased;
            () = socket.close() => {}
            _ = self.world.patience(self.patience.look_again) => {}
        }
        self.wait(|client| client.socket.is_none(), self.patience.look_again * 4).await;
        self.socket = None;
    }

    pub(super) fn lose_socket(&mut self, what: What) {
        if let Some(open) = self.socket.take() {
            self.observe(Some(&open.name), what);
        }
    }

    /// Listens until everybody has finished and nothing more comes: what crosses late is seen too.
    async fn linger(&mut self) {
        self.finished.now();
        let (finish, world) = (self.meeting.finish.clone(), self.world.clone());
        let forever = Duration::from_secs(3600);
        self.listen(unconstrained(async { finish.wait(&world).await }), forever).await;
        self.wait(|_| false, self.patience.linger).await;
        for exchange in std::mem::take(&mut self.exchanges) {
            let why = (!exchange.streams()).then_some("the user went away");
            exchange.abandon(self, why);
        }
        self.close().await;
        while let Some((_, open)) = self.parked.pop() {
            self.socket = Some(open);
            self.close().await;
        }
    }

    /// Listens until that is so, or patience is out.
    pub(super) async fn wait(&mut self, until: impl Fn(&Self) -> bool, limit: Duration) {
        let mut patience = self.world.patience_by(limit, std::mem::take(&mut self.timer));
        // What comes together has one time: known until something is waited for, or that much came.
        let (mut now, mut together) = (None, 0);
        while !until(self) {
            together += 1;
            if together % MOST_TOGETHER == 0 {
                now = None;
                if patience.is_out().await.is_some() {
                    break;
                }
            }
            tokio::select! {
                biased;
                (from, incoming) = next_message(&mut self.socket, &mut self.parked) => {
                    let at = *now.get_or_insert_with(|| self.world.now());
                    if let Some(reply) = self.take(at, from, incoming) {
                        now = None;
                        self.reply(from, reply).await;
                    }
                }
                Some(heard) = self.inbox.recv(), if self.unheard > 0 => {
                    now = None;
                    self.take_heard(*heard);
                }
                _ = async {
                    now = None;
                    (&mut patience).await
                } => break,
            }
        }
        self.timer = patience.into_timer();
    }

    /// Listens until the future is done, or patience is out.
    pub(super) async fn listen(&mut self, until: impl Future<Output = ()>, limit: Duration) {
        let mut patience = self.world.patience(limit);
        tokio::pin!(until);
        loop {
            tokio::select! {
                biased;
                () = &mut until => return,
                (from, incoming) = next_message(&mut self.socket, &mut self.parked) => {
                    if let Some(reply) = self.take(self.world.now(), from, incoming) {
                        self.reply(from, reply).await;
                    }
                }
                Some(heard) = self.inbox.recv(), if self.unheard > 0 => self.take_heard(*heard),
                _ = &mut patience => return,
            }
        }
    }
}
