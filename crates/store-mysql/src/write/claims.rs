//! How are claims taken and given back?

use praxis_event_store::append::Claim;
use praxis_event_store::port::{StoreError, WriteError};

use super::insert as insert_packed;
use crate::errors::write_error;
use crate::packed::{Packed, number};
use crate::session::Session;

const INSERT: &str = "-- store_mysql::write::claims::insert
INSERT INTO claims (resource, member, owner)
SELECT SUBSTR(p.v, n.at, n.resource_length),
    SUBSTR(p.v, n.at + n.resource_length, n.member_length),
    SUBSTR(p.f, 1 + (n.i - 1) * 16, 16)
FROM (SELECT ? AS f, ? AS v UNION ALL SELECT payload, payload FROM events WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
    i FOR ORDINALITY,
    at INT UNSIGNED PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR,
    resource_length INT UNSIGNED PATH '$[1]' ERROR ON EMPTY ERROR ON ERROR,
    member_length INT UNSIGNED PATH '$[2]' ERROR ON EMPTY ERROR ON ERROR)) AS n";

const DELETE: &str = "-- store_mysql::write::claims::delete
DELETE c
FROM (SELECT ? AS f, ? AS v UNION ALL SELECT payload, payload FROM events WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
    i FOR ORDINALITY,
    at INT UNSIGNED PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR,
    resource_length INT UNSIGNED PATH '$[1]' ERROR ON EMPTY ERROR ON ERROR,
    member_length INT UNSIGNED PATH '$[2]' ERROR ON EMPTY ERROR ON ERROR)) AS n
STRAIGHT_JOIN claims AS c
    ON c.resource = SUBSTR(p.v, n.at, n.resource_length)
    AND c.member = SUBSTR(p.v, n.at + n.resource_length, n.member_length)
    AND c.owner = SUBSTR(p.f, 1 + (n.i - 1) * 16, 16)";

pub(super) async fn insert(session: &mut Session, claims: &[Claim]) -> Result<(), WriteError> {
    if claims.is_empty() {
        return Ok(());
    }
    insert_packed(session, INSERT, pack(claims)?).await
}

/// A claim that is not there is as good as released.
pub(super) async fn delete(session: &mut Session, claims: &[Claim]) -> Result<(), WriteError> {
    if claims.is_empty() {
        return Ok(());
    }
    session
        .run(pack(claims)?.bind(DELETE))
        .await
        .map_err(write_error)?;
    Ok(())
}

fn pack(claims: &[Claim]) -> Result<Packed, StoreError> {
    let mut packed = Packed::default();
    for claim in claims {
        let numbers = [
            packed.varying_offset()?,
            number(claim.resource.len())?,
            number(claim.member.len())?,
        ];
        packed.row(
            &[claim.owner.as_bytes()],
            &[&claim.resource, &claim.member],
            &numbers,
        );
    }
    Ok(packed)
}
