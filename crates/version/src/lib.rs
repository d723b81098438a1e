//! Which version is this, built from which commit? A crate of its own, so that a commit has only this and the mains
//! built again.

/// The version and, in brackets, the commit.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("BUILD_COMMIT"), ")");
