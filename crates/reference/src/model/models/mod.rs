//! The models, a family a file.

mod connections;
mod conversations;
mod emitters;
mod factory;
mod ids;
mod limits;
mod pools;
mod post;
mod request;
mod runs;
mod shutdown;
mod singleton;
mod tables;

use super::spec::ModelSpec;

/// Every model, in the order in which they are told.
pub fn models() -> &'static [ModelSpec] {
    &MODELS
}

static MODELS: [ModelSpec; 20] = [
    factory::LEGACY_2,
    factory::LEGACY_3,
    factory::PER_REQUEST_2,
    factory::PER_REQUEST_3,
    connections::RECONNECT,
    connections::RECONNECT_BUSY,
    connections::LATE_TEARDOWN,
    connections::TWO_TABS,
    runs::TAKEN_NAME,
    runs::FINISHED,
    emitters::POOL,
    limits::CANCEL,
    limits::TWO_SEATS,
    singleton::FIRST_USE,
    ids::SOURCE,
    shutdown::IN_FLIGHT,
    conversations::APPEND,
    pools::ONE_OWNER,
    tables::ONE_LEADER,
    request::WHOLE,
];
