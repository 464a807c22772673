//! The process-wide instance and the settings that requests write into it: the modelled fault.

use std::sync::Arc;

use super::lock;
use super::sync::Mutex;

/// A value that is made at first use and then the same for everybody.
#[derive(Debug)]
pub(crate) struct Singleton<T> {
    made: Mutex<Option<Arc<T>>>,
}

impl<T> Singleton<T> {
    pub(crate) fn new() -> Self {
        Self { made: Mutex::new(None) }
    }

    /// The value; made now if nobody has asked before. It is made under the lock, so only once.
    pub(crate) fn get_or_make(&self, make: impl FnOnce() -> T) -> Arc<T> {
        Arc::clone(lock(&self.made).get_or_insert_with(|| Arc::new(make())))
    }
}

/// The settings of one factory. Writing and reading are each safe; what is not is to write, let
/// another request run, and then read: the last writer wins.
#[derive(Debug)]
pub(crate) struct SettingsSlot<S> {
    settings: Mutex<Option<S>>,
}

impl<S: Clone> SettingsSlot<S> {
    pub(crate) fn new() -> Self {
        Self { settings: Mutex::new(None) }
    }

    /// Replaces the settings.
    pub(crate) fn configure(&self, settings: S) {
        *lock(&self.settings) = Some(settings);
    }

    /// The settings as they are now; none if the factory was never configured.
    pub(crate) fn read(&self) -> Option<S> {
        lock(&self.settings).clone()
    }
}
