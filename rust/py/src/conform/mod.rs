//! The engine's own functions, for conformance vectors: never a second implementation. One file per file of vectors.

mod adl;

pub(crate) use adl::largest_remainder;
