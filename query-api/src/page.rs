//! Where a page of each list begins and ends: the key of its order, and how that travels in a cursor.

use chrono::DateTime;
use praxis_events::ids::{AppointmentId, LocationId, PatientId, PractitionerId, ThreadId};
use praxis_http_kit::cursor::{Cursor, KeyPart, LIMIT_DEFAULT, LIMIT_MAX, Page};
use praxis_http_kit::fault::FaultCode;
use praxis_http_kit::fields::{Fields, values};
use praxis_http_kit::params::{FromQuery, QueryFields};
use praxis_read_models::reads::{AppointmentCursor, ThreadCursor};

/// The key of a list's order. Lists of the same order share it, and then each takes the other's cursors: they say
/// where to go on, never what to select.
pub trait ListKey: Sized {
    /// Tells this order's cursors from others. Never given to another one.
    const LIST: u8;

    /// The key of a cursor's parts; `None` for those of another shape.
    fn from_parts(parts: &[KeyPart]) -> Option<Self>;

    /// The parts of a cursor.
    fn parts(&self) -> Vec<KeyPart>;
}

/// The order of a stream's events or of a thread's messages: the stream's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionKey(pub u64);

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice<K> {
    limit: u16,
    /// After which item; from the first when absent.
    pub after: Option<K>,
}

impl<K: ListKey> Slice<K> {
    /// The slice that `limit` and `cursor` of a body ask for.
    pub fn from_fields(fields: &mut Fields<'_>) -> Self {
        let limit = fields.optional("limit", |value| {
            let limit = values::integer::<u16>(value)?;
            if (1..=LIMIT_MAX).contains(&limit) {
                Ok(limit)
            } else {
                Err(FaultCode::OUT_OF_RANGE)
            }
        });
        let after = fields.optional("cursor", |value| {
            let cursor = Cursor::decode(values::text(value)?, K::LIST)?;
            K::from_parts(cursor.key()).ok_or(FaultCode::NOT_A_CURSOR)
        });
        Self {
            limit: limit.unwrap_or(LIMIT_DEFAULT),
            after,
        }
    }

    /// How many rows to read: one more than are shown, which tells whether there is another page.
    pub fn rows_len(&self) -> u32 {
        u32::from(self.limit) + 1
    }

    /// The rows to show, and the cursor after them if there are more.
    pub fn cut<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> K) -> (Vec<T>, Option<Cursor>) {
        let more = rows.len() > usize::from(self.limit);
        rows.truncate(usize::from(self.limit));
        let last = rows.last().filter(|_| more);
        let next = last.map(|row| Cursor::new(K::LIST, key(row).parts()));
        (rows, next)
    }
}

impl<K: ListKey> FromQuery for Slice<K> {
    fn from_query(query: &mut QueryFields) -> Option<Self> {
        let page = Page::from_query(query, K::LIST, |key| K::from_parts(key).is_some())?;
        Some(Self {
            limit: page.limit,
            after: page.after.and_then(|cursor| K::from_parts(cursor.key())),
        })
    }
}

macro_rules! id_keys {
    ($($id:ident = $list:literal),+ $(,)?) => {$(
        impl ListKey for $id {
            const LIST: u8 = $list;

            fn from_parts(parts: &[KeyPart]) -> Option<Self> {
                match parts {
                    [KeyPart::Id(id)] => Some(Self(*id)),
                    _ => None,
                }
            }

            fn parts(&self) -> Vec<KeyPart> {
                vec![KeyPart::Id(self.0)]
            }
        }
    )+};
}

id_keys!(PatientId = 1, PractitionerId = 2, LocationId = 3);

impl ListKey for AppointmentCursor {
    const LIST: u8 = 4;

    fn from_parts(parts: &[KeyPart]) -> Option<Self> {
        match parts {
            [KeyPart::Number(starts), KeyPart::Id(id)] => Some(Self {
                starts: DateTime::from_timestamp_micros(*starts)?,
                id: AppointmentId(*id),
            }),
            _ => None,
        }
    }

    fn parts(&self) -> Vec<KeyPart> {
        vec![
            KeyPart::Number(self.starts.timestamp_micros()),
            KeyPart::Id(self.id.0),
        ]
    }
}

impl ListKey for ThreadCursor {
    const LIST: u8 = 5;

    fn from_parts(parts: &[KeyPart]) -> Option<Self> {
        match parts {
            [KeyPart::Number(at), KeyPart::Id(id)] => Some(Self {
                last_activity_at: DateTime::from_timestamp_micros(*at)?,
                id: ThreadId(*id),
            }),
            _ => None,
        }
    }

    fn parts(&self) -> Vec<KeyPart> {
        vec![
            KeyPart::Number(self.last_activity_at.timestamp_micros()),
            KeyPart::Id(self.id.0),
        ]
    }
}

impl ListKey for VersionKey {
    const LIST: u8 = 6;

    fn from_parts(parts: &[KeyPart]) -> Option<Self> {
        match parts {
            [KeyPart::Number(version)] => u64::try_from(*version).ok().map(Self),
            _ => None,
        }
    }

    fn parts(&self) -> Vec<KeyPart> {
        vec![KeyPart::Number(i64::try_from(self.0).unwrap_or(i64::MAX))]
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn slice(limit: u16) -> Slice<VersionKey> {
        Slice { limit, after: None }
    }

    #[test]
    fn a_full_page_with_nothing_behind_it_is_the_last() {
        let (rows, next) = slice(3).cut(vec![1, 2, 3], |row| VersionKey(*row));
        assert_eq!((rows, next), (vec![1, 2, 3], None));
    }

    #[test]
    fn one_row_more_makes_a_cursor_after_the_last_that_is_shown() {
        let (rows, next) = slice(3).cut(vec![1, 2, 3, 4], |row| VersionKey(*row));
        assert_eq!(rows, [1, 2, 3]);
        assert_eq!(VersionKey::from_parts(next.unwrap().key()), Some(VersionKey(3)));
    }

    #[test]
    fn keys_come_back_from_their_cursors_and_from_no_other() {
        let key = ThreadCursor {
            last_activity_at: DateTime::from_timestamp_micros(-7).unwrap(),
            id: ThreadId(Uuid::from_u128(3)),
        };
        assert_eq!(ThreadCursor::from_parts(&key.parts()), Some(key));
        assert_eq!(VersionKey::from_parts(&[KeyPart::Number(-1)]), None);
        assert_eq!(PatientId::from_parts(&key.parts()), None);
    }
}
