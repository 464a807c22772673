//! The memory of a big table serves the next one like it: trials come one after the other, and to ask
//! the system for so much memory anew costs more than to fill it.

use std::cell::RefCell;
use std::thread::LocalKey;

use super::history::Observation;

/// More than so many bytes are given back to the system.
const MOST: usize = 64 << 20;

/// A table that is out of use, with the memory that it had; a thread has one of each kind.
pub type Spare<T> = RefCell<Vec<T>>;

thread_local! {
    /// For what is recorded.
    pub static OBSERVATIONS: Spare<Observation> = const { RefCell::new(Vec::new()) };
}

/// An empty table with room for so many; `T` and `S` are the same but for what they borrow.
pub fn take<S, T>(spare: &'static LocalKey<Spare<S>>, room: usize) -> Vec<T> {
    // At the end of a thread there is none.
    let known = spare.try_with(|spare| std::mem::take(&mut *spare.borrow_mut()));
    let mut table = emptied(known.unwrap_or_default());
    table.reserve(room);
    table
}

/// Keeps the memory of a table that is out of use.
pub fn keep<S, T>(spare: &'static LocalKey<Spare<S>>, table: Vec<T>) {
    if table.capacity() * size_of::<T>() > MOST {
        return;
    }
    let _ = spare.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.capacity() < table.capacity() {
            *spare = emptied(table);
        }
    });
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

    thread_local! {
        static NAMES: Spare<&'static str> = const { RefCell::new(Vec::new()) };
    }

    #[test]
    fn a_table_is_built_where_the_last_one_was() {
        let name = "a name".to_owned();
        let mut names: Vec<&str> = take(&NAMES, 1000);
        names.push(&name);
        let (place, room) = (names.as_ptr().addr(), names.capacity());
        assert!(room >= 1000);
        keep(&NAMES, names);
        // What is smaller is not kept in its place.
        keep(&NAMES, Vec::<&str>::with_capacity(10));
        let again: Vec<&str> = take(&NAMES, 10);
        assert_eq!((again.len(), again.as_ptr().addr(), again.capacity()), (0, place, room));
        assert_eq!(take::<_, &str>(&NAMES, 5).capacity(), 5);
        keep(&NAMES, Vec::<&str>::with_capacity(MOST / size_of::<&str>() + 1));
        assert!(take::<_, &str>(&NAMES, 0).capacity() < 10);
    }
}
