//! A bounded channel whose every receive is a switch point in the simulated world.

use std::fmt;

use tokio::sync::mpsc;

use super::world::World;

/// The sending end; cheap to clone.
pub struct Sender<T>(mpsc::Sender<T>);

/// The receiving end.
pub struct Receiver<T> {
    world: World,
    messages: mpsc::Receiver<T>,
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The receiver is gone.
    Gone,
    /// The receiver does not keep up.
    Full,
}

impl World {
    /// A channel that holds at most that many messages.
    pub fn channel<T>(&self, capacity: usize) -> (Sender<T>, Receiver<T>) {
        let (sender, messages) = mpsc::channel(capacity);
        (Sender(sender), Receiver { world: self.clone(), messages })
    }
}

impl<T> Sender<T> {
    /// Hands the message over without waiting.
    ///
    /// # Errors
    ///
    /// [`SendError`] where the receiver is gone or does not keep up; the message is dropped.
    pub fn send(&self, message: T) -> Result<(), SendError> {
        self.0.try_send(message).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SendError::Full,
            mpsc::error::TrySendError::Closed(_) => SendError::Gone,
        })
    }

    /// Whether the receiver is gone.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

impl<T> Receiver<T> {
    /// The next message; none once every sender is gone. Dropping the future loses nothing.
    pub async fn receive(&mut self) -> Option<T> {
        self.world.turn().await;
        self.messages.recv().await
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Sender")
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Receiver")
    }
}
