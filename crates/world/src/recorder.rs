//! The recorder: one writer that numbers what was observed.

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use partywall_core::hidden::{PrivateValue, Secrets};
use partywall_core::history::OBSERVATIONS;
use partywall_core::history::{Note, Observation, What, Whose};
use partywall_core::ids::{ConnectionId, UserName};
use partywall_core::line::write_line;

/// So many bytes wait at most to be written together: a call of the system for each observation
/// would cost more than recording it.
const WRITTEN_TOGETHER: usize = 64 << 10;

/// Numbers observations, keeps them, and writes them to disk as they come; cheap to clone.
#[derive(Clone)]
pub struct Recorder(Arc<Mutex<Log>>);

struct Log {
    observations: Vec<Observation>,
    /// About how many bytes of memory the observations take.
    held: u64,
    file: Option<Box<dyn Write + Send>>,
    /// Lines that are not written yet.
    lines: Vec<u8>,
    broken: Option<std::io::Error>,
    /// What is never written down.
    secrets: Secrets,
    /// So many observations were recorded before the last of the secrets was known.
    unaware: usize,
    /// Whether a secret was found in one of them at the end.
    hidden_late: bool,
}

impl Log {
    fn write(&mut self) {
        if let (None, Some(file)) = (&self.broken, &mut self.file)
            && let Err(error) = file.write_all(&self.lines).and_then(|()| file.flush())
        {
            // The trial goes on in memory: a full disk must not lose what is still to be judged.
            self.broken = Some(error);
        }
        self.lines.clear();
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // Also when a panic ends the trial.
        self.write();
    }
}

impl Recorder {
    /// A recorder that only keeps what it records.
    pub fn in_memory() -> Self {
        Self::with(None)
    }

    /// A recorder that also appends each observation to the file, a line each. They are written
    /// together, at the latest with the next [`flush`](Self::flush).
    pub fn to_file(file: Box<dyn Write + Send>) -> Self {
        Self::with(Some(file))
    }

    fn with(file: Option<Box<dyn Write + Send>>) -> Self {
        let room = if file.is_none() { 128 } else { 4096 };
        let observations = OBSERVATIONS.with(|spare| spare.take(room));
        Self(Arc::new(Mutex::new(Log {
            observations,
            held: 0,
            file,
            lines: Vec::new(),
            broken: None,
            secrets: Secrets::default(),
            unaware: 0,
            hidden_late: false,
        })))
    }

    /// The same, but these secrets are taken out of all that is recorded from here on.
    pub fn hiding(self, secrets: Secrets) -> Self {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).secrets = secrets;
        self
    }

    /// Takes a secret of that user out of all that is recorded from here on, at the end out of what
    /// was recorded before too, and records that they have it where `whose` says from where; by what
    /// is not told nobody is judged.
    pub fn hide(&self, at: u64, user: &UserName, secret: &str, name: &str, whose: Option<Whose>) {
        let told = {
            let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let known = log.secrets.count();
            let told = match whose {
                Some(whose) => log.secrets.tell(user, secret, name, whose),
                None => {
                    log.secrets.add(secret);
                    None
                }
            };
            if log.secrets.count() > known {
                log.unaware = log.observations.len();
            }
            told
        };
        if let Some(what) = told {
            self.record(at, Some(user.clone()), None, what);
        }
    }

    /// Takes what the back end gave so far to users who alone may see it.
    pub fn take_private(&self) -> Vec<PrivateValue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).secrets.take_private()
    }

    /// Records one observation under the next number.
    pub fn record(&self, at: u64, by: Option<UserName>, on: Option<ConnectionId>, mut what: What) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !log.secrets.is_empty() {
            what.hide(&log.secrets);
        }
        let more = match &what {
            What::Backend { note } => {
                let text = if let Note::Upstream { text, .. } = &**note { text.len() } else { 0 };
                size_of::<Note>() + text
            }
            what => what.inbound().map_or(0, |raw| raw.bytes().len()),
        };
        let Log { observations, held, file, lines, broken, .. } = &mut *log;
        *held += (more + size_of::<Observation>()) as u64;
        observations.push(Observation { n: observations.len() as u64, at, by, on, what });
        if let (Some(observation), None, Some(_)) = (observations.last(), broken, file) {
            write_line(observation, lines);
            if lines.len() >= WRITTEN_TOGETHER {
                log.write();
            }
        }
    }

    /// Writes what is not written yet. Whoever drives calls it many times a second, so that the end
    /// of the process loses no more than what came since.
    pub fn flush(&self) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !log.lines.is_empty() {
            log.write();
        }
    }

    /// About how many bytes of memory the observations take.
    pub fn held(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).held
    }

    /// Shows what was recorded from that number on, and says where to go on.
    pub fn look(&self, from: usize, mut see: impl FnMut(&Observation)) -> usize {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.observations.iter().skip(from).for_each(&mut see);
        log.observations.len()
    }

    /// How many observations there are.
    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).observations.len()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes what was recorded, and the first error of writing it, if any.
    pub fn finish(&self) -> (Vec<Observation>, Option<std::io::Error>) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.write();
        log.file = None;
        let broken = log.broken.take();
        let Log { observations, secrets, unaware, hidden_late, .. } = &mut *log;
        // A server may show a secret to another user before its own user has it, or has it again.
        for early in observations.iter_mut().take(*unaware) {
            *hidden_late |= early.what.hide(secrets);
        }
        (std::mem::take(observations), broken)
    }

    /// Whether secrets were taken out at the end only, so that what was written shows them.
    pub fn hid_late(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).hidden_late
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Recorder({} observations)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use partywall_core::canary::CampaignKey;
    use partywall_core::plan::{PLAN_VERSION, Plan};
    use partywall_core::protocol::Protocol;

    #[test]
    fn what_came_before_a_secret_was_known_is_hidden_at_the_end() {
        let campaign = CampaignKey::from_seed(1);
        let (users, faults) = (Vec::new(), Vec::new());
        let scenario = "secrets".into();
        let (version, trial, protocol) = (PLAN_VERSION, 0, Protocol::reference());
        let plan = Plan { version, scenario, campaign, trial, users, faults, protocol, linger: 0 };
        let (alice, bob) = (UserName::new("alice"), UserName::new("bob"));
        let received = |raw: &str| What::Received { raw: raw.into() };
        for shown in ["a token-of-alice", "nothing"] {
            let recorder = Recorder::in_memory().hiding(Secrets::of_trial(&plan));
            recorder.record(0, Some(bob.clone()), None, received(shown));
            recorder.hide(1, &alice, "token-of-alice", "token", Some(Whose::Captured));
            assert!(!recorder.hid_late());
            let (observations, _) = recorder.finish();
            assert_eq!(observations.len(), 2);
            assert_eq!(observations[0].what == received(shown), shown == "nothing");
            assert_eq!(recorder.hid_late(), shown != "nothing");
            // There is nothing more to take.
            assert_eq!(recorder.finish().0, []);
        }
    }
}
