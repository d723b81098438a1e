//! How is the way to reach a patient read?

use praxis_domain::patient::details::ContactDetails;
use praxis_domain::values::address::{PostalAddress, WrittenAddress};
use praxis_domain::values::email::EmailAddress;
use praxis_domain::values::fault::{Part, ValueFault};
use praxis_domain::values::phone::PhoneNumber;
use praxis_http_kit::fault::FaultCode;
use praxis_http_kit::fields::{Fields, values};
use utoipa::ToSchema;

use crate::routes::reading::{fault_code, fault_of, value};

/// Most telephone numbers, and most e-mail addresses, of one patient.
pub const CONTACT_POINTS_LEN_MAX: usize = 10;
/// Most lines looked at; more than an address may have, so that the domain says so.
const LINES_LEN_MAX: usize = 100;

/// How a patient is reached, as callers write it.
#[derive(Debug, ToSchema)]
#[schema(as = Contact, example = json!({
    "phones": ["+41 44 668 18 00"],
    "emails": ["jeanne@example.org"],
    "address": { "lines": ["Seestrasse 1"], "city": "Zürich", "postcode": "8002", "country": "CH" }
}))]
pub struct WrittenContact {
    /// Telephone numbers with their country, the preferred one first.
    #[schema(required = false, max_items = 10)]
    pub phones: Vec<String>,
    /// E-mail addresses, the preferred one first.
    #[schema(required = false, max_items = 10)]
    pub emails: Vec<String>,
    /// Postal address.
    pub address: Option<Address>,
}

/// A postal address, as callers write it; one of its parts at least.
#[derive(Debug, ToSchema)]
#[schema(example = json!({ "lines": ["Seestrasse 1"], "city": "Zürich", "postcode": "8002", "country": "CH" }))]
pub struct Address {
    /// What stands above the city.
    #[schema(required = false, max_items = 5)]
    pub lines: Vec<String>,
    /// City.
    #[schema(max_length = 100)]
    pub city: Option<String>,
    /// Postcode.
    #[schema(max_length = 16)]
    pub postcode: Option<String>,
    /// Country (ISO 3166-1 alpha-2).
    #[schema(max_length = 2)]
    pub country: Option<String>,
}

/// Reads contact details out of these fields.
pub fn contact(fields: &mut Fields<'_>) -> Option<ContactDetails> {
    let phone = value(|text| PhoneNumber::parse(text, None));
    let phones = fields.list("phones", CONTACT_POINTS_LEN_MAX, phone);
    let emails = fields.list("emails", CONTACT_POINTS_LEN_MAX, value(EmailAddress::parse));
    let (address, is_blank) = match fields.optional_object("address", address) {
        Some(Read::Address(address)) => (Some(address), false),
        Some(Read::Blank) => (None, true),
        None => (None, false),
    };
    if is_blank {
        fields.fault("address", fault_code(ValueFault::Empty));
    }
    Some(ContactDetails {
        phones: phones?,
        emails: emails?,
        address,
    })
}

enum Read {
    Address(PostalAddress),
    /// Nothing is said in any part: a fault of the address as a whole.
    Blank,
}

fn address(fields: &mut Fields<'_>) -> Option<Read> {
    let lines = fields.list("lines", LINES_LEN_MAX, |line| {
        let lines = [values::text(line)?];
        let written = WrittenAddress {
            lines: &lines,
            ..WrittenAddress::default()
        };
        part(Part::Line(0), lines[0], written)
    });
    let city = fields.optional("city", |city| {
        let text = values::text(city)?;
        part(
            Part::City,
            text,
            WrittenAddress {
                city: Some(text),
                ..WrittenAddress::default()
            },
        )
    });
    let postcode = fields.optional("postcode", |postcode| {
        let text = values::text(postcode)?;
        part(
            Part::Postcode,
            text,
            WrittenAddress {
                postcode: Some(text),
                ..WrittenAddress::default()
            },
        )
    });
    let country = fields.optional("country", |country| {
        let text = values::text(country)?;
        part(
            Part::Country,
            text,
            WrittenAddress {
                country: Some(text),
                ..WrittenAddress::default()
            },
        )
    });
    let lines = lines?;
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let parts = [("city", &city), ("postcode", &postcode), ("country", &country)];
    if parts
        .iter()
        .any(|(name, part)| part.is_none() && fields.has(name))
    {
        // That part's fault is named; what is left is not the address that was meant.
        return None;
    }
    let written = WrittenAddress {
        lines: &lines,
        city: city.as_deref(),
        postcode: postcode.as_deref(),
        country: country.as_deref(),
    };
    match PostalAddress::parse(written) {
        Ok(address) => Some(Read::Address(address)),
        Err(faults) => {
            if let Some(fault) = fault_of(&faults, Part::Lines) {
                fields.fault("lines", fault);
            }
            fault_of(&faults, Part::Whole).map(|_| Read::Blank)
        }
    }
}

/// The text of one part, if an address of that part alone has no fault in it.
fn part(part: Part, text: &str, alone: WrittenAddress<'_>) -> Result<String, FaultCode> {
    let faults = PostalAddress::parse(alone).err().unwrap_or_default();
    match fault_of(&faults, part) {
        Some(fault) => Err(fault),
        None => Ok(text.to_owned()),
    }
}
