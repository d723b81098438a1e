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

/// The record that has the source id which a claim was refused for.
pub fn imported_as(conflicts: &[Conflict]) -> Option<Uuid> {
    conflicts.iter().find_map(|conflict| match conflict {
        Conflict::Claim { claim, owners } => {
            let refusal = ClaimResource::from_name(&claim.resource).map(refusal_for_claim);
            owners
                .first()
                .copied()
                .filter(|_| refusal == Some(Refusal::AlreadyImported))
        }
        Conflict::Span { .. }
        | Conflict::Version { .. }
        | Conflict::KeyReused
        | Conflict::KeyDestroyed { .. } => None,
    })
}

/// Which of the wanted spans are taken already, by others than `owner`.
pub fn of_facts(wanted: &[Span], facts: &Facts, owner: Uuid) -> Vec<Refusal> {
    let mut reasons = Vec::new();
    for span in wanted.iter().filter(|span| span.layer == Layer::Normal) {
        let taken = facts
            .spans
            .iter()
            .any(|other| span.overlaps(other) && other.owner != owner);
        push_once(
            &mut reasons,
            taken.then(|| refusal_for_span(domain_kind(span.calendar.kind))),
        );
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

#[cfg(test)]
mod tests {
    use praxis_event_store::append::Claim;

    use super::*;

    fn taken(resource: ClaimResource, owner: Uuid) -> Conflict {
        let claim = Claim {
            resource: resource.name().as_bytes().to_vec(),
            member: vec![1],
            owner: Uuid::from_u128(1),
            capacity: 1,
        };
        Conflict::Claim {
            claim,
            owners: vec![owner],
        }
    }

    #[test]
    fn only_the_owner_of_a_source_id_is_named() {
        let (patient, earlier) = (Uuid::from_u128(2), Uuid::from_u128(3));
        let identifier = taken(ClaimResource::PatientIdentifier, patient);
        assert_eq!(imported_as(std::slice::from_ref(&identifier)), None);
        let source = taken(ClaimResource::PatientSource, earlier);
        assert_eq!(imported_as(&[identifier, source]), Some(earlier));
    }
}
