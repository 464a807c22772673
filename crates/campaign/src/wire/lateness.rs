//! How busy the machine is: how late a thread that sleeps is woken.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use partywall_core::measure::SpreadCount;

/// How long it sleeps each time.
const NAP: Duration = Duration::from_millis(2);

/// A thread that sleeps again and again, for as long as something else is measured.
pub(super) struct Lateness {
    end: Sender<()>,
    thread: JoinHandle<SpreadCount>,
}

impl Lateness {
    /// Begins.
    pub(super) fn measure() -> Self {
        let (end, ended) = channel();
        let thread = std::thread::spawn(move || {
            let mut late = SpreadCount::default();
            loop {
                let begun = Instant::now();
                if ended.recv_timeout(NAP) != Err(RecvTimeoutError::Timeout) {
                    return late;
                }
                let over = begun.elapsed().saturating_sub(NAP);
                late.add(u64::try_from(over.as_micros()).unwrap_or(u64::MAX));
            }
        });
        Self { end, thread }
    }

    /// By how many microseconds it was woken too late, each time.
    pub(super) fn end(self) -> SpreadCount {
        drop(self.end);
        self.thread.join().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_nap_is_counted_until_the_end() {
        let lateness = Lateness::measure();
        std::thread::sleep(NAP * 20);
        // The first nap at least is over by then, however busy the machine is.
        assert!(lateness.end().count() > 0);
    }
}
