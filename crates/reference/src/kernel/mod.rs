//! Everything that the threads of the reference back end share: synchronous code, a lock a part.
//!
//! The kernel names neither `std::sync` locks nor loom: it takes them from the `sync` module beside
//! it, so that the very source that the server runs is what the model checker checks.
//! `Arc` is the standard one in both, since a reference count decides nothing here.

pub(crate) mod connections;
pub(crate) mod conversations;
pub(crate) mod emitters;
pub(crate) mod gate;
pub(crate) mod id_source;
pub(crate) mod limits;
pub(crate) mod pool;
pub(crate) mod runs;
pub(crate) mod singleton;
pub(crate) mod table;

use super::sync;

/// Locks; a panic elsewhere must not take every later request with it.
pub(crate) fn lock<T>(mutex: &sync::Mutex<T>) -> sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(sync::PoisonError::into_inner)
}
