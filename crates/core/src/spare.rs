//! The memory of a big table serves the next one like it: trials come one after the other, and to ask
//! the system for so much memory anew costs more than to fill it. Nothing of what was in a table stays.

use std::cell::RefCell;

/// More than so many bytes are given back to the system.
const MOST: usize = 32 << 20;

/// A table that is out of use: the biggest that was, if any.
#[derive(Debug)]
pub struct Spare<S>(RefCell<Vec<S>>);

impl<S> Spare<S> {
    /// No table so far.
    pub const fn none() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    /// An empty table with room for so many; `T` is `S` but for what it borrows.
    pub fn take<T>(&self, room: usize) -> Vec<T> {
        let mut table = emptied(std::mem::take(&mut *self.0.borrow_mut()));
        table.reserve(room);
        table
    }

    /// Keeps the memory of a table that is out of use.
    pub fn keep<T>(&self, table: Vec<T>) {
        let table = emptied(table);
        let mut spare = self.0.borrow_mut();
        if table.capacity() * size_of::<S>() <= MOST && table.capacity() > spare.capacity() {
            *spare = table;
        }
    }
}

/// The table without what is in it, for others of the same size. The library builds it where the
/// other one is.
fn emptied<S, T>(mut table: Vec<S>) -> Vec<T> {
    table.clear();
    table.into_iter().map(|_| unreachable!("it is empty")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_built_where_the_last_one_was() {
        let spare: Spare<&'static str> = Spare::none();
        let name = "a name".to_owned();
        let mut names: Vec<&str> = spare.take(1000);
        names.push(&name);
        let (place, room) = (names.as_ptr().addr(), names.capacity());
        assert!(room >= 1000);
        spare.keep(names);
        // What is smaller is not kept in its place.
        spare.keep(Vec::<&str>::with_capacity(10));
        let again: Vec<&str> = spare.take(10);
        assert_eq!((again.len(), again.as_ptr().addr(), again.capacity()), (0, place, room));
        assert_eq!(spare.take::<&str>(5).capacity(), 5);
        spare.keep(Vec::<&str>::with_capacity(MOST / size_of::<&str>() + 1));
        assert!(spare.take::<&str>(0).capacity() < 10);
    }
}
