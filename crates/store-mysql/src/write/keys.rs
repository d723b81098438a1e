//! How are data keys stored?

use praxis_event_store::port::{StoredKey, WriteError};

use super::insert as insert_packed;
use crate::packed::{Packed, number};
use crate::session::Session;

/// A wrapped key that is destroyed has the length -1, a position that is not there is 0: positions begin at 1.
const INSERT: &str = "-- store_mysql::write::keys::insert
INSERT INTO subject_keys (key_id, subject_id, wrapped_key, kek_id, created_position, destroyed_position)
SELECT SUBSTR(p.f, 1 + (n.i - 1) * 48, 16),
    SUBSTR(p.f, 17 + (n.i - 1) * 48, 16),
    IF(n.wrapped_length < 0, NULL, SUBSTR(p.v, n.at, n.wrapped_length)),
    SUBSTR(p.f, 33 + (n.i - 1) * 48, 16),
    n.created_position,
    NULLIF(n.destroyed_position, 0)
FROM (SELECT ? AS f, ? AS v UNION ALL SELECT payload, payload FROM events WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
    i FOR ORDINALITY,
    at INT UNSIGNED PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR,
    wrapped_length INT PATH '$[1]' ERROR ON EMPTY ERROR ON ERROR,
    created_position BIGINT UNSIGNED PATH '$[2]' ERROR ON EMPTY ERROR ON ERROR,
    destroyed_position BIGINT UNSIGNED PATH '$[3]' ERROR ON EMPTY ERROR ON ERROR)) AS n";

pub(super) async fn insert(session: &mut Session, keys: &[StoredKey]) -> Result<(), WriteError> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut packed = Packed::default();
    for key in keys {
        let wrapped = key.wrapped_key.as_deref();
        let numbers = [
            packed.varying_offset()?,
            wrapped.map_or(Ok(-1), |bytes| number(bytes.len()))?,
            number(key.created_position)?,
            number(key.destroyed_position.unwrap_or(0))?,
        ];
        packed.row(
            &[
                key.key_id.as_bytes(),
                key.subject_id.as_bytes(),
                key.kek_id.as_bytes(),
            ],
            &[wrapped.unwrap_or_default()],
            &numbers,
        );
    }
    insert_packed(session, INSERT, packed).await
}
