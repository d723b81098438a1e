//! What a caller is told when the log stands in the way: conflicts as the domain's refusals.

use praxis_domain::claim::{ClaimResource, refusal_for_claim};
use praxis_domain::refusal::{Refusal, Refused};
use praxis_domain::span::{self, refusal_for_span};
use praxis_event_store::append::{CalendarKind, Conflict, Layer, Span};
use praxis_event_store::port::Facts;
use uuid::Uuid;

/// The refusal that claim and span conflicts amount to, every reason once; `None` if there is none among them.
pub fn of_conflicts(conflicts: &[Conflict]) -> Option<Refused> {
    let mut reasons = Vec::new();
    for conflict in conflicts {
        let reason = match conflict {
            Conflict::Claim { claim, .. } => ClaimResource::from_name(&claim.resource).map(refusal_for_claim),
            Conflict::Span { span, .. } => Some(refusal_for_span(domain_kind(span.calendar.kind))),
            Conflict::Version { .. } | Conflict::KeyReused | Conflict::KeyDestroyed { .. } => None,
        };
        push_once(&mut reasons, reason);
    }
    Refused::unless_none(reasons).err()
}

/// Which of the wanted spans are taken already, by others than `owner`.
pub fn of_facts(wanted: &[Span], facts: &Facts, owner: Uuid) -> Vec<Refusal> {
    let mut reasons = Vec::new();
    for span in wanted.iter().filter(|span| span.layer == Layer::Normal) {
        let taken = facts.spans.iter().any(|other| span.overlaps(other) && other.owner != owner);
        push_once(&mut reasons, taken.then(|| refusal_for_span(domain_kind(span.calendar.kind))));
    }
    reasons
}

fn push_once(reasons: &mut Vec<Refusal>, reason: Option<Refusal>) {
    if let Some(reason) = reason
        && !reasons.contains(&reason)
    {
        reasons.push(reason);
    }
}

const fn domain_kind(kind: CalendarKind) -> span::CalendarKind {
    match kind {
        CalendarKind::Practitioner => span::CalendarKind::Practitioner,
        CalendarKind::Patient => span::CalendarKind::Patient,
        CalendarKind::Room => span::CalendarKind::Room,
    }
}
