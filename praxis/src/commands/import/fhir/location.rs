//! What does a Location resource say of a site, and what is wrong with it?

use std::collections::BTreeSet;

use praxis_command_api::routes::locations::register::RegisterLocationBody;
use serde_json::{Value, json};

use super::Kind;
use super::json::{Malformed, Object, objects, text};
use super::references::Pair;
use crate::commands::import::reasons;

/// The extension that FHIR R4 has for a place's time zone.
const TIME_ZONE: &str = "http://hl7.org/fhir/StructureDefinition/timezone";

/// A site.
pub struct Site {
    /// The document that adds it.
    pub document: Value,
    /// Identifiers, for references.
    pub identifiers: BTreeSet<Pair>,
    /// What is wrong.
    pub reasons: BTreeSet<String>,
}

impl Site {
    /// Reads a resource; `zone` is that of sites which state none.
    pub fn read(record: &Object, zone: &str) -> Result<Self, Malformed> {
        let (name, description) = (text(record, "name")?, text(record, "description")?);
        let name = name.filter(|name| !name.trim().is_empty()).or(description);
        let mut stated = None;
        for extension in objects(record, "extension")? {
            if text(extension, "url")? == Some(TIME_ZONE) {
                stated = stated.or(text(extension, "valueCode")?);
            }
        }
        let source = Kind::Location.source(text(record, "id")?.unwrap_or_default());
        let document = json!({ "name": name, "zone": stated.unwrap_or(zone), "source": source });
        let reasons = reasons::of_body::<RegisterLocationBody>(&document);
        Ok(Self {
            document,
            identifiers: Pair::all_of(record)?,
            reasons,
        })
    }
}

/// Whether there is a time zone of that name.
pub fn is_zone(name: &str) -> bool {
    reasons::of_body::<RegisterLocationBody>(&json!({ "name": "any", "zone": name })).is_empty()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Malformed, Site, is_zone};

    fn read(record: &Value) -> Site {
        Site::read(record.as_object().unwrap(), "America/New_York").unwrap()
    }

    fn reasons(record: &Value) -> Vec<String> {
        read(record).reasons.into_iter().collect()
    }

    #[test]
    fn a_site_has_a_name_or_else_a_description() {
        let site = read(&json!({ "id": "a", "name": "Branch", "description": "x" }));
        let source = json!({ "system": "http://hl7.org/fhir/Location", "value": "a" });
        assert_eq!(
            site.document,
            json!({ "name": "Branch", "zone": "America/New_York", "source": source })
        );
        assert!(site.reasons.is_empty());
        assert_eq!(
            read(&json!({ "id": "a", "name": " ", "description": "Home" })).document["name"],
            "Home"
        );
        assert_eq!(reasons(&json!({ "id": "a" })), ["name_missing"]);
        assert_eq!(
            reasons(&json!({ "id": "a", "name": "a".repeat(101) })),
            ["name_too_long"]
        );
    }

    #[test]
    fn a_stated_zone_goes_before_the_default_and_must_exist() {
        let zone = |zone: &str| {
            let url = "http://hl7.org/fhir/StructureDefinition/timezone";
            read(
                &json!({ "id": "a", "name": "A", "extension": [{ "url": "urn:x" }, { "url": url, "valueCode": zone }] }),
            )
        };
        assert_eq!(zone("Europe/London").document["zone"], "Europe/London");
        assert_eq!(zone("Europe/Nowhere").reasons, ["zone_unknown".to_owned()].into());
        assert!(is_zone("Europe/London") && !is_zone("Nowhere"));
    }

    #[test]
    fn a_member_of_another_type_makes_the_line_malformed() {
        for record in [
            json!({ "name": 1 }),
            json!({ "extension": {} }),
            json!({ "identifier": {} }),
        ] {
            assert!(
                matches!(Site::read(record.as_object().unwrap(), "UTC"), Err(Malformed)),
                "{record}"
            );
        }
    }
}
