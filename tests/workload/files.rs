//! What is wrong with a workload is told with its line, and what to write instead.

use partywall::scenario::{Scenario, TEMPLATES};

use super::drive::{scenario, steered};

#[test]
fn a_workload_that_cannot_be_is_refused_with_its_line() {
    for line in [
        "cancel_percent = 101",
        "ramp = 1000000",
        "tabs = 9",
        "tabs = 0",
        "time_out = [5, 1]",
        "cut_at = [\"end\"]",
        "cut_at = []",
        "reconnect = [\"mine\"]",
        "oversize_bytes = 0",
        "slow_percent = 200",
    ] {
        let text = steered("", &format!("users = 4\n{line}"));
        let error = Scenario::parse(&text).expect_err(line);
        let place = text.lines().position(|own| own == line).map(|at| at + 1);
        assert_eq!(error.line, place, "{line}: {error}");
        let key = line.split(' ').next().unwrap_or_default();
        assert!(error.to_string().contains(&format!("workload.{key}")), "{line}: {error}");
    }
}

#[test]
fn what_the_rest_of_the_file_does_not_allow_is_refused() {
    let without = |part: &str, line: &str| {
        let text = steered("", &format!("users = 4\n{line}"));
        let from = text.find(part).expect("it is there");
        let to = text[from..].find("\n[").map_or(text.len(), |end| from + end + 1);
        let text = format!("{}{}", &text[..from], &text[to..]);
        Scenario::parse(&text).expect_err(line).to_string()
    };
    assert!(
        without("[switch]", "switch_percent = 5").contains("`enter` and `until` in `[switch]`")
    );
    assert!(without("[controls.stop]", "stop_percent = 5").contains("give `[controls.stop]`"));
    let approve = without("[controls.approve]", "approve_other_percent = 5");
    assert!(approve.contains("give `[controls.approve]`"), "{approve}");
    let text =
        steered("", "users = 4\nstop_other_percent = 5").replace("/jobs/{{ run }}/stop", "/stop");
    let error = Scenario::parse(&text).expect_err("no run is named").to_string();
    assert!(error.contains("put `{{ run }}` into `[controls.stop]`"), "{error}");
    let text = steered("", "users = 4\nreconnect = [\"own\"]").replace("resume =", "replies =");
    let error = Scenario::parse(&text).expect_err("no cursor can be shown").to_string();
    assert!(error.contains("give `resume` in `[events]`"), "{error}");
}

#[test]
fn everything_together_makes_plans_that_can_be_driven() {
    let all = "users = 12\nruns_per_user = 4\nparallel = 2\ntabs = 2\ncancel_percent = 10\n\
               disconnect_percent = 10\ntime_out_percent = 10\noverlap_percent = 10\n\
               switch_percent = 30\nslow_percent = 10\nmalformed_percent = 20\n\
               oversize_percent = 5\nstop_percent = 10\nstop_other_percent = 10\n\
               approve_other_percent = 10";
    let work = scenario(&steered("", all)).wire;
    for trial in 0..50 {
        let plan = work.plan(7, trial);
        plan.check().expect("a sound plan");
        assert_eq!(plan, work.plan(7, trial));
        let text = serde_json::to_string(&plan).expect("plain data");
        assert_eq!(
            serde_json::from_str::<partywall::trial::plan::Plan>(&text).expect("read"),
            plan
        );
    }
}

#[test]
fn a_limit_of_requests_holds_for_the_plans() {
    let work = "users = 6\nruns_per_user = 3\nrounds = 5\nmalformed_percent = 100\n\
                disconnect_percent = 50\nstop_percent = 20";
    let text = steered("", work).replace("run_seconds = 5", "run_seconds = 5\nrequests = 200");
    let scenario = scenario(&text);
    let sent: u64 =
        (0..scenario.wire_rounds).map(|trial| scenario.wire.plan(1, trial).requests()).sum();
    assert!(
        scenario.wire_rounds >= 1 && sent <= 200,
        "{} rounds, {sent} requests",
        scenario.wire_rounds
    );
}

/// A cache without users in its key needs equal requests, and nobody asks for what they do not know.
#[test]
fn equal_messages_are_tried_where_nothing_is_said() {
    let share = |name: &str, more: &str| {
        let (_, text) = TEMPLATES.iter().find(|(own, _)| *own == name).expect("a template");
        // Nothing but the prompt differs between two requests of a user.
        let text = text.replace("settings = \"{{ settings }}\"\n", "");
        let text = text.replace("[workload]\n", &format!("[workload]\n{more}\n"));
        let work = Scenario::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}")).wire;
        work.server.expect("it is one of a server").faults.equal
    };
    assert_eq!([share("chat-websocket", ""), share("http-only", "")], [5, 5]);
    assert_eq!(share("http-only", "equal_percent = 30"), 30);
    assert_eq!(share("chat-websocket", "equal_percent = 0"), 0);
}
