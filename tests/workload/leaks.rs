//! Leaks that need an ingredient: found with it, and nothing in the clean server.

use std::time::Duration;

use partywall::trial::finding::{FindingKind, OracleId};
use partywall::trial::verdict::Verdict;
use partywall::upstream::{Options, Upstream};

use super::drive::{Came, drive, steered};
use crate::servers::{Leak, http_api, steered_chat};

fn driven(leak: Leak, say: &str, work: &str) -> Came {
    let (server, _) = steered_chat::start(leak);
    drive(&server.url(), &steered(say, work))
}

#[track_caller]
fn needs(leak: Leak, say: &str, work: &str, code: &str) {
    let work = format!("users = 6\nrounds = 2\n{work}");
    driven(leak, say, &work).is_found_by(code);
    driven(Leak::None, say, &work).is_clean();
}

#[test]
fn a_stop_by_another_user_stops_the_run() {
    needs(Leak::AnybodysRun, "", "stop_other_percent = 100", "O9");
}

#[test]
fn an_approval_by_another_user_lets_the_run_go_on() {
    needs(Leak::AnybodysRun, ", ask = true", "approve_other_percent = 100", "O9");
}

#[test]
fn a_foreign_cursor_gives_another_users_events() {
    let work = "disconnect_percent = 100\nreconnect = [\"foreign\"]\ncut_at = [\"middle\"]";
    needs(Leak::Cursor, "", work, "O1");
}

#[test]
fn the_next_user_on_a_connection_gets_the_former_ones_events() {
    needs(Leak::FormerUser, "", "switch_percent = 100", "O1");
}

#[test]
fn a_slow_reader_loses_events() {
    let say = ", steps = 12, pad = 40000";
    let work = "users = 3\nruns_per_user = 1\nrounds = 1\nslow_percent = 100\nslow = [60, 60]";
    driven(Leak::Dropping, say, work).is_found_by("O3");
    driven(Leak::None, say, work).is_clean();
}

#[test]
fn own_data_of_another_request_is_a_warning_unless_the_scenario_says_otherwise() {
    let work = "parallel = 2\nruns_per_user = 4\nstart_delay = [0, 2]";
    let work = format!("users = 6\nrounds = 2\n{work}");
    let graded = |leak, severity: &str| {
        let (server, _) = steered_chat::start(leak);
        let severity = format!("\n[severity]\n{severity}\n");
        drive(&server.url(), &(steered("", &work) + &severity))
    };
    let warned = |came: &Came| {
        let kinds = came.level.warnings.iter().map(|warning| (warning.oracle, warning.kind));
        kinds.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    let came = graded(Leak::LastOfUser, "");
    // The phantom's words may be among those that others of the same user took the place of.
    assert_ne!(came.level.verdict, Verdict::Leaked, "{:#?}", came.level.reasons);
    assert_eq!(came.level.findings, []);
    assert_eq!(warned(&came), [(OracleId::Binding, FindingKind::OwnData)]);
    let came = graded(Leak::LastOfUser, "own_data = \"leak\"");
    assert_eq!((came.codes(), came.level.verdict), (vec!["O7"], Verdict::Leaked));
    assert_eq!(warned(&came), []);
    let came = graded(Leak::LastOfUser, "own_data = \"ignore\"");
    assert_ne!(came.level.verdict, Verdict::Leaked, "{:#?}", came.level.reasons);
    assert_eq!((came.codes(), warned(&came)), (vec![], vec![]));
    let came = graded(Leak::None, "");
    came.is_clean();
    assert_eq!(warned(&came), []);
}

/// Requests whose answers take a while; the leak's harm is only there while a cancelled one's
/// answer is still to come.
fn notes(leak: Leak, workload: &str) -> Came {
    let delay = (Duration::from_millis(20), Duration::from_millis(60));
    let options = Options { delay, ..Options::default() };
    let upstream = Upstream::start(options).expect("a free port");
    let server = http_api::start(leak, upstream.url());
    let text = format!(
        r#"version = 1
name = "notes"
title = "Notes"
[target]
url = "http://127.0.0.1:1"
[identity]
headers = {{ authorization = "Bearer {{{{ user }}}}" }}
[start]
by = "http"
path = "/notes"
json = {{ id = "{{{{ request_id }}}}", text = "{{{{ prompt }}}}" }}
[workload]
users = 8
runs_per_user = 6
rounds = 2
bystander = false
{workload}
"#
    );
    drive(&server.url(), &text)
}

#[test]
fn others_work_while_some_cancel() {
    let work = "sequential = false\ncancel_percent = 40\ncut_at = [\"middle\"]";
    notes(Leak::Outstanding, work).is_found_by("O1");
    notes(Leak::None, work).is_clean();
    // Without a cancellation there is nothing to find.
    notes(Leak::Outstanding, "").is_clean();
}
