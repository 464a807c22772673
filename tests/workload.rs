//! What the workload of a scenario file asks for happens on the wire; a server whose leak needs it
//! leaks, and a clean one does not.

#[path = "workload/beside.rs"]
mod beside;
#[path = "workload/drive.rs"]
mod drive;
#[path = "workload/files.rs"]
mod files;
#[path = "workload/further.rs"]
mod further;
#[path = "workload/happens.rs"]
mod happens;
#[path = "workload/http.rs"]
mod http;
#[path = "workload/leaks.rs"]
mod leaks;
#[path = "workload/small.rs"]
mod small;
