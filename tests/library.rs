//! What the library does, called in this process. One test program and not one a file: each program
//! links everything once more.

mod architecture;
mod audit;
mod canary;
mod code_scanning;
mod exhaustive;
mod explore_figures;
mod fuzz_corpora;
mod kernel_only;
mod model;
mod names;
mod oracle_controls;
mod oracles;
mod own_code;
mod plans;
mod records;
mod report_figures;
mod report_formats;
#[path = "report_page/main.rs"]
mod report_page;
mod report_schema;
mod reports;
mod scenario_schema;
mod selftest;
mod shrinking;
mod strategies;
mod workloads;
mod world;
