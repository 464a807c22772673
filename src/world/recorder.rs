//! The recorder: one writer that numbers what was observed.

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use crate::trial::history::{Observation, What, to_line};
use crate::trial::ids::{ConnectionId, UserName};

/// A shorter secret would be found everywhere, and protects nothing.
const SHORTEST_SECRET: usize = 6;

/// Numbers observations, keeps them, and writes each to disk as it comes; cheap to clone.
#[derive(Clone)]
pub struct Recorder(Arc<Mutex<Log>>);

struct Log {
    observations: Vec<Observation>,
    /// About how many bytes of memory the observations take.
    held: u64,
    file: Option<Box<dyn Write + Send>>,
    broken: Option<std::io::Error>,
    /// What is never written down.
    secrets: Vec<String>,
}

impl Recorder {
    /// A recorder that only keeps what it records.
    pub fn in_memory() -> Self {
        Self::with(None)
    }

    /// A recorder that also appends each observation to the file, a line each.
    pub fn to_file(file: Box<dyn Write + Send>) -> Self {
        Self::with(Some(file))
    }

    fn with(file: Option<Box<dyn Write + Send>>) -> Self {
        let observations = Vec::with_capacity(if file.is_none() { 128 } else { 4096 });
        Self(Arc::new(Mutex::new(Log {
            observations,
            held: 0,
            file,
            broken: None,
            secrets: Vec::new(),
        })))
    }

    /// The same, but these secrets are taken out of all that is recorded from here on.
    pub fn hiding(self, mut secrets: Vec<String>) -> Self {
        secrets.retain(|secret| secret.len() >= SHORTEST_SECRET);
        // A secret that holds another goes first.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).secrets = secrets;
        self
    }

    /// Records one observation under the next number.
    pub fn record(&self, at: u64, by: Option<UserName>, on: Option<ConnectionId>, what: What) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let what = if log.secrets.is_empty() { what } else { what.without(&log.secrets) };
        let observation = Observation { n: log.observations.len() as u64, at, by, on, what };
        if log.broken.is_none()
            && let Some(file) = &mut log.file
            && let Err(error) = file.write_all(to_line(&observation).as_bytes())
        {
            // The trial goes on in memory: a full disk must not lose what is still to be judged.
            log.broken = Some(error);
        }
        let raw = observation.what.inbound().map_or(0, |raw| raw.bytes().len());
        log.held += (raw + size_of::<Observation>()) as u64;
        log.observations.push(observation);
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
        let mut broken = log.broken.take();
        if let Some(mut file) = log.file.take()
            && let Err(error) = file.flush()
        {
            broken.get_or_insert(error);
        }
        (std::mem::take(&mut log.observations), broken)
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Recorder({} observations)", self.len())
    }
}
