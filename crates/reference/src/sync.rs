//! The synchronisation that the kernel is compiled over in the server: the standard library's.
//!
//! `src/model/` compiles the same kernel over loom's types of the same names.

pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
pub(crate) use std::sync::{Mutex, MutexGuard, PoisonError};
