//! Where does the next page of a list begin (keyset cursors, `limit`, `Link: rel="next"`)?
//!
//! A cursor travels in URLs, so its key holds ids, times and numbers and cannot hold text: a list in the order of
//! names pages by `POST …/search`, or by an id.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::LINK;
use http::{HeaderMap, HeaderValue, Uri};
use uuid::Uuid;

use crate::fault::FaultCode;
use crate::params::QueryFields;

/// Rows of a page where the caller says nothing.
pub const LIMIT_DEFAULT: u16 = 50;
/// Most rows of a page.
pub const LIMIT_MAX: u16 = 200;

/// The first byte of every cursor; another form gets another one.
const FORMAT: u8 = 1;
/// Most parts of a key.
const KEY_PARTS_MAX: usize = 8;

/// One column of the key a list is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPart {
    /// A number, a count, a score, or microseconds since 1970 UTC.
    Number(i64),
    /// An id.
    Id(Uuid),
}

/// The key of a page's last row, good for one list only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    list: u8,
    key: Vec<KeyPart>,
}

impl Cursor {
    /// The cursor after the row of that key. `list` tells the lists of an API apart, so that one list's cursor is
    /// not taken for another's; it says nothing about filters, which the link carries along.
    pub fn new(list: u8, key: Vec<KeyPart>) -> Self {
        Self { list, key }
    }

    /// The key, in the order of the list's columns.
    pub fn key(&self) -> &[KeyPart] {
        &self.key
    }

    /// The cursor as it travels: base64url, opaque to callers.
    pub fn encode(&self) -> String {
        let mut bytes = vec![FORMAT, self.list];
        for part in &self.key {
            match part {
                KeyPart::Number(number) => {
                    bytes.push(0);
                    bytes.extend(number.to_be_bytes());
                }
                KeyPart::Id(id) => {
                    bytes.push(1);
                    bytes.extend(id.as_bytes());
                }
            }
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The cursor of that list; [`FaultCode::NOT_A_CURSOR`] for any other text.
    pub fn decode(text: &str, list: u8) -> Result<Self, FaultCode> {
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| FaultCode::NOT_A_CURSOR)?;
        let mut rest = bytes
            .strip_prefix(&[FORMAT, list])
            .ok_or(FaultCode::NOT_A_CURSOR)?;
        let mut key = Vec::new();
        while let Some((kind, after)) = rest.split_first() {
            let (part, after) = match kind {
                0 => split_number(after),
                1 => split_id(after),
                _ => None,
            }
            .filter(|_| key.len() < KEY_PARTS_MAX)
            .ok_or(FaultCode::NOT_A_CURSOR)?;
            key.push(part);
            rest = after;
        }
        Ok(Self { list, key })
    }
}

fn split_number(bytes: &[u8]) -> Option<(KeyPart, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((KeyPart::Number(i64::from_be_bytes(*number)), rest))
}

fn split_id(bytes: &[u8]) -> Option<(KeyPart, &[u8])> {
    let (id, rest) = bytes.split_first_chunk::<16>()?;
    Some((KeyPart::Id(Uuid::from_bytes(*id)), rest))
}

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most how many rows, 1 to [`LIMIT_MAX`].
    pub limit: u16,
    /// After which row; from the first when absent.
    pub after: Option<Cursor>,
}

impl Page {
    /// The page that `limit` and `cursor` of a query ask for. `key_matches` says whether a key has the columns of
    /// this list.
    pub fn from_query(
        query: &mut QueryFields,
        list: u8,
        key_matches: impl FnOnce(&[KeyPart]) -> bool,
    ) -> Option<Self> {
        let faulty_before = query.has_faults();
        let limit = query.optional("limit", limit).unwrap_or(LIMIT_DEFAULT);
        let after = query.optional("cursor", |text| {
            let cursor = Cursor::decode(text, list)?;
            if key_matches(cursor.key()) {
                Ok(cursor)
            } else {
                Err(FaultCode::NOT_A_CURSOR)
            }
        });
        (faulty_before || !query.has_faults()).then_some(Self { limit, after })
    }
}

fn limit(text: &str) -> Result<u16, FaultCode> {
    let limit = text.parse::<u16>().map_err(|_| FaultCode::NOT_AN_INTEGER)?;
    if (1..=LIMIT_MAX).contains(&limit) {
        Ok(limit)
    } else {
        Err(FaultCode::OUT_OF_RANGE)
    }
}

/// Sets the `Link` to the next page (RFC 8288): this request's path and query with another `cursor`.
pub fn link_next(headers: &mut HeaderMap, uri: &Uri, next: &Cursor) {
    let kept = uri.query().into_iter().flat_map(|query| query.split('&'));
    let kept = kept.filter(|pair| !pair.is_empty() && *pair != "cursor" && !pair.starts_with("cursor="));
    let mut query: Vec<&str> = kept.collect();
    let cursor = format!("cursor={}", next.encode());
    query.push(&cursor);
    let link = format!("<{}?{}>; rel=\"next\"", uri.path(), query.join("&"));
    if let Ok(value) = HeaderValue::try_from(link) {
        headers.insert(LINK, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::{FromQuery, read_query};

    const LIST: u8 = 3;

    #[derive(Debug, PartialEq)]
    struct OnlyPage(Page);

    impl FromQuery for OnlyPage {
        fn from_query(query: &mut QueryFields) -> Option<Self> {
            Page::from_query(query, LIST, |key| {
                matches!(key, [KeyPart::Number(_), KeyPart::Id(_)])
            })
            .map(Self)
        }
    }

    fn page(query: &str) -> Result<Page, Vec<String>> {
        let read = read_query::<OnlyPage>(&format!("/x?{query}").parse().unwrap());
        read.map(|page| page.0).map_err(|problem| {
            problem
                .faults()
                .iter()
                .map(|fault| fault.pointer.clone())
                .collect()
        })
    }

    fn cursor(list: u8) -> Cursor {
        Cursor::new(list, vec![KeyPart::Number(-5), KeyPart::Id(Uuid::from_u128(9))])
    }

    #[test]
    fn a_page_has_50_rows_from_the_first_unless_told_otherwise() {
        assert_eq!(
            page(""),
            Ok(Page {
                limit: 50,
                after: None
            })
        );
    }

    #[test]
    fn a_limit_is_between_1_and_200() {
        for limit in [1, 200] {
            assert_eq!(page(&format!("limit={limit}")), Ok(Page { limit, after: None }));
        }
        for limit in ["0", "201", "-1", "ten", "", "70000"] {
            assert_eq!(
                page(&format!("limit={limit}")),
                Err(vec!["/limit".into()]),
                "{limit}"
            );
        }
    }

    #[test]
    fn a_cursor_comes_back_as_it_left() {
        let text = cursor(LIST).encode();
        assert_eq!(
            page(&format!("cursor={text}&limit=7")),
            Ok(Page {
                limit: 7,
                after: Some(cursor(LIST))
            })
        );
    }

    #[test]
    fn what_is_no_cursor_of_this_list_is_refused() {
        let other_list = cursor(LIST + 1).encode();
        let other_key = Cursor::new(LIST, vec![KeyPart::Number(1)]).encode();
        let cut = cursor(LIST).encode()[..20].to_owned();
        let endless = Cursor::new(LIST, vec![KeyPart::Number(1); KEY_PARTS_MAX + 1]).encode();
        for text in [other_list, other_key, cut, endless, "!".into(), String::new()] {
            assert_eq!(
                page(&format!("cursor={text}")),
                Err(vec!["/cursor".into()]),
                "{text}"
            );
        }
    }

    #[test]
    fn the_next_link_keeps_the_query_and_replaces_the_cursor() {
        let uri: Uri = "/appointments?day=2026-03-08&cursor=old&limit=7".parse().unwrap();
        let mut headers = HeaderMap::new();
        link_next(&mut headers, &uri, &cursor(LIST));
        let expected = format!(
            "</appointments?day=2026-03-08&limit=7&cursor={}>; rel=\"next\"",
            cursor(LIST).encode()
        );
        assert_eq!(headers[LINK], expected);
    }
}
