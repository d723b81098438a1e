//! How do fields of a body become values of the domain, with the domain's own fault codes?

use praxis_domain::values::fault::{Part, PartFault, ValueFault};
use praxis_domain::values::identifier::Identifier;
use praxis_http_kit::fault::FaultCode;
use praxis_http_kit::fields::{Fields, values};
use serde_json::Value;
use utoipa::ToSchema;

/// Most identifiers of one record.
pub const IDENTIFIERS_LEN_MAX: usize = 20;
/// Most given names of one person.
pub const GIVEN_NAMES_LEN_MAX: usize = 10;

/// An identifier given by others (FHIR `Identifier`), as callers write it.
#[derive(Debug, ToSchema)]
#[schema(as = Identifier, example = json!({ "system": "urn:oid:2.16.840.1.113883.4.1", "value": "078-05-1120" }))]
pub struct WrittenIdentifier {
    /// Whose numbering: an absolute URI.
    #[schema(max_length = 255)]
    pub system: String,
    /// The number or name.
    #[schema(max_length = 128)]
    pub value: String,
}

/// Reads a string as a value of the domain.
pub fn value<T>(parse: impl Fn(&str) -> Result<T, ValueFault>) -> impl Fn(&Value) -> Result<T, FaultCode> {
    values::parsed(move |text| parse(text).map_err(fault_code))
}

/// Reads an identifier, naming the faults of both its parts.
pub fn identifier(fields: &mut Fields<'_>) -> Option<Identifier> {
    let system = fields.required("system", values::string);
    let value = fields.required("value", values::string);
    let parsed = Identifier::parse(
        system.as_deref().unwrap_or_default(),
        value.as_deref().unwrap_or_default(),
    );
    let faults = parsed.as_ref().err().map_or(&[][..], Vec::as_slice);
    // A part that is no string has its fault already.
    if let Some(fault) = system.and_then(|_| fault_of(faults, Part::System)) {
        fields.fault("system", fault);
    }
    if let Some(fault) = value.and_then(|_| fault_of(faults, Part::Value)) {
        fields.fault("value", fault);
    }
    parsed.ok()
}

/// The fault of one part of a value that has parts.
pub fn fault_of(faults: &[PartFault], part: Part) -> Option<FaultCode> {
    let found = faults.iter().find(|fault| fault.part == part);
    found.map(|found| fault_code(found.fault))
}

/// The domain's fault as callers see it: the same code, the same words.
pub const fn fault_code(fault: ValueFault) -> FaultCode {
    let message = match fault {
        ValueFault::Empty => "must not be empty",
        ValueFault::TooLong => "has too many characters",
        ValueFault::TooManyLines => "has too many lines",
        ValueFault::ControlCharacter => "contains a control character",
        ValueFault::InvalidDate => "is not a date of the form YYYY, YYYY-MM or YYYY-MM-DD",
        ValueFault::FutureDate => "is in the future",
        ValueFault::TooLongAgo => "is too long ago",
        ValueFault::UnknownCode => "is not one of the known codes",
        ValueFault::InvalidCode => "is not a code of lower-case letters, digits and hyphens",
        ValueFault::InvalidPhone => "is not a telephone number",
        ValueFault::PhoneWithoutCountry => "needs a country calling code",
        ValueFault::InvalidEmail => "is not an e-mail address",
        ValueFault::UnknownCountry => "is not a two-letter country code",
        ValueFault::InvalidLanguage => "is not a language tag",
        ValueFault::InvalidUri => "is not an absolute URI",
    };
    FaultCode::new(fault.code(), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_keep_the_words_and_codes_of_the_domain() {
        use ValueFault::{
            ControlCharacter, Empty, FutureDate, InvalidCode, InvalidDate, InvalidEmail, InvalidLanguage,
            InvalidPhone, InvalidUri, PhoneWithoutCountry, TooLong, TooLongAgo, TooManyLines, UnknownCode,
            UnknownCountry,
        };
        let every = [
            ControlCharacter,
            Empty,
            FutureDate,
            InvalidCode,
            InvalidDate,
            InvalidEmail,
            InvalidLanguage,
            InvalidPhone,
            InvalidUri,
            PhoneWithoutCountry,
            TooLong,
            TooLongAgo,
            TooManyLines,
            UnknownCode,
            UnknownCountry,
        ];
        for fault in every {
            let code = fault_code(fault);
            assert_eq!(
                (code.code, code.message),
                (fault.code(), fault.to_string().as_str())
            );
        }
    }
}
