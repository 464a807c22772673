//! What a user received, as the dialect reads it. There are millions of them, and to fill memory with
//! them is a good part of what judging costs: so they are kept small.

use partywall_core::ids::UserName;

/// How a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// On an event connection.
    Websocket,
    /// As the answer to an HTTP request, or instead of an event connection.
    HttpAnswer,
    /// In the body of an HTTP answer that is a stream of events.
    Stream,
}

impl Channel {
    /// The name in findings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Websocket => "websocket",
            Self::HttpAnswer => "http answer",
            Self::Stream => "http stream",
        }
    }

    /// Whether events come that way.
    pub fn carries_events(self) -> bool {
        self != Self::HttpAnswer
    }
}

/// A place in one of the tables of a case, none of which comes near this many: a history of so many
/// observations would fill a hundred gigabytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(u32);

impl Place {
    pub(super) const NONE: Self = Self(u32::MAX);

    pub(super) fn new(place: usize) -> Self {
        Self(place as u32)
    }

    pub(super) fn get(self) -> usize {
        self.0 as usize
    }

    pub(super) fn some(self) -> Option<usize> {
        (self != Self::NONE).then_some(self.0 as usize)
    }
}

/// A text of a message: where it stands in what was received, or its place among those that do not
/// stand there as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Text(u32);

/// What a [`Text`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Where {
    /// There is none.
    Absent,
    /// Those bytes of what was received.
    Within {
        /// The first.
        from: usize,
        /// How many.
        length: usize,
    },
    /// The place in [`Case::made`](super::Case::made).
    Made(usize),
}

/// Set where the rest of a [`Text`] is a place.
const IS_MADE: u32 = 1 << 31;

/// So many bits of a [`Text`] are its length.
const LENGTH_BITS: u32 = 15;

impl Text {
    pub(super) const ABSENT: Self = Self(u32::MAX);

    /// The part of what was received; none if it is too long or begins too late to be told.
    pub(super) fn within(from: usize, length: usize) -> Option<Self> {
        let fits = from < 1 << (31 - LENGTH_BITS) && length < 1 << LENGTH_BITS;
        fits.then_some(Self((from as u32) << LENGTH_BITS | length as u32))
    }

    pub(super) fn made(place: usize) -> Self {
        Self(IS_MADE | place as u32)
    }

    pub(super) fn place(self) -> Where {
        match self.0 {
            u32::MAX => Where::Absent,
            made if made & IS_MADE != 0 => Where::Made((made & !IS_MADE) as usize),
            within => Where::Within {
                from: (within >> LENGTH_BITS) as usize,
                length: (within & ((1 << LENGTH_BITS) - 1)) as usize,
            },
        }
    }
}

/// A message that a user received: what the dialect finds in it.
#[derive(Clone, Debug)]
pub struct Message<'h> {
    /// The number of its observation.
    pub n: u64,
    /// Who received it.
    pub observer: &'h UserName,
    /// The number of the event in its run.
    pub sequence: Option<u64>,
    pub(super) kind: Text,
    pub(super) user: Text,
    pub(super) agent: Text,
    pub(super) greeted: Text,
    pub(super) observation: Place,
    pub(super) connection: Place,
    pub(super) run: Place,
    /// Where its texts are, in the decoder's table.
    pub(super) texts: Place,
    /// For an HTTP answer: the run that the request was about.
    pub asked_run: Option<u16>,
    /// How it came.
    pub channel: Channel,
    /// Whether it says that it is for its observer.
    pub(super) names_observer: bool,
    /// Whether it belongs to a run's stream.
    pub is_event: bool,
    /// Whether it ends its run.
    pub is_terminal: bool,
    /// Whether it accepts a run.
    pub is_acceptance: bool,
    /// Whether it says that its run was stopped, in the reference protocol.
    pub(super) is_stopped: bool,
}

impl Message<'_> {
    /// The place of its observation in the history.
    pub fn at(&self) -> usize {
        self.observation.get()
    }

    /// The connection or exchange that it came on, in [`Case::connections`](super::Case::connections).
    pub fn line(&self) -> usize {
        self.connection.get()
    }

    /// Its run, in [`Case::runs`](super::Case::runs).
    pub fn run_at(&self) -> Option<usize> {
        self.run.some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_small() {
        assert!(size_of::<Message<'_>>() <= 80, "{} bytes", size_of::<Message<'_>>());
    }

    #[test]
    fn a_text_is_what_it_was_made_of() {
        for (from, length) in [(0, 0), (65_535, 32_767), (65_535, 0), (7, 200)] {
            let text = Text::within(from, length).expect("it fits");
            assert_eq!(text.place(), Where::Within { from, length });
        }
        assert_eq!(Text::within(65_536, 1), None);
        assert_eq!(Text::within(1, 32_768), None);
        assert_eq!(Text::ABSENT.place(), Where::Absent);
        for place in [0, 1, 1 << 20] {
            assert_eq!(Text::made(place).place(), Where::Made(place));
        }
    }
}
