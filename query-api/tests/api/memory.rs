//! A log and read models in memory, that stand where a test puts them.

pub mod log;
pub mod registry;
pub mod views;

use praxis_events::ids::LogId;
use praxis_read_models::fingerprint::Fingerprint;
use uuid::Uuid;

pub const EPOCH: u32 = 2;
pub const LOG_ID: LogId = LogId(Uuid::from_u128(0x106));
pub const FINGERPRINT: Fingerprint = Fingerprint([7; 8]);
