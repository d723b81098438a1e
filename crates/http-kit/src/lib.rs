//! How do our APIs speak HTTP? Problem documents, bodies read with every fault named, context, policy, and serving.
//!
//! **Invariant: no value a caller sent goes into a problem document, a log line or a metric**; only names of fields
//! (as the API knows them), stable codes, route templates and server-made ids do.

pub mod authn;
pub mod body;
pub mod code;
pub mod context;
pub mod cursor;
pub mod etag;
pub mod fault;
pub mod fields;
pub mod guard;
pub mod idempotency;
pub mod meta;
pub mod observe;
pub mod params;
pub mod position;
pub mod problem;
pub mod serve;
pub mod sources;
pub mod stack;
pub mod strict_json;
pub mod trace;
