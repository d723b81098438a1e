//! Where nonces and new keys come from: a parameter, so that test vectors are reproducible.

/// Fills bytes that nobody can predict. Tests give fixed bytes; everything else gives [`OsRandom`].
pub trait RandomSource: Send + Sync {
    /// Fills all of `dest`.
    fn fill(&self, dest: &mut [u8]) -> Result<(), RandomUnavailable>;
}

/// No randomness can be had; nothing is sealed without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no randomness")]
pub struct RandomUnavailable;

/// The generator of aws-lc, seeded by the operating system and safe across forks and snapshots of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl RandomSource for OsRandom {
    fn fill(&self, dest: &mut [u8]) -> Result<(), RandomUnavailable> {
        aws_lc_rs::rand::fill(dest).map_err(|_| RandomUnavailable)
    }
}

#[cfg(test)]
pub(super) mod testing {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::{RandomSource, RandomUnavailable};

    /// Fills the n-th request with the byte n.
    #[derive(Default)]
    pub(in super::super) struct Counting(AtomicU8);

    impl RandomSource for Counting {
        fn fill(&self, dest: &mut [u8]) -> Result<(), RandomUnavailable> {
            dest.fill(self.0.fetch_add(1, Ordering::Relaxed));
            Ok(())
        }
    }

    /// Has nothing to give.
    pub(in super::super) struct Dry;

    impl RandomSource for Dry {
        fn fill(&self, _dest: &mut [u8]) -> Result<(), RandomUnavailable> {
            Err(RandomUnavailable)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{OsRandom, RandomSource};

    #[test]
    fn the_operating_system_fills_every_call_anew() {
        let (mut first, mut second) = ([0_u8; 32], [0_u8; 32]);
        OsRandom.fill(&mut first).expect("randomness");
        OsRandom.fill(&mut second).expect("randomness");
        assert_ne!(first, second);
        assert_ne!(first, [0; 32]);
    }
}
