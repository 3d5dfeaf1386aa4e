//! The engine's own functions, for conformance vectors: never a second implementation. One file per file of vectors.

pub(crate) mod adl;
