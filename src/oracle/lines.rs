//! Which connection has which number.

use super::keys::ByName;
use crate::trial::ids::ConnectionId;

/// The numbers of connections, in the order in which they appeared, by their ids.
#[derive(Debug)]
pub(super) struct Lines<'h> {
    by_id: ByName<'h>,
    /// Some of the same by where the id begins in memory and how long it is: what is recorded live
    /// shares it, and to look at texts that stand all over the memory costs more.
    by_place: Vec<(usize, usize, usize)>,
}

/// So many places at first; there are four times as many as connections.
const FEW: usize = 16;

/// No id begins there.
const NOBODY: (usize, usize, usize) = (0, 0, 0);

impl<'h> Lines<'h> {
    /// None so far; `names` is empty.
    pub(super) fn new(names: ByName<'h>) -> Self {
        Self { by_id: names, by_place: vec![NOBODY; FEW] }
    }

    /// The number of that connection.
    pub(super) fn of(&self, id: &ConnectionId) -> Option<usize> {
        self.by_id.get(id.as_str())
    }

    /// The same, quicker if it is asked for again.
    pub(super) fn of_again(&mut self, id: &'h ConnectionId) -> Option<usize> {
        let (place, begins, length) = self.place(id);
        let (likely, its_length, line) = self.by_place[place];
        // All ids stay where they are, so what begins there and is as long is the same.
        if likely == begins && its_length == length {
            return Some(line);
        }
        let line = self.of(id)?;
        self.by_place[place] = (begins, length, line);
        Some(line)
    }

    /// Gives a connection that has none the next number.
    pub(super) fn add(&mut self, id: &'h ConnectionId) -> usize {
        let line = self.by_id.len();
        self.by_id.get_or_add(id.as_str().into(), |_| line);
        if self.by_place.len() < 4 * line {
            self.by_place = vec![NOBODY; 2 * self.by_place.len()];
        }
        let (place, begins, length) = self.place(id);
        self.by_place[place] = (begins, length, line);
        line
    }

    fn place(&self, id: &ConnectionId) -> (usize, usize, usize) {
        let (begins, length) = (id.as_str().as_ptr().addr(), id.as_str().len());
        // Names are handed out 16 bytes apart; the length is a power of two.
        ((begins >> 4) & (self.by_place.len() - 1), begins, length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::canary::CampaignKey;

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
