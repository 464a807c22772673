//! What the oracles cannot see on a described server, by what its scenario names.

use partywall_core::dialect::Matching;
use partywall_core::finding::OracleId;
use partywall_core::ids::UserName;
use partywall_core::plan::Via;
use partywall_core::protocol::Protocol;
use partywall_explore::workload::{ServerWork, names};
use partywall_oracles::is_searched;

/// So many names are listed; of more, how many they are.
const MOST_LISTED: usize = 6;

/// Which oracles can say nothing by what the scenario states, for that many users, and that in words:
/// a reader of a clean verdict must know.
pub(crate) fn may_be_blind(work: &ServerWork, users: u32) -> (Vec<OracleId>, Vec<String>) {
    let protocol = &*work.protocol;
    let dialect = &protocol.dialect;
    let (searched, short): (Vec<UserName>, Vec<UserName>) =
        (0..users).map(|index| names::name(work, index)).partition(is_searched);
    let no_run = dialect.run.is_empty() || !dialect.unique_runs;
    let whole = protocol.via() == Via::Http;
    let unbound = protocol.via() == Via::Socket && dialect.matching == Matching::Stream;
    let all = [
        (OracleId::Ownership, dialect.user.is_empty() && no_run, "no user and no run id"),
        (OracleId::Completeness, !whole && !dialect.tells_ends(), "no end of a run"),
        (OracleId::Duplicates, whole || dialect.sequence.is_empty(), "no number of an event"),
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
                OracleId::Ownership if !searched.is_empty() => "names and secrets in texts only",
                OracleId::Ownership if has_secrets(protocol) => "secrets of users only",
                _ => "nothing",
            };
            format!("{id} sees {sees}: the scenario names {why}")
        })
        .collect();
    claims.extend(protocol.sharing.iter().map(|own| {
        let whom = match &own.users[..] {
            [] => "any user".to_owned(),
            users => users.iter().map(UserName::as_str).collect::<Vec<_>>().join(", "),
        };
        format!("what {whom} may see at `{}` is no finding: the scenario says so", own.place)
    }));
    let no_equal = "no cache is tried that is keyed by words alone: `equal_percent` is 0";
    claims.extend((work.faults.equal == 0).then(|| no_equal.to_owned()));
    claims.extend(not_searched(&short).filter(|_| !dialect.strict));
    let mut blind: Vec<_> = blind.into_iter().map(|(id, ..)| id).collect();
    if protocol.via() == Via::Stream {
        // Each call may be answered whole, and then nothing can come after its end.
        blind.push(OracleId::AfterClose);
    }
    (blind, claims)
}

/// That texts are not searched for those names.
fn not_searched(short: &[UserName]) -> Option<String> {
    let (first, rest) = short.split_at(short.len().min(MOST_LISTED));
    let first: Vec<String> = first.iter().map(|name| format!("`{name}`")).collect();
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    let which = first.join(", ");
    (!first.is_empty()).then(|| {
        format!("O2 does not search texts for {which}{more}: a name so short may be any word")
    })
}

/// Whether users have secrets of their own there, or what the scenario calls private.
fn has_secrets(protocol: &Protocol) -> bool {
    let private = protocol.setup.iter().flat_map(|step| &step.captures).any(|own| own.private);
    private || serde_json::to_string(protocol).is_ok_and(|text| text.contains("user.secret"))
}
