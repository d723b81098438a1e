//! Which records can be sent at once without changing what becomes of any of them?

use std::collections::HashSet;
use std::hash::Hash;

/// The most records under way at once: enough to fill the server's batches, few enough to leave it room for others.
pub const WAVE_LEN_MAX: usize = 64;

/// The next records of a list, from the back, up to the first that shares something with one before it: two that share a
/// patient, a practitioner or an identifier must be judged in order, because the first takes what the second may want.
///
/// The list is in reverse, so that taking is cheap.
pub fn next_wave<T, K: Hash + Eq>(reversed: &mut Vec<T>, shared: impl Fn(&T) -> Vec<K>) -> Vec<T> {
    let (mut wave, mut taken) = (Vec::new(), HashSet::new());
    while wave.len() < WAVE_LEN_MAX {
        let Some(next) = reversed.pop() else { break };
        let keys = shared(&next);
        if keys.iter().any(|key| taken.contains(key)) {
            reversed.push(next);
            break;
        }
        taken.extend(keys);
        wave.push(next);
    }
    wave
}

#[cfg(test)]
mod tests {
    use super::{WAVE_LEN_MAX, next_wave};

    fn waves(mut records: Vec<&'static str>) -> Vec<Vec<&'static str>> {
        records.reverse();
        let mut waves = Vec::new();
        while !records.is_empty() {
            waves.push(next_wave(&mut records, |record| {
                record.chars().collect::<Vec<_>>()
            }));
        }
        waves
    }

    #[test]
    fn a_wave_ends_before_a_record_that_shares_with_one_in_it() {
        assert_eq!(
            waves(vec!["ab", "cd", "ce", "f", "ab"]),
            [vec!["ab", "cd"], vec!["ce", "f", "ab"]]
        );
        assert_eq!(waves(vec!["aa", "a"]), [["aa"], ["a"]]);
    }

    #[test]
    fn a_wave_has_a_limit_and_no_record_is_lost() {
        let lens: Vec<usize> = waves(vec![""; WAVE_LEN_MAX + 1]).iter().map(Vec::len).collect();
        assert_eq!(lens, [WAVE_LEN_MAX, 1]);
    }
}
