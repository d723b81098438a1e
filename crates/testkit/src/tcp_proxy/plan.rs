//! At which byte is a connection cut?

/// When [`TcpProxy::arm`](super::TcpProxy::arm) cuts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// After exactly so many client-to-server bytes, counted from the arming on over all connections.
    AfterClientBytes(usize),
    /// When a client sends these bytes; the part of its packet that completes them does not reach the server. Of a
    /// `COMMIT`: nothing is committed, and the client cannot know.
    BeforeForwarding(Vec<u8>),
    /// When the server begins to answer a packet that contains these bytes; the answer does not reach the client. Of
    /// a `COMMIT`: it is committed, and the client cannot know.
    BeforeAnswer(Vec<u8>),
}

/// A cut waiting for its moment.
#[derive(Debug)]
pub(super) struct Plan {
    cut: Cut,
    client_bytes: usize,
}

impl Plan {
    pub(super) fn new(cut: Cut) -> Self {
        if let Cut::BeforeForwarding(pattern) | Cut::BeforeAnswer(pattern) = &cut {
            assert!(
                (1..=PATTERN_LEN_MAX).contains(&pattern.len()),
                "a pattern has 1 to {PATTERN_LEN_MAX} bytes, not {}",
                pattern.len()
            );
        }
        Self { cut, client_bytes: 0 }
    }
}

/// Longer than any statement a test looks for.
const PATTERN_LEN_MAX: usize = 256;

/// What happens to the bytes a client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Forward,
    ForwardAndWithholdAnswer,
    /// Forward so many of them, then cut.
    CutAfter(usize),
}

/// Judges the next bytes of a connection and takes the plan when its moment has come. `seen` keeps the end of what the
/// connection sent before, since a pattern may be split over two reads.
pub(super) fn judge(plan: &mut Option<Plan>, seen: &mut Vec<u8>, bytes: &[u8]) -> Verdict {
    let verdict = match plan {
        Some(Plan {
            cut: Cut::AfterClientBytes(limit),
            client_bytes,
        }) => {
            let left = limit.saturating_sub(*client_bytes);
            *client_bytes += bytes.len();
            if bytes.len() < left {
                Verdict::Forward
            } else {
                Verdict::CutAfter(left)
            }
        }
        Some(Plan {
            cut: Cut::BeforeForwarding(pattern),
            ..
        }) if completes(pattern, seen, bytes) => Verdict::CutAfter(0),
        Some(Plan {
            cut: Cut::BeforeAnswer(pattern),
            ..
        }) if completes(pattern, seen, bytes) => Verdict::ForwardAndWithholdAnswer,
        None
        | Some(Plan {
            cut: Cut::BeforeForwarding(_) | Cut::BeforeAnswer(_),
            ..
        }) => Verdict::Forward,
    };
    if verdict != Verdict::Forward {
        *plan = None;
    }
    seen.extend_from_slice(bytes);
    seen.drain(..seen.len().saturating_sub(PATTERN_LEN_MAX));
    verdict
}

/// Does an occurrence of `pattern` end within `bytes`, which follow on `seen`?
fn completes(pattern: &[u8], seen: &[u8], bytes: &[u8]) -> bool {
    let tail = &seen[seen.len().saturating_sub(pattern.len() - 1)..];
    let window = [tail, bytes].concat();
    window
        .windows(pattern.len())
        .any(|candidate| candidate == pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(cut: Cut, reads: &[&str]) -> Vec<Verdict> {
        let mut plan = Some(Plan::new(cut));
        let mut seen = Vec::new();
        reads
            .iter()
            .map(|read| judge(&mut plan, &mut seen, read.as_bytes()))
            .collect()
    }

    #[test]
    fn limit_within_a_read_forwards_only_the_bytes_before_it() {
        assert_eq!(
            verdicts(Cut::AfterClientBytes(5), &["abc", "defg"]),
            [Verdict::Forward, Verdict::CutAfter(2)]
        );
    }

    #[test]
    fn limit_at_the_end_of_a_read_cuts_without_waiting_for_more() {
        assert_eq!(
            verdicts(Cut::AfterClientBytes(3), &["abc"]),
            [Verdict::CutAfter(3)]
        );
    }

    #[test]
    fn pattern_split_over_reads_is_found() {
        let cut = Cut::BeforeForwarding(b"COMMIT".to_vec());
        assert_eq!(
            verdicts(cut, &["xCO", "MM", "ITy"]),
            [Verdict::Forward, Verdict::Forward, Verdict::CutAfter(0)]
        );
    }

    #[test]
    fn pattern_cuts_once() {
        let cut = Cut::BeforeAnswer(b"COMMIT".to_vec());
        assert_eq!(
            verdicts(cut, &["ROLLBACK", "COMMIT", "COMMIT"]),
            [
                Verdict::Forward,
                Verdict::ForwardAndWithholdAnswer,
                Verdict::Forward
            ]
        );
    }

    #[test]
    fn pattern_that_ended_before_the_plan_is_not_found() {
        let mut seen = Vec::new();
        judge(&mut None, &mut seen, b"COMMIT");
        let mut plan = Some(Plan::new(Cut::BeforeAnswer(b"COMMIT".to_vec())));
        assert_eq!(judge(&mut plan, &mut seen, b"SELECT 1"), Verdict::Forward);
    }
}
