//! The input of a fuzz target, read as choices.

/// The bytes of one input, taken from the front; where there are none left, zeros.
///
/// Zero stands for the plainest choice everywhere, so that a shorter input is a simpler one and
/// the fuzzer's own shrinking makes findings readable.
pub(super) struct Bytes<'d> {
    rest: &'d [u8],
}

impl<'d> Bytes<'d> {
    pub(super) fn new(data: &'d [u8]) -> Self {
        Self { rest: data }
    }

    pub(super) fn next(&mut self) -> u8 {
        match self.rest.split_first() {
            Some((first, rest)) => {
                self.rest = rest;
                *first
            }
            None => 0,
        }
    }

    /// A number below `limit`, which is at least 1 and at most 256.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::from(self.next()) % limit
    }

    /// One of these; the first where no bytes are left.
    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// All that is left.
    pub(super) fn rest(self) -> &'d [u8] {
        self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::Bytes;

    #[test]
    fn an_input_that_has_run_out_goes_on_with_zeros() {
        let mut bytes = Bytes::new(&[7, 9]);
        assert_eq!((bytes.below(4), bytes.pick(&["a", "b"])), (3, "b"));
        assert!(bytes.is_empty());
        assert_eq!((bytes.next(), bytes.pick(&["a", "b"])), (0, "a"));
        assert_eq!(Bytes::new(&[7, 9]).rest(), [7, 9]);
    }
}
