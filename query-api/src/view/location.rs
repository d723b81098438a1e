//! How a site of the practice looks.

use praxis_read_models::models::locations::LocationRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A site of the practice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LocationView {
    /// Which site.
    pub id: Uuid,
    /// The record's version, as in `ETag`.
    #[schema(example = 1)]
    pub version: u64,
    /// What it is called.
    #[schema(example = "North Clinic")]
    pub name: String,
    /// IANA zone its clock shows.
    #[schema(example = "Europe/London")]
    pub zone: String,
}

impl From<LocationRow> for LocationView {
    fn from(row: LocationRow) -> Self {
        Self {
            id: row.id.0,
            version: row.place.version,
            name: row.name,
            zone: row.zone,
        }
    }
}
