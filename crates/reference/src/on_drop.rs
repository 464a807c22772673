//! What is done at the end of a scope, however it ends.

/// Does that when it is dropped.
#[derive(Debug)]
pub(crate) struct OnDrop<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
