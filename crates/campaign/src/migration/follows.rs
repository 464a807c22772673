//! What follows from the states of a migration together: which sites leak alone, which sets suffice,
//! in which order to go. Whether all states are known or only some, the rules are the same.

use std::collections::BTreeSet;

use partywall_core::migration::{MigrationRecord, StateRow, StateVerdict, StepRow};

/// Call sites, by their places in the list.
type Sites = BTreeSet<usize>;

/// What a way costs: sites that it migrates together since no state between is known, leaking
/// states, how much they leak, then doubt and what is latent.
type Cost = (usize, u64, u64, u64);

/// States with the sites that are migrated in each. A state comes before all that have more.
pub(super) struct Known<'s> {
    sites: &'s [String],
    states: &'s [StateRow],
    migrated: Vec<Sites>,
}

impl<'s> Known<'s> {
    pub(super) fn new(sites: &'s [String], states: &'s [StateRow]) -> Self {
        let place = |name: &String| sites.iter().position(|site| site == name);
        let of = |row: &StateRow| row.migrated.iter().filter_map(place).collect();
        Self { sites, states, migrated: states.iter().map(of).collect() }
    }

    /// How many call sites there are.
    pub(super) fn site_count(&self) -> usize {
        self.sites.len()
    }

    /// What follows; nothing is said of what no state shows.
    pub(super) fn conclude(&self) -> MigrationRecord {
        let end = self.end().map(|row| row.verdict);
        let alone = |wanted: StateVerdict, ends: &[StateVerdict]| {
            // What is there with all sites migrated too is not the doing of the one that is left.
            let is_its_own = end.is_some_and(|end| ends.contains(&end));
            let left = (0..self.sites.len())
                .filter(|site| is_its_own && self.alone(*site).is_some_and(|own| own == wanted));
            left.map(|site| self.sites[site].clone()).collect()
        };
        MigrationRecord {
            sites: self.sites.to_vec(),
            site_rows: Vec::new(),
            scenarios: Vec::new(),
            states: self.states.to_vec(),
            leak_alone: alone(StateVerdict::Leaked, &[StateVerdict::Clean, StateVerdict::Latent]),
            latent_alone: alone(StateVerdict::Latent, &[StateVerdict::Clean]),
            smallest_clean: self.smallest_clean().map(|at| self.names(at)).collect(),
            order: self.order(),
            undetermined: Vec::new(),
        }
    }

    /// The state in which every site is migrated.
    pub(super) fn end(&self) -> Option<&StateRow> {
        self.where_left(&Sites::new())
    }

    /// What the state comes to in which that site is the only one that is legacy.
    pub(super) fn alone(&self, site: usize) -> Option<StateVerdict> {
        self.where_left(&[site].into()).map(|row| row.verdict)
    }

    /// The state in which exactly those sites are legacy.
    fn where_left(&self, left: &Sites) -> Option<&StateRow> {
        let is_it = |migrated: &Sites| {
            migrated.is_disjoint(left) && migrated.len() + left.len() == self.sites.len()
        };
        self.migrated.iter().position(is_it).map(|at| &self.states[at])
    }

    /// A pair of states that differ in that site only, of which the one leaks where it is legacy and
    /// the other shows nothing.
    pub(super) fn contrast(&self, site: usize) -> Option<(&StateRow, &StateRow)> {
        let leaking = self.states.iter().zip(&self.migrated).filter(|(row, migrated)| {
            row.verdict == StateVerdict::Leaked && !migrated.contains(&site)
        });
        leaking.into_iter().find_map(|(row, migrated)| {
            let mut more = migrated.clone();
            more.insert(site);
            let at = self.migrated.iter().position(|other| *other == more)?;
            let quiet = [StateVerdict::Clean, StateVerdict::Latent];
            quiet.contains(&self.states[at].verdict).then(|| (row, &self.states[at]))
        })
    }

    /// Clean states of which none with fewer migrated sites is known to be clean.
    fn smallest_clean(&self) -> impl Iterator<Item = usize> {
        let is_clean = |at: &usize| self.states[*at].verdict == StateVerdict::Clean;
        let has_smaller = move |at: usize| {
            let own = &self.migrated[at];
            (0..at)
                .any(|other| is_clean(&other) && self.migrated[other].is_subset(own) && other != at)
        };
        (0..self.states.len()).filter(is_clean).filter(move |at| !has_smaller(*at))
    }

    /// Smallest clean sets with one of theirs without which nobody knows whether it is clean.
    pub(super) fn may_be_smaller(&self) -> Vec<(Vec<String>, Vec<String>)> {
        let is_open = |own: &Sites, site: &usize| {
            let mut fewer = own.clone();
            fewer.remove(site);
            let at = self.migrated.iter().position(|other| *other == fewer);
            at.is_none_or(|at| self.states[at].verdict == StateVerdict::Inconclusive)
        };
        let open = |at: usize| {
            let own = &self.migrated[at];
            let open = own.iter().filter(|site| is_open(own, site));
            (self.names(at), open.map(|site| self.sites[*site].clone()).collect::<Vec<_>>())
        };
        self.smallest_clean().map(open).filter(|(_, open)| !open.is_empty()).collect()
    }

    fn names(&self, at: usize) -> Vec<String> {
        self.migrated[at].iter().map(|site| self.sites[*site].clone()).collect()
    }

    /// From the first state to the last in steps as small as the states allow; of those ways the one
    /// with the fewest leaking states, and among those the one that leaks least.
    fn order(&self) -> Vec<StepRow> {
        let Some(last) = self.states.len().checked_sub(1) else { return Vec::new() };
        let mut best: Vec<Option<(Cost, usize)>> = vec![None; self.states.len()];
        best[last] = Some(((0, 0, 0, 0), last));
        for at in (0..last).rev() {
            let own = &self.migrated[at];
            let ways = (at + 1..=last).filter(|after| self.migrated[*after].is_superset(own));
            let ways = ways.filter_map(|after| {
                let (further, _) = best[after]?;
                let together = self.migrated[after].len().checked_sub(own.len() + 1)?;
                let (leaks, share, doubt) = cost(&self.states[after]);
                let whole =
                    (further.0 + together, further.1 + leaks, further.2 + share, further.3 + doubt);
                Some((whole, after))
            });
            best[at] = ways.min();
        }
        let mut steps = Vec::new();
        let mut at = 0;
        while let Some((_, after)) = best[at].filter(|_| at != last) {
            let row = &self.states[after];
            let more = self.migrated[after].difference(&self.migrated[at]);
            steps.push(StepRow {
                migrate: more.map(|site| self.sites[*site].clone()).collect(),
                state: u32::try_from(after).unwrap_or(u32::MAX),
                verdict: row.verdict,
                leaks: row.leaks.clone(),
            });
            at = after;
        }
        steps
    }
}

/// What it costs to be in a state: a leak above all, then how often, then doubt, then what is
/// latent.
fn cost(row: &StateRow) -> (u64, u64, u64) {
    let share = (row.leaking * 1_000).checked_div(row.trials).unwrap_or(0);
    let doubt = match row.verdict {
        StateVerdict::Inconclusive => 2,
        StateVerdict::Latent => 1,
        StateVerdict::Clean | StateVerdict::Leaked => 0,
    };
    (u64::from(row.verdict == StateVerdict::Leaked), share, doubt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use StateVerdict::{Clean, Inconclusive, Latent, Leaked};

    fn known(states: &[(&[&str], StateVerdict)]) -> (Vec<String>, Vec<StateRow>) {
        let row = |(migrated, verdict): &(&[&str], StateVerdict)| StateRow {
            name: Some(format!("{}", migrated.len())),
            leaking: u64::from(*verdict == Leaked),
            verdict: *verdict,
            ..StateRow::of(migrated.iter().map(|site| (*site).to_owned()).collect())
        };
        (["a", "b", "c"].map(String::from).to_vec(), states.iter().map(row).collect())
    }

    fn told(record: &MigrationRecord) -> (Vec<&str>, Vec<Vec<String>>, Vec<String>) {
        let order = record.order.iter().map(|step| step.migrate.join("+")).collect();
        let alone = record.leak_alone.iter().map(String::as_str).collect();
        (alone, record.smallest_clean.clone(), order)
    }

    #[test]
    fn what_no_state_shows_is_not_concluded() {
        let (sites, states) =
            known(&[(&[], Leaked), (&["a", "b"], Leaked), (&["a", "b", "c"], Clean)]);
        let known = Known::new(&sites, &states);
        let record = known.conclude();
        assert_eq!(record.leak_alone, ["c"]);
        assert_eq!(known.alone(0), None, "no such state is listed");
        // Nobody has seen it without `a`, nor without `b`; without `c` it leaks.
        let all = ["a", "b", "c"].map(String::from).to_vec();
        assert_eq!(known.may_be_smaller(), [(all, vec!["a".into(), "b".into()])]);
        assert_eq!(told(&record).2, ["a+b", "c"]);
        let (leaking, quiet) = known.contrast(2).expect("it differs in `c` only");
        assert_eq!((leaking.migrated.len(), quiet.migrated.len()), (2, 3));
        assert!(known.contrast(0).is_none());
    }

    #[test]
    fn a_site_does_not_leak_alone_where_it_leaks_without_any() {
        for end in [Leaked, Inconclusive] {
            let (sites, states) = known(&[(&["a", "b"], Leaked), (&["a", "b", "c"], end)]);
            let known = Known::new(&sites, &states);
            assert!(known.conclude().leak_alone.is_empty() && known.contrast(2).is_none());
        }
        let (sites, states) = known(&[(&["a", "b"], Leaked)]);
        assert!(Known::new(&sites, &states).conclude().leak_alone.is_empty(), "no end is listed");
        let (sites, states) = known(&[(&["a", "b"], Leaked), (&["a", "b", "c"], Latent)]);
        assert_eq!(Known::new(&sites, &states).conclude().leak_alone, ["c"]);
    }

    #[test]
    fn small_steps_are_preferred_and_among_them_those_that_leak_least() {
        let (sites, states) = known(&[
            (&[], Leaked),
            (&["a"], Leaked),
            (&["b"], Clean),
            (&["b", "c"], Clean),
            (&["a", "b", "c"], Clean),
        ]);
        let record = Known::new(&sites, &states).conclude();
        let (alone, smallest, order) = told(&record);
        assert_eq!(order, ["b", "c", "a"]);
        assert!(alone.is_empty());
        assert_eq!(smallest, [vec![String::from("b")]]);
    }

    #[test]
    fn states_between_which_there_is_no_way_have_no_order() {
        let (sites, states) = known(&[(&["a"], Leaked), (&["b", "c"], Clean)]);
        assert!(Known::new(&sites, &states).conclude().order.is_empty());
    }
}
