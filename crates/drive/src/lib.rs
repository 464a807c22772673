//! What driving a server takes: scenario files, real connections, and the server's model and tools where
//! partywall plays them.

pub mod scenario;
pub mod transport;
pub mod upstream;
