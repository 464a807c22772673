//! What comes next to a user, on whatever it comes.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::exchange::{Exchange, Part};
use super::open_socket::{Carrier, OpenSocket};
use partywall_world::backend::{Incoming, Socket};
use partywall_world::box_future::BoxFuture;

/// What comes next on a socket; never ready where there is none. It is one future without others in
/// it where the socket can do without: there are millions of messages, and a future around a future
/// copies each of them once more.
struct Receiving<'s> {
    socket: Option<&'s mut (dyn Socket + 's)>,
    /// The socket's own future, where only that knows.
    own: Option<BoxFuture<'s, Incoming>>,
}

impl<'s> Receiving<'s> {
    /// What comes in the body of an answer comes as its parts.
    fn on(open: Option<&'s mut OpenSocket>) -> Self {
        let socket = open.and_then(|open| match &mut open.carrier {
            Carrier::Websocket(socket) => Some(&mut **socket as _),
            Carrier::Streamed => None,
        });
        Self { socket, own: None }
    }
}

impl Future for Receiving<'_> {
    type Output = Incoming;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Incoming> {
        if let Some(socket) = &mut self.socket {
            if let Some(incoming) = socket.poll_receive(context) {
                return incoming;
            }
            self.own = self.socket.take().map(|socket| socket.receive());
        }
        match &mut self.own {
            Some(own) => own.as_mut().poll(context),
            None => Poll::Pending,
        }
    }
}

/// What comes next, and on which of the connections that stand beside the one that is sent on.
pub(super) async fn next_message(
    socket: &mut Option<OpenSocket>,
    parked: &mut [(u8, OpenSocket)],
) -> (Option<usize>, Incoming) {
    let current = Receiving::on(socket.as_mut());
    if parked.is_empty() {
        return (None, current.await);
    }
    let mut others: Vec<_> = parked.iter_mut().map(|(_, open)| Receiving::on(Some(open))).collect();
    let first_of_others = poll_fn(|context| {
        let came = others.iter_mut().enumerate().find_map(|(place, other)| {
            match Pin::new(other).poll(context) {
                Poll::Ready(incoming) => Some((Some(place), incoming)),
                Poll::Pending => None,
            }
        });
        came.map_or(Poll::Pending, Poll::Ready)
    });
    tokio::select! {
        biased;
        incoming = current => (None, incoming),
        first = first_of_others => first,
    }
}

/// What comes next of the answers, and of which of them.
pub(super) async fn next_part(exchanges: &mut [Exchange]) -> (usize, Part) {
    next_of(exchanges, |_| true).await
}

/// The same of those that have not begun: that they begin.
pub(super) async fn next_head(exchanges: &mut [Exchange]) -> (usize, Part) {
    next_of(exchanges, Exchange::is_asked).await
}

/// What is at hand of the answers, without waiting for more.
pub(super) async fn part_at_hand(exchanges: &mut [Exchange]) -> Option<(usize, Part)> {
    poll_fn(|context| Poll::Ready(poll_next_of(exchanges, |_| true, context))).await
}

async fn next_of(exchanges: &mut [Exchange], wanted: fn(&Exchange) -> bool) -> (usize, Part) {
    std::future::poll_fn(|context| match poll_next_of(exchanges, wanted, context) {
        Some(next) => Poll::Ready(next),
        None => Poll::Pending,
    })
    .await
}

fn poll_next_of(
    exchanges: &mut [Exchange],
    wanted: fn(&Exchange) -> bool,
    context: &mut Context<'_>,
) -> Option<(usize, Part)> {
    let exchanges = exchanges.iter_mut().enumerate().filter(|(_, own)| wanted(own));
    for (place, exchange) in exchanges {
        if let Poll::Ready(part) = exchange.poll_next(context) {
            return Some((place, part));
        }
    }
    None
}
