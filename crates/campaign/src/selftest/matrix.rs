//! The detection matrix: what each mechanism is expected to be found by, level by level.

use partywall_core::finding::OracleId;
use partywall_core::mechanism::Mechanism;

/// What is expected of one mechanism.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The oracles that find it in explored trials, each with at least one of twenty seeds.
    pub explore: &'static [OracleId],
    /// What driving it over real connections comes to.
    pub wire: Wire,
    /// The model that shows its like in the kernel, where one does.
    pub model: Option<&'static str>,
}

/// What driving a mechanism over real connections comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// It is found within a minute.
    Found,
    /// It is found within a minute more often than not, and late, for that reason.
    Late(&'static str),
    /// Seldom or never, for that reason.
    Missed(&'static str),
}

/// Why what a cancelled call leaves behind is not found on the wire.
const NEVER_CUT: &str = "rare: a request must be cut while its upstream call is under way";

/// What is expected of that mechanism. The match is exhaustive, so that one without a row does not
/// compile.
pub fn expected(mechanism: Mechanism) -> Row {
    use OracleId::{
        AtRest, Attribution, Binding, Canary, Completeness, ControlEffect, Duplicates,
        NonInterference, Ownership,
    };
    let row = |explore, model| Row { explore, wire: Wire::Found, model };
    let missed = |explore, model, why| Row { explore, wire: Wire::Missed(why), model };
    match mechanism {
        Mechanism::M01 => missed(&[Canary, Binding, NonInterference], None, NEVER_CUT),
        Mechanism::M02 => missed(&[Canary], None, NEVER_CUT),
        Mechanism::M03 => row(&[Canary, Ownership, Completeness], None),
        Mechanism::M04 => row(&[Ownership], Some("run-name-taken")),
        Mechanism::M05 => {
            row(&[Canary, Ownership, Completeness, NonInterference], Some("legacy-2-users"))
        }
        Mechanism::M06 => row(&[Canary, Attribution, NonInterference], None),
        Mechanism::M07 => row(&[Canary, Attribution], None),
        Mechanism::M08 => row(&[Canary, Attribution, NonInterference], None),
        Mechanism::M09 => row(&[Canary], Some("pool-one-owner")),
        Mechanism::M10 => {
            missed(&[Canary, AtRest], None, "rare: the buffer must be taken again within 4 ms")
        }
        Mechanism::M11 => row(&[Canary, Attribution, NonInterference], None),
        Mechanism::M12 => row(&[Canary, Ownership, NonInterference], None),
        Mechanism::M13 => row(&[Canary, Ownership, Completeness], None),
        Mechanism::M14 => row(&[Canary, AtRest], None),
        Mechanism::M15 => row(&[Canary, NonInterference], None),
        Mechanism::M16 => row(&[Canary], Some("table-one-leader")),
        Mechanism::M17 => row(&[Canary, Ownership, Duplicates], None),
        Mechanism::M18 => missed(
            &[Completeness],
            Some("late-teardown"),
            "rare: the old connection must end between two steps of the new one",
        ),
        Mechanism::M19 => row(&[Canary, Ownership], None),
        Mechanism::M20 => Row {
            explore: &[Completeness],
            wire: Wire::Late(
                "found late: a connection must fall behind while another's run goes on",
            ),
            model: None,
        },
        Mechanism::M21 => row(&[Canary, NonInterference], None),
        Mechanism::M22 => row(&[Canary, Attribution], None),
        Mechanism::M23 => row(&[ControlEffect], None),
        Mechanism::M24 => row(&[AtRest], Some("conversation-append")),
    }
}
