//! The reference back end called in the same process: connections are channels, and every handler
//! is a task of the world, so that it can be interleaved and dropped as in a server.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::reference::auth;
use crate::reference::service::{HttpRequest, Service, SocketIo};
use crate::trial::ids::{ConnectionId, UserName};
use crate::trial::raw::Raw;
use crate::world::World;
use crate::world::backend::{Answer, Backend, Call, Incoming, Refusal, Session, Socket};
use crate::world::channel::{Receiver, Sender};

/// How many messages may be under way in one direction of a connection.
const MESSAGES_UNDER_WAY: usize = 4096;

/// The reference back end in this process.
#[derive(Clone, Debug)]
pub struct InProcess {
    service: Service,
}

impl InProcess {
    /// A transport to that service.
    pub fn new(service: Service) -> Self {
        Self { service }
    }
}

impl Backend for InProcess {
    fn session(&self, world: &World, user: &UserName) -> Box<dyn Session> {
        Box::new(InProcessSession {
            service: self.service.clone(),
            world: world.clone(),
            authorization: format!("Bearer {}", auth::token_of(user)),
        })
    }
}

struct InProcessSession {
    service: Service,
    world: World,
    authorization: String,
}

impl Session for InProcessSession {
    fn connect(&mut self, name: &ConnectionId) -> BoxFuture<'_, Result<Box<dyn Socket>, Refusal>> {
        let name = name.clone();
        Box::pin(async move {
            self.world.turn().await;
            let user = self.service.authenticate(Some(&self.authorization)).map_err(|answer| {
                Refusal::Refused { status: answer.status, body: answer.body.into() }
            })?;
            let (to_server, from_client) = self.world.channel(MESSAGES_UNDER_WAY);
            let (to_client, from_server) = self.world.channel(MESSAGES_UNDER_WAY);
            let service = self.service.clone();
            self.world.spawn(name.to_string(), async move {
                let mut io = ServerEnd { to_client, from_client };
                service.serve_socket(user, name.as_str(), &mut io).await;
            });
            Ok(Box::new(ClientEnd { to_server: Some(to_server), from_server }) as Box<dyn Socket>)
        })
    }

    fn call(
        &mut self,
        name: &ConnectionId,
        call: Call,
    ) -> BoxFuture<'static, Result<Answer, String>> {
        let request = HttpRequest {
            method: call.method.as_str().into(),
            path: call.path,
            authorization: Some(self.authorization.clone()),
            body: call.body.into_bytes(),
        };
        let (reply, mut replies) = self.world.channel(1);
        let service = self.service.clone();
        let handler = self.world.spawn(name.as_str(), async move {
            let answer = service.answer(request).await;
            // The client may have gone meanwhile, as over a real connection.
            let _ = reply.send(answer);
        });
        // A client that goes away takes its handler with it.
        let handler = handler.abort_on_drop();
        Box::pin(async move {
            let _handler = handler;
            let answer = replies.receive().await.ok_or("the handler ended without an answer")?;
            Ok(Answer { status: answer.status, headers: Raw::default(), body: answer.body.into() })
        })
    }
}

struct ServerEnd {
    to_client: Sender<Raw>,
    from_client: Receiver<String>,
}

impl SocketIo for ServerEnd {
    fn receive(&mut self) -> BoxFuture<'_, Option<String>> {
        Box::pin(self.from_client.receive())
    }

    fn send(&mut self, text: Arc<str>) -> BoxFuture<'_, bool> {
        let taken = self.to_client.send(Raw::from(&*text)).is_ok();
        Box::pin(async move { taken })
    }
}

struct ClientEnd {
    to_server: Option<Sender<String>>,
    from_server: Receiver<Raw>,
}

impl Socket for ClientEnd {
    fn send(&mut self, text: String) -> BoxFuture<'_, Result<(), String>> {
        let sent = match &self.to_server {
            Some(to_server) => {
                to_server.send(text).map_err(|_| "the server is gone or does not keep up".into())
            }
            None => Err("the connection is closed".into()),
        };
        Box::pin(async move { sent })
    }

    fn receive(&mut self) -> BoxFuture<'_, Incoming> {
        Box::pin(async {
            match self.from_server.receive().await {
                Some(raw) => Incoming::Message(raw),
                None => Incoming::Ended { code: None, reason: Raw::default() },
            }
        })
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        self.to_server = None;
        Box::pin(async {})
    }
}
