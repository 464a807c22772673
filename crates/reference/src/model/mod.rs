//! The first level of evidence: loom runs the kernel that the server's threads share through every
//! interleaving.
//!
//! `kernel` here is not a copy: it is the server's source files, compiled a second time over loom's
//! types, in the ordinary build and without `--cfg loom`. What a model adds is the threads, and what
//! must hold however they interleave. Each model brings
//!
//! - *controls*: broken variants of the kernel part, or of its use, that the same search must
//!   refute for the stated reason ([`Control`]);
//! - the *interesting state* that the search must have come to at least once
//!   ([`ModelSpec::interesting`]);
//! - the *pinned* number of interleavings: a search of another size is another search
//!   ([`Pinned`]).
//!
//! A counterexample is a [`Story`]: what each thread did, in order, side by side. Loom's search is
//! deterministic, so the number of the interleaving is all that [`replay`] needs.
//!
//! # What is searched
//!
//! *Complete* is every interleaving, up to the order of steps that do not touch the same lock or
//! atomic (two orders of such steps cannot be told apart, and loom tries one of them). The larger
//! models have a bound on preemptions: 2 in the ordinary search, 3 in the thorough one. A refuted
//! model counts up to the first interleaving that refutes it. Seconds are of a release build on two
//! shared cores, without the controls, which together take less than 0.2 s.
//!
//! | model | search | interleavings | s | thorough: bound 3 | s |
//! | --- | --- | --: | --: | --: | --: |
//! | `legacy-2-users` | to the first leak | 14 | < 0.01 |  |  |
//! | `legacy-3-users` | to the first leak | 14 | < 0.01 |  |  |
//! | `per-request-2-users` | complete | 31 | < 0.01 |  |  |
//! | `per-request-3-users` | complete | 8,844 | 0.65 |  |  |
//! | `reconnect` | complete | 92 | 0.01 |  |  |
//! | `reconnect-busy` | complete | 608 | 0.05 |  |  |
//! | `late-teardown` | bound 2 | 1,637 | 0.16 | 9,383 | 0.98 |
//! | `two-tabs` | complete | 572 | 0.04 |  |  |
//! | `run-name-taken` | complete | 19 | < 0.01 |  |  |
//! | `run-finished` | complete | 1,232 | 0.09 |  |  |
//! | `emitter-pool` | complete | 539 | 0.04 |  |  |
//! | `limit-cancel` | complete | 431 | 0.03 |  |  |
//! | `limit-two-seats` | bound 2 | 9,220 | 0.94 | 45,963 | 4.75 |
//! | `singleton-first-use` | complete | 539 | 0.04 |  |  |
//! | `id-source` | complete | 539 | 0.04 |  |  |
//! | `shutdown-in-flight` | complete | 800 | 0.06 |  |  |
//! | `conversation-append` | complete | 539 | 0.04 |  |  |
//! | `pool-one-owner` | complete | 419 | 0.03 |  |  |
//! | `table-one-leader` | complete | 26 | < 0.01 |  |  |
//! | `whole-request` | bound 2 | 1,108 | 0.10 | 14,772 | 1.24 |
//!
//! # What a clean search does not prove
//!
//! - **Weak memory.** Loom models acquire and release, but not all that the language allows of
//!   relaxed operations (a load cannot read a store that comes later in the execution), and a
//!   `SeqCst` access only as acquire and release. The kernel has one relaxed operation, the counter
//!   of the id source, of which nothing but uniqueness is asked; everything else is behind a lock.
//! - **Tokio's own primitives.** The channel of a connection, tasks and wake-ups are tokio's and
//!   not modelled: an inbox with a lock of its own stands for the channel, a bell for the waker.
//! - **Async cancellation.** A thread here runs to its end; what a future that is dropped between
//!   two awaits leaves behind is the explore level's matter. The limits' model has the kernel's
//!   side of it: a waiting run that leaves the queue.
//! - **The service between the calls.** The models call the kernel as the service does; the
//!   service's own code is not in them. `tests/kernel_only.rs` holds the other half: no lock,
//!   atomic or `static` is in the reference back end outside its kernel.
//! - **Size.** At most four threads of a few operations each. Beyond the bound of a bounded model,
//!   nothing is said.
//! - **Fair scheduling.** A lost wake-up is found as a deadlock; starvation is not looked for.

mod check;
mod models;
mod search;
mod spec;
mod stage;
mod story;
mod sync;
mod table;

// The same files as `reference::kernel`: `use super::sync` in them finds loom's types here.
#[path = "../kernel/mod.rs"]
#[expect(clippy::duplicate_mod, reason = "the server's kernel, here over loom's types")]
#[expect(dead_code, reason = "defects use some of it that no model does")]
mod kernel;

pub use check::{ControlOutcome, ModelOutcome, check, replay};
pub use models::models;
pub use spec::{Bound, Control, Expected, ModelSpec, Moment, Pinned, Property, Thoroughness};
pub use stage::{Step, Violation};
pub use story::{Story, render_story};
pub use table::render_table;
