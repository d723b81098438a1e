//! Which trace is this request part of (W3C Trace Context, level 1)?

use std::fmt;

use uuid::Uuid;

/// Set in the flags of a trace that is recorded.
pub const SAMPLED: u8 = 0x01;

/// A request's place in a trace: the trace, the span that called us, and our own span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace, never all zero.
    pub trace_id: [u8; 16],
    /// The caller's span, if the caller sent one.
    pub parent_span_id: Option<[u8; 8]>,
    /// This request's own span, never all zero.
    pub span_id: [u8; 8],
    /// The trace flags.
    pub flags: u8,
}

impl TraceContext {
    /// Our place in the trace of that `traceparent` header, or in a new one when the header is missing or broken;
    /// the ids needed are made of `fresh`.
    pub fn continue_or_start(traceparent: Option<&str>, fresh: Uuid) -> Self {
        let own = span_of(fresh);
        match traceparent.and_then(parse) {
            Some((trace_id, parent, flags)) => Self {
                trace_id,
                parent_span_id: Some(parent),
                span_id: own,
                flags,
            },
            None => Self {
                trace_id: fresh.into_bytes(),
                parent_span_id: None,
                span_id: own,
                flags: SAMPLED,
            },
        }
    }
}

/// The `traceparent` to hand on, naming our span.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{}-{}-{:02x}",
            Hex(&self.trace_id),
            Hex(&self.span_id),
            self.flags
        )
    }
}

/// Bytes shown in lower-case hexadecimal, as traces write ids.
#[derive(Clone, Copy, Debug)]
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The last eight bytes of an id; in a UUID its variant bits keep them from being zero.
fn span_of(fresh: Uuid) -> [u8; 8] {
    let (_, low) = fresh.as_u64_pair();
    low.to_be_bytes()
}

/// Trace, parent span and flags of a header by the rules of section 3.2.2 of the specification.
fn parse(header: &str) -> Option<([u8; 16], [u8; 8], u8)> {
    let mut parts = header.split('-');
    let version = hex::<1>(parts.next()?)?;
    let trace_id = hex::<16>(parts.next()?)?;
    let parent = hex::<8>(parts.next()?)?;
    let flags = hex::<1>(parts.next()?)?;
    let rest_allowed = version != [0];
    let valid = version != [0xff]
        && trace_id != [0; 16]
        && parent != [0; 8]
        && (rest_allowed || parts.next().is_none());
    valid.then_some((trace_id, parent, flags[0]))
}

/// Exactly `N` bytes in lower-case hexadecimal.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N
        || !digits
            .iter()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    {
        return None;
    }
    let mut bytes = [0; N];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

    #[test]
    fn a_callers_trace_is_continued_with_a_span_of_our_own() {
        let trace = TraceContext::continue_or_start(Some(HEADER), Uuid::from_u128(9));
        assert_eq!(
            trace.parent_span_id,
            Some(0x00f0_67aa_0ba9_02b7_u64.to_be_bytes())
        );
        assert_eq!(
            trace.to_string(),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000009-00"
        );
    }

    #[test]
    fn without_a_usable_header_a_sampled_trace_starts() {
        let broken = [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
        ];
        let fresh = Uuid::from_u128(9);
        for header in broken.iter().map(|header| Some(*header)).chain([None]) {
            let trace = TraceContext::continue_or_start(header, fresh);
            assert_eq!(trace.trace_id, fresh.into_bytes(), "{header:?}");
            assert_eq!((trace.parent_span_id, trace.flags), (None, SAMPLED));
        }
    }

    #[test]
    fn a_later_version_is_read_by_its_known_parts() {
        let header = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes";
        let trace = TraceContext::continue_or_start(Some(header), Uuid::from_u128(9));
        assert!(
            trace
                .to_string()
                .starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-")
        );
    }
}
