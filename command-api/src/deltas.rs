//! What an append takes and gives back: the difference of a record's claims and spans before and after its events.

use std::collections::BTreeSet;

use praxis_domain::claim::{self, Member};
use praxis_domain::rules::Rules;
use praxis_domain::span;
use praxis_domain::state::State;
use praxis_event_store::append::{Append, Calendar, CalendarKind, Claim, Layer, Span};
use praxis_event_store::record::claims_keys::ClaimsKeys;
use praxis_event_store::record::names::{NameError, RecordName};
use praxis_events::ids::StreamId;
use uuid::Uuid;

/// Adds what one stream takes and gives back.
///
/// # Errors
/// Only if the name of a claim resource (a constant of the domain) is not one the record allows.
pub fn extend(
    append: &mut Append,
    stream: StreamId,
    before: &State,
    after: &State,
    rules: &Rules,
    keys: &ClaimsKeys,
) -> Result<(), NameError> {
    let held: BTreeSet<claim::Claim> = before.claims().into_iter().collect();
    let wanted: BTreeSet<claim::Claim> = after.claims().into_iter().collect();
    for gone in held.difference(&wanted) {
        append
            .claims
            .released
            .extend(stored_claims(gone, stream.id, rules, keys)?);
    }
    for new in wanted.difference(&held) {
        append
            .claims
            .taken
            .extend(stored_claims(new, stream.id, rules, keys)?);
    }
    let held: BTreeSet<span::Span> = before.spans().into_iter().collect();
    let wanted: BTreeSet<span::Span> = after.spans().into_iter().collect();
    append
        .spans
        .released
        .extend(held.difference(&wanted).map(|span| stored_span(span, stream.id)));
    append
        .spans
        .taken
        .extend(wanted.difference(&held).map(|span| stored_span(span, stream.id)));
    Ok(())
}

/// A claim of the domain as the log keeps it: a personal one under every claims key that is held. So it meets what was
/// claimed before a rotation, and what another process claims under the key that is current there.
///
/// # Errors
/// As [`extend`].
pub fn stored_claims(
    claim: &claim::Claim,
    owner: Uuid,
    rules: &Rules,
    keys: &ClaimsKeys,
) -> Result<Vec<Claim>, NameError> {
    let resource = claim.resource.name();
    let members = match &claim.member {
        Member::Open(bytes) => vec![bytes.clone()],
        Member::Personal(text) => keys
            .claim_tags(RecordName::try_new(resource)?, text.reveal().as_bytes())
            .into_iter()
            .map(|tag| tag.as_bytes().to_vec())
            .collect(),
    };
    let stored = |member| Claim {
        resource: resource.as_bytes().to_vec(),
        member,
        owner,
        capacity: claim.resource.capacity(rules),
    };
    Ok(members.into_iter().map(stored).collect())
}

/// A span of the domain as the log keeps it.
pub fn stored_span(span: &span::Span, owner: Uuid) -> Span {
    Span {
        calendar: Calendar {
            kind: match span.calendar.kind {
                span::CalendarKind::Practitioner => CalendarKind::Practitioner,
                span::CalendarKind::Patient => CalendarKind::Patient,
                span::CalendarKind::Room => CalendarKind::Room,
            },
            id: span.calendar.id,
        },
        layer: match span.layer {
            span::Layer::Normal => Layer::Normal,
            span::Layer::Over => Layer::Over,
        },
        starts: span.starts,
        ends: span.ends,
        owner,
    }
}
