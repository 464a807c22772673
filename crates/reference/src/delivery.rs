//! Events on their way to a connection.

use std::sync::Arc;

use super::kernel::connections::Sink;
use partywall_core::ids::RunId;
use partywall_world::channel::Sender;

/// An event on its way to a connection.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) run: RunId,
    pub(crate) sequence: u64,
    pub(crate) text: Arc<str>,
}

/// Where the events for one connection go: the queue that its task empties.
#[derive(Debug)]
pub(crate) struct EventSink(pub(crate) Sender<Arc<Delivery>>);

impl Sink for EventSink {
    type Message = Arc<Delivery>;

    fn deliver(&self, message: &Arc<Delivery>) -> bool {
        self.0.send(Arc::clone(message)).is_ok()
    }
}
