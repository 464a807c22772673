//! Which small server stands for which scenario, and which oracle names which of its leaks.

use crate::servers::{Leak, Server, http_api, json_rpc, socket_io, sse_chat, ws_chat};

/// A scenario and the small server that it is driven against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    SseChat,
    JsonRpc { sse: bool },
    JsonRpcStateless { sse: bool },
    HttpOnly,
    SocketIo,
    WsChat,
}

impl Ready {
    pub(crate) const ALL: [Self; 8] = [
        Self::SseChat,
        Self::JsonRpc { sse: false },
        Self::JsonRpc { sse: true },
        Self::JsonRpcStateless { sse: false },
        Self::JsonRpcStateless { sse: true },
        Self::HttpOnly,
        Self::SocketIo,
        Self::WsChat,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SseChat => "sse-chat",
            Self::JsonRpc { .. } => "json-rpc",
            Self::JsonRpcStateless { .. } => "json-rpc-stateless",
            Self::HttpOnly => "http-only",
            Self::SocketIo => "socket-io",
            Self::WsChat => "ws-chat",
        }
    }

    /// Whether it is one of `scenarios/`; else it stands beside its server.
    pub(crate) fn is_ready(self) -> bool {
        self != Self::WsChat
    }

    pub(crate) fn start(self, leak: Leak, upstream: &str) -> Server {
        match self {
            Self::SseChat => sse_chat::start(leak, upstream),
            Self::JsonRpc { sse } => {
                json_rpc::start(leak, json_rpc::Style { sessions: true, sse }, upstream)
            }
            Self::JsonRpcStateless { sse } => {
                json_rpc::start(leak, json_rpc::Style { sessions: false, sse }, upstream)
            }
            Self::HttpOnly => http_api::start(leak, upstream),
            Self::SocketIo => socket_io::start(leak, upstream),
            Self::WsChat => ws_chat::start(leak, upstream),
        }
    }
}

/// What a leak comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The oracle of that code is among those that name it.
    By(&'static str),
    /// It goes unseen over real connections, for that reason.
    Unseen(&'static str),
}

/// Where a leak is built in, and what it comes to there. The match is exhaustive, so that a leak
/// without a row does not compile.
pub(crate) fn rows(leak: Leak) -> Vec<(Ready, Seen)> {
    let by = |ready: &[Ready], code| ready.iter().map(|one| (*one, Seen::By(code))).collect();
    match leak {
        Leak::None => Vec::new(),
        // They show under work of their own only, in `tests/workload`.
        Leak::Outstanding
        | Leak::AnybodysRun
        | Leak::Cursor
        | Leak::FormerUser
        | Leak::Dropping
        | Leak::LastOfUser => Vec::new(),
        Leak::Slot => by(&[Ready::SseChat, Ready::WsChat], "O1"),
        Leak::Cache => by(&[Ready::SseChat, Ready::HttpOnly], "O1"),
        Leak::Credential => {
            let why = "the answers look right; only the upstream's log tells, and this scenario \
                       has no `[upstream]`";
            vec![(Ready::SseChat, Seen::Unseen(why))]
        }
        Leak::StaleReply | Leak::Buffer | Leak::Header | Leak::ErrorText => {
            by(&[Ready::HttpOnly], "O1")
        }
        Leak::Broadcast => by(&[Ready::SocketIo, Ready::WsChat], "O1"),
        Leak::IdCollision => by(
            &[
                Ready::JsonRpc { sse: false },
                Ready::JsonRpc { sse: true },
                Ready::JsonRpcStateless { sse: false },
                Ready::JsonRpcStateless { sse: true },
                Ready::SocketIo,
            ],
            "O1",
        ),
        Leak::Session => by(&[Ready::JsonRpc { sse: false }, Ready::JsonRpc { sse: true }], "O2"),
        Leak::CloseReason => by(&[Ready::WsChat], "O1"),
    }
}
