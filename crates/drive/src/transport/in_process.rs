//! The reference back end called in the same process: connections are channels, and every handler
//! is a task of the world, so that it can be interleaved and dropped as in a server.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use partywall_core::ids::{ConnectionId, UserName};
use partywall_core::plan::{FaultKind, UserPlan};
use partywall_core::raw::Raw;
use partywall_core::target::{Reference, Target};
use partywall_explore::exploration::subject::Subject;
use partywall_explore::in_process::{self as pipe, ServerEnd};
use partywall_reference::auth;
use partywall_reference::service::{HttpRequest, Service, SocketIo};
use partywall_world::World;
use partywall_world::backend::{Answer, Backend, Call, Cursor, Refusal, Session, Socket};

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

/// The reference back end with those switches, made anew in this process for each trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferenceSubject(pub Reference);

impl Subject for ReferenceSubject {
    fn back_end(&self, world: &World) -> Box<dyn Backend> {
        let Reference { migration, defect } = self.0;
        Box::new(InProcess::new(Service::new(world.clone(), migration, defect, None)))
    }

    fn target(&self) -> Target {
        self.0.into()
    }
}

impl Backend for InProcess {
    fn session(&self, world: &World, user: &UserName) -> Box<dyn Session> {
        self.session_over(world, user, user.to_string())
    }

    fn session_of(&self, world: &World, user: &UserPlan) -> Box<dyn Session> {
        match user.browser {
            Some(browser) => self.session_over(world, &user.name, format!("browser {browser}")),
            None => self.session(world, &user.name),
        }
    }
}

impl InProcess {
    fn session_over(&self, world: &World, user: &UserName, keep_alive: String) -> Box<dyn Session> {
        Box::new(InProcessSession {
            service: self.service.clone(),
            world: world.clone(),
            user: user.clone(),
            authorization: format!("Bearer {}", auth::token_of(user)),
            keep_alive,
        })
    }
}

struct InProcessSession {
    service: Service,
    world: World,
    user: UserName,
    authorization: String,
    /// The connection that HTTP requests go over.
    keep_alive: String,
}

impl InProcessSession {
    fn open(
        &mut self,
        name: &ConnectionId,
        cursor: Option<Cursor>,
    ) -> BoxFuture<'_, Result<Box<dyn Socket>, Refusal>> {
        let name = name.clone();
        Box::pin(async move {
            self.world.turn().await;
            let user = self.service.authenticate(Some(&self.authorization)).map_err(|answer| {
                let (headers, body) = (Raw::default(), answer.body.into());
                Refusal::Refused { status: answer.status, headers, body }
            })?;
            let (client, server) = pipe::open(&self.world, &self.user);
            let mut io = ServiceSocket(server);
            let service = self.service.clone();
            self.world.spawn(name.to_string(), async move {
                service.serve_socket(user, name.as_str(), cursor.as_ref(), &mut io).await;
            });
            Ok(Box::new(client) as Box<dyn Socket>)
        })
    }
}

impl Session for InProcessSession {
    fn connect(&mut self, name: &ConnectionId) -> BoxFuture<'_, Result<Box<dyn Socket>, Refusal>> {
        self.open(name, None)
    }

    fn resume(
        &mut self,
        name: &ConnectionId,
        cursor: Cursor,
    ) -> BoxFuture<'_, Result<Box<dyn Socket>, Refusal>> {
        self.open(name, Some(cursor))
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
            connection: self.keep_alive.clone(),
        };
        let (reply, mut replies) = self.world.channel(1);
        let service = self.service.clone();
        let mut line = self.world.fault_line(&self.user, FaultKind::Cancel);
        let handler = self.world.spawn(name.as_str(), async move {
            // The client may have gone meanwhile, as over a real connection.
            if let Ok(answer) = line.guard(service.answer(request)).await {
                let _ = reply.send(answer);
            }
        });
        // A client that goes away takes its handler with it.
        let handler = handler.abort_on_drop();
        Box::pin(async move {
            let _handler = handler;
            let answer =
                replies.receive().await.ok_or("the connection was cut before the answer")?;
            Ok(Answer { status: answer.status, headers: Raw::default(), body: answer.body.into() })
        })
    }
}

/// The server's end, as the service uses it.
struct ServiceSocket(ServerEnd);

impl SocketIo for ServiceSocket {
    fn receive(&mut self) -> BoxFuture<'_, Option<String>> {
        Box::pin(self.0.from_client.receive())
    }

    fn send(&mut self, text: Arc<str>) -> BoxFuture<'_, bool> {
        let taken = self.0.to_client.send(Raw::from(&*text)).is_ok();
        Box::pin(async move { taken })
    }
}
