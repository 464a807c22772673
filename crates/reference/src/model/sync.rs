//! The synchronisation that the kernel is compiled over in the models: loom's types, by the names
//! that `reference/sync.rs` gives the standard library's.

pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};
pub(crate) use loom::sync::{Mutex, MutexGuard};
pub(crate) use std::sync::PoisonError;
