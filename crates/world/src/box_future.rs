//! A future of any make, on the heap.

use std::pin::Pin;

/// A future on the heap, whatever it is made of.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
