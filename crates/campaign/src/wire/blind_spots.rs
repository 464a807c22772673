//! What the oracles cannot see on a described server, by what its scenario names.

use partywall_core::dialect::Matching;
use partywall_core::finding::OracleId;
use partywall_core::plan::Via;
use partywall_core::protocol::Protocol;

/// Which oracles can say nothing by what the scenario states, and that in words: a reader of a clean
/// verdict must know.
pub(crate) fn may_be_blind(protocol: &Protocol) -> (Vec<OracleId>, Vec<String>) {
    let dialect = &protocol.dialect;
    let no_run = dialect.run.is_empty() || !dialect.unique_runs;
    let whole = protocol.via() == Via::Http;
    let unbound = protocol.via() == Via::Socket && dialect.matching == Matching::Stream;
    let all = [
        (OracleId::Ownership, dialect.user.is_empty() && no_run, "no user and no run id"),
        (OracleId::Completeness, !whole && !dialect.tells_ends(), "no end of a run"),
        (OracleId::Duplicates, dialect.sequence.is_empty(), "no number of an event"),
        (OracleId::AfterClose, whole, "no stream and no event connection"),
        (OracleId::Binding, unbound, "nothing that tells which request an event answers"),
    ];
    let blind: Vec<_> = all.into_iter().filter(|(_, blind, _)| *blind).collect();
    let stops = !protocol.controls.is_none();
    let told = !dialect.stopped_at.is_empty() || !protocol.controls.asks.is_empty();
    let controls = (stops && !told).then_some((
        OracleId::ControlEffect,
        true,
        "no way to tell that a run was stopped",
    ));
    let mut claims: Vec<String> = blind
        .iter()
        .chain(&controls)
        .map(|(id, _, why)| {
            let sees = match id {
                OracleId::Ownership if has_secrets(protocol) => "secrets of users only",
                _ => "nothing",
            };
            format!("{id} sees {sees}: the scenario names {why}")
        })
        .collect();
    if whole {
        claims.push(
            "overlap is of requests in flight: a server that serialises them looks the same".into(),
        );
    }
    let mut blind: Vec<_> = blind.into_iter().map(|(id, ..)| id).collect();
    if protocol.via() == Via::Stream {
        // Each call may be answered whole, and then nothing can come after its end.
        blind.push(OracleId::AfterClose);
    }
    (blind, claims)
}

/// Whether users have secrets of their own there, or what the scenario calls private.
fn has_secrets(protocol: &Protocol) -> bool {
    let private = protocol.setup.iter().flat_map(|step| &step.captures).any(|own| own.private);
    private || serde_json::to_string(protocol).is_ok_and(|text| text.contains("user.secret"))
}
