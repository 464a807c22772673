//! What a user does before the first run: logs in, opens a conversation, takes ids from answers.

use super::credentials::hide_captures;
use super::exchange::Reading;
use super::open_socket::Carrier;
use super::simulated_user::User;
use super::values::About;
use partywall_core::history::What;
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
                Act::Request(_) => self.ask(step, number).await,
                Act::Send(_) => self.say(step).await,
            };
            if let Err(error) = done {
                let name = self.next_call();
                let error = format!("cannot reach: set-up step `{}`: {error}", step.name);
                self.observe(Some(&name), What::Broken { error });
                return;
            }
        }
    }

    async fn ask(&mut self, step: &SetUp, number: usize) -> Result<(), String> {
        let Act::Request(request) = &step.act else { return Ok(()) };
        let call = self.fill_request(request, About::default())?;
        if !self.given().allowance.take() {
            return Err(super::allowance::SPENT.into());
        }
        let name = self.next_call();
        self.answer_of_step = None;
        self.exchange(name.clone(), None, call, Reading::SetUp(number));
        let place = |user: &Self| user.exchanges.iter().position(|own| own.name == name);
        self.wait(|user| place(user).is_none(), self.patience.run).await;
        if let Some(place) = place(self) {
            let late = "the answer did not come in time";
            self.exchanges.remove(place).abandon(Some(late));
            return Err(late.into());
        }
        let (status, headers, body) = self.answer_of_step.take().ok_or("there was no answer")?;
        let (headers, text) = (headers.text(), body.text());
        if status >= 400 {
            return Err(format!("HTTP status {status}"));
        }
        for capture in &step.captures {
            let value = capture.from.value(&headers, &text);
            let value = value.ok_or_else(|| format!("`{}` is not in the answer", capture.name))?;
            self.captures.insert(capture.name.clone(), value);
        }
        Ok(())
    }

    async fn say(&mut self, step: &SetUp) -> Result<(), String> {
        let Act::Send(content) = &step.act else { return Ok(()) };
        let text = self.content(content, About::default())?;
        self.send(text).await;
        if step.captures.is_empty() {
            return Ok(());
        }
        let world = self.world.clone();
        let patience = world.patience(self.patience.run);
        tokio::pin!(patience);
        loop {
            let Some(open) = &mut self.socket else { return Err("the connection is gone".into()) };
            let Carrier::Websocket(socket) = &mut open.carrier else {
                return Err("nothing can be sent on a stream".into());
            };
            let incoming = tokio::select! {
                biased;
                incoming = socket.receive() => incoming,
                _ = &mut patience => return Err("what is to be captured did not come".into()),
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
