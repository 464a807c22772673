//! The program as people use it: started as a process, judged by what it prints, writes and exits
//! with. Hostile servers and servers with planted leaks stand in for what it may meet.

mod audit;
mod bad_files;
mod bad_input;
mod driven_cookies;
mod driven_crashes;
mod driven_endings;
mod driven_fleet;
mod driven_identity;
mod driven_limits;
mod driven_names;
mod driven_places;
mod driven_queues;
mod driven_secrets;
mod driven_sharing;
mod driven_tls;
mod driven_upstream;
mod explore;
mod forms;
mod help;
mod hostile_http;
mod hostile_socket;
mod interrupt;
mod mistakes;
mod outliving;
mod output;
mod planted;
mod scenarios;
mod searches;
mod serve_ends;
mod serve_http;
mod serve_socket;
mod share;
mod signoff;
mod states;
mod wire;
