//! What a caller is told when the log stands in the way: conflicts as the domain's refusals.

use praxis_domain::claim::{ClaimResource, refusal_for_claim};
use praxis_domain::refusal::{Refusal, Refused};
use praxis_domain::rules::Rules;
use praxis_domain::span::{self, refusal_for_span};
use praxis_event_store::append::{CalendarKind, Claim, Conflict, Layer, Span};
use praxis_event_store::port::{Facts, Lookup};
use praxis_event_store::record::claims_keys::ClaimsKeys;
use praxis_event_store::record::names::NameError;
use uuid::Uuid;

use crate::deltas;

/// The refusal that claim and span conflicts amount to, every reason once; `None` if there is none among them.
pub fn of_conflicts(conflicts: &[Conflict]) -> Option<Refused> {
    Refused::unless_none(reasons_of(conflicts)).err()
}

/// The reasons that claim and span conflicts amount to, each once.
pub fn reasons_of(conflicts: &[Conflict]) -> Vec<Refusal> {
    let mut reasons = Vec::new();
    for conflict in conflicts {
        let reason = match conflict {
            Conflict::Claim { claim, .. } => ClaimResource::from_name(&claim.resource).map(refusal_for_claim),
            Conflict::Span { span, .. } => Some(refusal_for_span(domain_kind(span.calendar.kind))),
            Conflict::Version { .. } | Conflict::KeyReused | Conflict::Erased { .. } => None,
        };
        if let Some(reason) = reason
            && !reasons.contains(&reason)
        {
            reasons.push(reason);
        }
    }
    reasons
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
        Conflict::Span { .. } | Conflict::Version { .. } | Conflict::KeyReused | Conflict::Erased { .. } => {
            None
        }
    })
}

/// What a refused command would have taken, as the log keeps it.
pub struct Wanted {
    spans: Vec<Span>,
    claims: Vec<Claim>,
}

impl Wanted {
    /// What that refusal says of it; `owner` is the record that would have held it.
    ///
    /// # Errors
    /// As [`deltas::extend`].
    pub fn try_new(
        refused: &Refused,
        owner: Uuid,
        rules: &Rules,
        keys: &ClaimsKeys,
    ) -> Result<Self, NameError> {
        let spans = refused.wanted.iter();
        let mut claims = Vec::with_capacity(refused.wanted_claims.len());
        for claim in &refused.wanted_claims {
            claims.extend(deltas::stored_claims(claim, owner, rules, keys)?);
        }
        Ok(Self {
            spans: spans.map(|span| deltas::stored_span(span, owner)).collect(),
            claims,
        })
    }

    /// What the log must be asked.
    pub fn lookup(&self) -> Lookup {
        let claims = self.claims.iter();
        Lookup {
            spans: self.spans.clone(),
            claims: claims
                .map(|claim| (claim.resource.clone(), claim.member.clone()))
                .collect(),
            ..Lookup::default()
        }
    }

    /// What would have been in the way of an append, but for what the record itself holds already.
    pub fn conflicts(&self, facts: &Facts) -> Vec<Conflict> {
        let claims = self.claims.iter().filter_map(|claim| {
            let owners = facts
                .claims
                .get(&(claim.resource.clone(), claim.member.clone()))?;
            let is_full = owners.len() >= usize::try_from(claim.capacity).unwrap_or(usize::MAX);
            (is_full && !owners.contains(&claim.owner)).then(|| Conflict::Claim {
                claim: claim.clone(),
                owners: owners.clone(),
            })
        });
        let normal = self.spans.iter().filter(|span| span.layer == Layer::Normal);
        let spans = normal.filter_map(|span| {
            let mut others = facts.spans.iter().filter(|other| other.owner != span.owner);
            let taken_by = *others.find(|other| span.overlaps(other))?;
            Some(Conflict::Span {
                span: *span,
                taken_by,
            })
        });
        claims.chain(spans).collect()
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
