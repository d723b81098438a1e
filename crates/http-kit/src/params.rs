//! What do path and query say, and everything that is wrong with them?

use std::collections::BTreeSet;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Query, RawPathParams};
use http::Uri;
use http::request::Parts;

use crate::code::Code;
use crate::fault::{Fault, FaultCode, Place, caller_name, pointer_to};
use crate::fields::values;
use crate::problem::Problem;

/// Most parameters a query may have.
pub const QUERY_PARAMETERS_MAX: usize = 50;

/// What a route's query is read into.
pub trait FromQuery: Sized {
    /// The value these parameters make; `None` when a fault was found (and only then).
    fn from_query(query: &mut QueryFields) -> Option<Self>;
}

/// The query of a request. As an extractor it answers with a problem that names every fault.
#[derive(Clone, Debug)]
pub struct Params<T>(pub T);

impl<T: FromQuery, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read_query(&parts.uri).map(Self)
    }
}

/// What a URI's query says.
pub fn read_query<T: FromQuery>(uri: &Uri) -> Result<T, Problem> {
    let mut query = QueryFields::try_new(uri)?;
    let value = T::from_query(&mut query);
    query.refuse_unknown();
    match value {
        Some(value) if query.faults.is_empty() => Ok(value),
        None if query.faults.is_empty() => {
            tracing::error!(
                query = std::any::type_name::<T>(),
                "a reader of a query gave neither value nor fault"
            );
            Err(Problem::new(Code::Internal))
        }
        Some(_) | None => Err(Problem::with_faults(Code::InvalidParameter, query.faults)),
    }
}

/// The parameters of one query.
#[derive(Debug)]
pub struct QueryFields {
    pairs: Vec<(String, String)>,
    taken: BTreeSet<&'static str>,
    faults: Vec<Fault>,
}

impl QueryFields {
    fn try_new(uri: &Uri) -> Result<Self, Problem> {
        let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else {
            return Err(Problem::new(Code::InvalidParameter).detail("the query cannot be decoded"));
        };
        if pairs.len() > QUERY_PARAMETERS_MAX {
            return Err(Problem::new(Code::InvalidParameter).detail("the query has too many parameters"));
        }
        Ok(Self {
            pairs,
            taken: BTreeSet::new(),
            faults: Vec::new(),
        })
    }

    /// A parameter that must be there.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, FaultCode>,
    ) -> Option<T> {
        if !self.pairs.iter().any(|(present, _)| present == name) {
            self.fault(name, FaultCode::REQUIRED);
        }
        self.optional(name, parse)
    }

    /// A parameter that may be missing; given twice it is a fault.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, FaultCode>,
    ) -> Option<T> {
        self.taken.insert(name);
        let mut given = self
            .pairs
            .iter()
            .filter(|(present, _)| present == name)
            .map(|(_, value)| value);
        let parsed = match (given.next(), given.next()) {
            (None, _) => return None,
            (Some(value), None) => parse(value),
            (Some(_), Some(_)) => Err(FaultCode::DUPLICATE),
        };
        match parsed {
            Ok(value) => Some(value),
            Err(code) => {
                self.fault(name, code);
                None
            }
        }
    }

    /// Says that a parameter has a fault only the whole query shows.
    pub fn fault(&mut self, name: &'static str, code: FaultCode) {
        self.faults
            .push(Fault::new(Place::Query, pointer_to("", name), code));
    }

    /// Whether a fault was found so far.
    pub fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    fn refuse_unknown(&mut self) {
        for (name, _) in self
            .pairs
            .iter()
            .filter(|(name, _)| !self.taken.contains(name.as_str()))
        {
            let pointer = pointer_to("", caller_name(name));
            self.faults
                .push(Fault::new(Place::Query, pointer, FaultCode::UNKNOWN_PARAMETER));
        }
    }
}

/// A query without any parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoQuery;

impl FromQuery for NoQuery {
    fn from_query(_: &mut QueryFields) -> Option<Self> {
        Some(Self)
    }
}

/// The one id in a route's path, as in `/patients/{id}`. For several use [`path_id`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathId<T>(pub T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::new(Code::InvalidParameter).detail("the path is not valid UTF-8"))?;
        path_id(&params, "id").map(Self)
    }
}

/// The id of that name in the path; what is no UUID is a fault of the path.
pub fn path_id<T: FromStr>(params: &RawPathParams, name: &str) -> Result<T, Problem> {
    let Some((_, text)) = params.iter().find(|(present, _)| *present == name) else {
        tracing::error!(parameter = name, "the route has no such path parameter");
        return Err(Problem::new(Code::Internal));
    };
    values::id_of_text(text).map_err(|code| {
        let fault = Fault::new(Place::Path, pointer_to("", name), code);
        Problem::with_faults(Code::InvalidParameter, vec![fault])
    })
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use http::Request;
    use tower::ServiceExt as _;
    use uuid::Uuid;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Filter {
        day: chrono::NaiveDate,
        room: Option<String>,
    }

    impl FromQuery for Filter {
        fn from_query(query: &mut QueryFields) -> Option<Self> {
            let day = query.required("day", values::date_of_text);
            let room = query.optional("room", |text| Ok(text.to_owned()));
            Some(Self { day: day?, room })
        }
    }

    fn faults(uri: &str) -> Vec<(String, String)> {
        let problem = read_query::<Filter>(&uri.parse().unwrap()).unwrap_err();
        assert_eq!(problem.code(), Code::InvalidParameter);
        let named = problem
            .faults()
            .iter()
            .map(|fault| (fault.pointer.clone(), fault.code.to_string()));
        named.collect()
    }

    #[test]
    fn a_good_query_becomes_the_value() {
        let filter = read_query::<Filter>(&"/x?day=2026-03-08&room=A%20b".parse().unwrap()).unwrap();
        assert_eq!(filter.room.as_deref(), Some("A b"));
    }

    #[test]
    fn every_fault_of_a_query_is_named() {
        let pair = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
        assert_eq!(faults("/x"), [pair("/day", "required")]);
        assert_eq!(
            faults("/x?day=soon&room=1&room=2&page=3&a%20b=4"),
            [
                pair("/day", "not-a-date"),
                pair("/room", "duplicate-field"),
                pair("/page", "unknown-parameter"),
                pair("/(unnamed)", "unknown-parameter"),
            ]
        );
    }

    #[test]
    fn a_query_of_too_many_parameters_is_refused() {
        let uri: Uri = format!("/x?{}", "a=1&".repeat(QUERY_PARAMETERS_MAX + 1))
            .parse()
            .unwrap();
        let problem = read_query::<Filter>(&uri).unwrap_err();
        assert!(problem.faults().is_empty() && problem.code() == Code::InvalidParameter);
    }

    #[test]
    fn a_route_without_parameters_refuses_any() {
        assert!(read_query::<NoQuery>(&"/x".parse().unwrap()).is_ok());
        let problem = read_query::<NoQuery>(&"/x?a=1".parse().unwrap()).unwrap_err();
        assert_eq!(problem.faults()[0].pointer, "/a");
    }

    #[tokio::test]
    async fn path_ids_are_uuids_in_hyphenated_form() {
        let echo = |PathId(id): PathId<Uuid>| async move { id.to_string() };
        let router = Router::new().route("/patients/{id}", get(echo));
        let id = Uuid::from_u128(5);
        for (path, status) in [
            (id.to_string(), 200),
            (id.simple().to_string(), 400),
            ("ann".into(), 400),
        ] {
            let request = Request::get(format!("/patients/{path}"))
                .body(axum::body::Body::empty())
                .unwrap();
            assert_eq!(
                router.clone().oneshot(request).await.unwrap().status(),
                status,
                "{path}"
            );
        }
    }
}
