//! Which connection has which number.

use super::keys::ByName;
use super::message::Place;
use partywall_core::ids::{ConnectionId, digest};

/// The numbers of connections, in the order in which they appeared, by their ids.
#[derive(Debug)]
pub(super) struct Lines<'h> {
    by_id: ByName<'h>,
    /// Some of the same, found without a keyed digest: what is asked for was mostly asked for before.
    /// These ids are partywall's own, so nobody makes up thousands that stand in one place.
    again: Vec<Option<(ConnectionId, Place)>>,
}

/// So many places at first; there are four times as many as connections.
const FEW: usize = 16;

impl<'h> Lines<'h> {
    /// None so far; `names` is empty.
    pub(super) fn new(names: ByName<'h>) -> Self {
        Self { by_id: names, again: vec![None; FEW] }
    }

    /// The number of that connection.
    pub(super) fn of(&self, id: &ConnectionId) -> Option<usize> {
        self.by_id.get(id.as_str())
    }

    /// The same, quicker if it is asked for again.
    pub(super) fn of_again(&mut self, id: &ConnectionId) -> Option<usize> {
        let place = self.place(id);
        if let Some((likely, line)) = &self.again[place]
            && likely == id
        {
            return Some(line.get());
        }
        let line = self.of(id)?;
        self.again[place] = Some((id.clone(), Place::new(line)));
        Some(line)
    }

    /// Gives a connection that has none the next number.
    pub(super) fn add(&mut self, id: &'h ConnectionId) -> usize {
        let line = self.by_id.len();
        self.by_id.get_or_add(id.as_str().into(), |_| line);
        if self.again.len() < 4 * line {
            self.again = vec![None; 2 * self.again.len()];
        }
        let place = self.place(id);
        self.again[place] = Some((id.clone(), Place::new(line)));
        line
    }

    fn place(&self, id: &ConnectionId) -> usize {
        // Their number is a power of two.
        digest(id.as_str().as_bytes()) as usize & (self.again.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use partywall_core::canary::CampaignKey;

    #[test]
    fn each_id_keeps_its_number_wherever_it_stands() {
        let ids: Vec<_> =
            (0..500).map(|n| ConnectionId::new(format!("user-{n}/socket1"))).collect();
        let copies: Vec<_> = ids.iter().map(|id| ConnectionId::new(id.as_str())).collect();
        let mut lines = Lines::new(ByName::new(CampaignKey::from_seed(1)));
        for (at, id) in ids.iter().enumerate() {
            assert_eq!(lines.of_again(id), None);
            assert_eq!(lines.add(id), at);
        }
        for _ in 0..2 {
            for (at, (id, copy)) in ids.iter().zip(&copies).enumerate() {
                assert_eq!(
                    [lines.of_again(id), lines.of_again(copy), lines.of(copy)],
                    [Some(at); 3]
                );
            }
        }
    }
}
