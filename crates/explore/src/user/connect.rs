//! Event connections: how a user opens one, sends on it, and leaves it.

use super::allowance::spent;
use super::exchange::{Exchange, Reading};
use super::open_socket::{Carrier, OpenSocket};
use super::simulated_user::User;
use super::values::About;
use partywall_core::failure::Cause;
use partywall_core::history::What;
use partywall_core::ids::{ConnectionId, RunId};
use partywall_core::raw::Raw;
use partywall_world::World;
use partywall_world::backend::{Call, Cursor, Method, Opening, Refusal, Socket};

impl User {
    pub(super) async fn connect(&mut self, cursor: Option<(String, u64)>) {
        let Some(events) = self.protocol.events.clone() else { return };
        self.sockets_opened += 1;
        // In the simulated world nobody waits for a greeting while an earlier connection stands: the
        // wait would be switch points, and seeds would come to other schedules.
        self.greeted &= self.world.is_simulated();
        let name = ConnectionId::new(format!("{}/socket{}", self.name, self.sockets_opened));
        self.observe(Some(&name), What::Connect);
        // A strict back end gives nothing again but what the cursor asks for: no need to excuse more.
        if let (Some((id, after)), false) = (&cursor, self.protocol.dialect.strict) {
            let (run, after) = (RunId::new(id), *after);
            self.observe(Some(&name), What::Resume { run, after });
        }
        if !self.given().allowance.take() {
            return self.observe(Some(&name), What::broken(spent()));
        }
        let cursor = cursor.as_ref().map(|(id, after)| (id.as_str(), *after));
        let about = About { cursor, ..About::default() };
        let more = if cursor.is_some() { events.resume.as_slice() } else { &[] };
        let filled = self.path(&events.path, more, about).and_then(|path| {
            let headers = self.headers(&[], about)?;
            Ok((path, headers))
        });
        let (path, headers) = match filled {
            Ok(filled) => filled,
            Err(error) => {
                let what = What::broken(Cause::Unfilled.because(error));
                return self.observe(Some(&name), what);
            }
        };
        if events.streamed {
            let call = Call { method: Method::Get, path, headers, body: String::new() };
            self.exchange(name.clone(), None, call, Reading::Events);
            self.socket = Some(OpenSocket { name: name.clone(), carrier: Carrier::Streamed });
            let open = |user: &Self| {
                let mut exchanges = user.exchanges.iter();
                exchanges.find(|own| own.name == name).is_none_or(Exchange::streams)
            };
            self.wait(open, self.patience.run).await;
        } else if !self.open_websocket(name, path, headers, cursor).await {
            return;
        }
        self.set_up(true).await;
        self.tell_account();
        if !self.protocol.dialect.greeting.is_empty() && !self.is_ungreeted {
            let out = self.wait(|user| user.greeted || user.socket.is_none(), self.patience.run);
            // Who waited in vain once does not wait again.
            self.is_ungreeted = out.await.is_some() && !self.world.is_simulated();
        }
    }

    async fn open_websocket(
        &mut self,
        name: ConnectionId,
        path: String,
        headers: Vec<(String, String)>,
        cursor: Option<(&str, u64)>,
    ) -> bool {
        let subprotocol = self.protocol.identity.subprotocol.clone();
        let subprotocol = match subprotocol.map(|text| self.content_of(&text)).transpose() {
            Ok(subprotocol) => subprotocol,
            Err(error) => {
                self.observe(Some(&name), What::broken(Cause::Unfilled.because(error)));
                return false;
            }
        };
        let cursor = cursor.map(|(run, after)| Cursor { run: RunId::new(run), after });
        let opening = Opening { path, headers, subprotocol, cursor };
        let opened = tokio::select! {
            biased;
            opened = self.session.open(&name, opening) => opened,
            _ = self.world.patience(self.patience.run) => {
                Err(Refusal::Failed(Cause::Late.because("the opening was not answered in time")))
            }
        };
        match opened {
            Ok(mut socket) => {
                let headers = socket.opening();
                self.keep_cookies(&headers);
                self.observe(Some(&name), What::Connected { headers });
                self.socket = Some(OpenSocket { name, carrier: Carrier::Websocket(socket) });
                return true;
            }
            Err(Refusal::Refused { status, headers, body }) => {
                self.keep_cookies(&headers);
                self.observe(Some(&name), What::Refused { status, headers, raw: body });
            }
            Err(Refusal::Failed(failed)) => self.observe(Some(&name), What::broken(failed)),
        }
        false
    }

    pub(super) fn content_of(&self, text: &str) -> Result<String, String> {
        let values = |name: &str| self.value(name, About::default());
        partywall_core::template::fill(text, &values, partywall_core::template::plain)
    }

    pub(super) async fn send(&mut self, text: String) {
        self.send_at(self.world.now(), text.into()).await;
    }

    pub(super) async fn send_at(&mut self, now: u64, raw: Raw) {
        let Some(OpenSocket { name: on, carrier: Carrier::Websocket(socket) }) = &mut self.socket
        else {
            return self.runs.cut();
        };
        if !self.meeting.given.allowance.take() {
            return self.world.observe(&self.name, None, What::broken(spent()));
        }
        let text = raw.text().into_owned();
        self.world.observe_at(now, &self.name, Some(on), What::Sent { raw });
        let limit = self.patience.run;
        if let Err(error) = send_in_time(&self.world, &mut **socket, text, limit).await {
            self.lose_socket(What::broken(error));
        }
    }

    pub(super) fn vanish(&mut self) {
        if let Some(open) = self.socket.take() {
            self.let_go(open);
            self.cut();
        }
    }

    /// The event connection is gone.
    pub(super) fn cut(&mut self) {
        self.greeted = false;
        self.runs.cut();
    }

    pub(super) fn let_go(&mut self, open: OpenSocket) {
        match self.exchanges.iter().position(|exchange| exchange.name == open.name) {
            Some(place) => self.exchanges.remove(place).abandon(None),
            None => self.observe(Some(&open.name), What::Leave { vanished: true }),
        }
    }

    pub(super) async fn close(&mut self) {
        if matches!(&self.socket, Some(OpenSocket { carrier: Carrier::Streamed, .. })) {
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
        self.wait(|user| user.socket.is_none(), self.patience.look_again * 4).await;
        self.socket = None;
        self.cut();
    }

    pub(super) fn lose_socket(&mut self, what: What) {
        if let Some(open) = self.socket.take() {
            self.observe(Some(&open.name), what);
            self.cut();
        }
    }
}

/// Sends, but waits no longer than that for the other side to take it.
pub(super) async fn send_in_time(
    world: &World,
    socket: &mut dyn Socket,
    text: String,
    limit: std::time::Duration,
) -> Result<(), String> {
    tokio::select! {
        biased;
        sent = socket.send(text) => sent,
        _ = world.patience(limit) => Err("the message was not taken in time".into()),
    }
}
