//! What a user does before the first run: logs in, opens a conversation, takes ids from answers.

use super::allowance::spent;
use super::credentials::hide_captures;
use super::exchange::{Reading, late};
use super::open_socket::Carrier;
use super::simulated_user::User;
use super::values::About;
use partywall_core::failure::{Cause, Failure};
use partywall_core::history::What;
use partywall_core::ids::ConnectionId;
use partywall_core::protocol::{Act, SetUp};
use partywall_core::raw::Raw;
use partywall_world::backend::Incoming;

impl User {
    /// Takes the steps that are done once, or those of each event connection.
    pub(super) async fn set_up(&mut self, each_connection: bool) {
        let protocol = std::sync::Arc::clone(&self.protocol);
        let steps = protocol.setup.iter().enumerate();
        for (number, step) in steps.filter(|(_, step)| step.each_connection == each_connection) {
            let done = match &step.act {
                Act::Request(_) => {
                    let name = self.next_call();
                    let asked = self.ask(step, number, &name).await;
                    asked.map_err(|failed| (name, failed))
                }
                Act::Send(_) => self.say(step).await.map_err(|failed| (self.next_call(), failed)),
            };
            if let Err((name, Failure { cause, words })) = done {
                let failed = cause.because(format!("set-up step `{}`: {words}", step.name));
                self.observe(Some(&name), What::broken(failed));
                return;
            }
        }
    }

    /// Takes the step in the exchange of that name.
    async fn ask(
        &mut self,
        step: &SetUp,
        number: usize,
        name: &ConnectionId,
    ) -> Result<(), Failure> {
        let Act::Request(request) = &step.act else { return Ok(()) };
        let filled = self.fill_request(request, About::default());
        let call = filled.map_err(|error| Cause::Unfilled.because(error))?;
        if !self.given().allowance.take() {
            return Err(spent());
        }
        self.answer_of_step = None;
        self.exchange(name.clone(), None, call, Reading::SetUp(number));
        let place = |user: &Self| user.exchanges.iter().position(|own| own.name == *name);
        self.wait(|user| place(user).is_none(), self.patience.run).await;
        if let Some(place) = place(self) {
            self.exchanges.remove(place).abandon(Some(late()));
            return Err(late());
        }
        let (status, headers, body) =
            self.answer_of_step.take().ok_or_else(|| Cause::Lost.because("there was no answer"))?;
        let (headers, text) = (headers.text(), body.text());
        if status >= 400 {
            return Err(Cause::Declined.because(format!("HTTP status {status}")));
        }
        for capture in &step.captures {
            let value = capture.from.value(&headers, &text);
            let missing =
                || Cause::NotCaptured.because(format!("`{}` is not in the answer", capture.name));
            let value = value.ok_or_else(missing)?;
            self.captures.insert(capture.name.clone(), value);
        }
        Ok(())
    }

    async fn say(&mut self, step: &SetUp) -> Result<(), Failure> {
        let Act::Send(content) = &step.act else { return Ok(()) };
        let filled = self.content(content, About::default());
        let text = filled.map_err(|error| Cause::Unfilled.because(error))?;
        self.send(text).await;
        if step.captures.is_empty() {
            return Ok(());
        }
        let world = self.world.clone();
        let patience = world.patience(self.patience.run);
        tokio::pin!(patience);
        loop {
            let Some(open) = &mut self.socket else {
                return Err(Cause::Lost.because("the connection is gone"));
            };
            let Carrier::Websocket(socket) = &mut open.carrier else {
                return Err(Cause::Unfilled.because("nothing can be sent on a stream"));
            };
            let incoming = tokio::select! {
                biased;
                incoming = socket.receive() => incoming,
                _ = &mut patience => {
                    return Err(Cause::NotCaptured.because("what is to be captured did not come"));
                }
            };
            let text = match &incoming {
                Incoming::Message(raw) => raw.clone(),
                _ => Raw::default(),
            };
            let json = self.reader.payload(&text, false).json.lossy().into_owned();
            let answer = ("", json.as_str());
            let user = &self.plan.users[self.place].name;
            hide_captures(&self.world, user, &self.protocol, &step.captures, answer);
            if let Some(reply) = self.take_incoming(self.world.now(), incoming) {
                self.send(reply).await;
            }
            let all: Option<Vec<_>> = step
                .captures
                .iter()
                .map(|capture| Some((capture.name.clone(), capture.from.value("", &json)?)))
                .collect();
            if let Some(all) = all {
                self.captures.extend(all);
                return Ok(());
            }
        }
    }
}
