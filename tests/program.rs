//! What the program does as its users start it, and what it does over real connections.

mod code_scanning;
#[path = "docs/main.rs"]
mod docs;
#[path = "program/main.rs"]
mod program;
mod python_chat;
#[path = "ready_scenarios/main.rs"]
mod ready_scenarios;
mod sample_report;
mod servers;
mod servers_alone;
#[path = "program/support/mod.rs"]
mod support;
mod upstream;
mod workload;
