//! Defects: the mechanisms, each built into one seam of this back end behind a switch.
//!
//! A seam asks its defect, and the defect answers for the requests that it strikes. Those that it
//! does not strike still leave behind what others stumble over, so that a rare form is rare where
//! the harm is done. With none switched on, every function here says that it has nothing to say.

pub(super) mod m01_stale_reply;
pub(super) mod m02_id_reuse;
pub(super) mod m03_routing_key;
pub(super) mod m04_id_collision;
pub(super) mod m05_last_writer;
pub(super) mod m06_app_memory;
pub(super) mod m07_process_setting;
pub(super) mod m08_residual_state;
pub(super) mod m09_two_owners;
pub(super) mod m10_use_after_recycle;
pub(super) mod m11_ambient_context;
pub(super) mod m12_fan_out;
pub(super) mod m13_competing_consumers;
pub(super) mod m14_scope_key;
pub(super) mod m15_cache_key;
pub(super) mod m16_coalescing;
pub(super) mod m17_replay_log;
pub(super) mod m18_reconnect;
pub(super) mod m19_identity_change;
pub(super) mod m20_backpressure;
pub(super) mod m21_batch;
pub(super) mod m22_outbound_identity;
pub(super) mod m23_control;
pub(super) mod m24_unserialised_turns;

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use super::context::UserExecutionContext;
use super::delivery::EventSink;
use super::event::SaidMessage;
use super::kernel::conversations::ConversationStore;
use super::kernel::id_source::IdSource;
use super::kernel::pool::Pool;
use super::kernel::singleton::SettingsSlot;
use super::kernel::table::Table;
use partywall_core::ids::{RunId, UserName};
use partywall_core::mechanism::Mechanism;
use partywall_world::channel::Sender;

pub use partywall_core::defect::{Defect, UnknownDefect};

/// The most entries of a defect's own tables.
const MOST: usize = 10_000;

/// Who is current, in a slot that knows one only.
#[derive(Clone, Debug)]
pub(super) struct Ambient {
    pub(super) user: UserName,
    pub(super) settings: String,
}

impl Ambient {
    fn of(context: &UserExecutionContext, settings: &str) -> Self {
        Self { user: context.user_id().clone(), settings: settings.to_owned() }
    }
}

/// The defect that is switched on, and what such defects share between requests.
#[derive(Debug)]
pub(crate) struct Defects {
    chosen: Option<Defect>,
    ambient: SettingsSlot<Ambient>,
    names: Table<String, UserName>,
    runs: Table<String, RunId>,
    texts: Table<String, String>,
    memory: ConversationStore<(), SaidMessage>,
    records: Table<RunId, Vec<SaidMessage>>,
    mailboxes: Table<u64, Option<Sender<String>>>,
    batch: Table<(), Vec<Option<String>>>,
    waiting: Table<(), u64>,
    counter: IdSource,
    deaf: Pool<EventSink>,
}

impl Defects {
    pub(super) fn new(chosen: Option<Defect>) -> Self {
        Self {
            chosen,
            ambient: SettingsSlot::new(),
            names: Table::new(MOST),
            runs: Table::new(MOST),
            texts: Table::new(MOST),
            memory: ConversationStore::new(16),
            records: Table::new(MOST),
            mailboxes: Table::new(MOST),
            batch: Table::new(1),
            waiting: Table::new(1),
            counter: IdSource::new(),
            deaf: Pool::new(MOST),
        }
    }

    /// Whether that mechanism is switched on.
    pub(super) fn is(&self, mechanism: Mechanism) -> bool {
        self.chosen.is_some_and(|chosen| chosen.mechanism() == mechanism)
    }

    /// Whether it is, and strikes that request.
    pub(super) fn hits(&self, mechanism: Mechanism, context: &UserExecutionContext) -> bool {
        context.is_struck() && self.is(mechanism)
    }

    /// Whether what is switched on strikes something that holds this.
    pub(super) fn strikes(&self, content: &str) -> bool {
        self.chosen.is_some_and(|chosen| {
            let mut hasher = SipHasher13::new();
            hasher.write(content.as_bytes());
            chosen.strikes(hasher.finish())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_defect_reads_back_and_its_share_is_kept() {
        for text in ["M01", "M24", "M05@2%", "M05@0.5%"] {
            assert_eq!(text.parse::<Defect>().expect("known").to_string(), text);
        }
        for wrong in ["", "M25", "M05@", "M05@2", "M05@0%", "M05@101%", "M05@NaN%"] {
            assert!(wrong.parse::<Defect>().is_err(), "{wrong}");
        }
        let rare = Defects::new(Some(Defect::rare(Mechanism::M05, 2)));
        let struck = (0..10_000).filter(|n| rare.strikes(&n.to_string())).count();
        assert!((100..300).contains(&struck), "{struck} of 10,000");
        assert!(!Defects::new(None).strikes("anything"));
    }
}
