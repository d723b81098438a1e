//! What is an e-mail address?

use email_address::Options;
use praxis_events::personal::Personal;
use unicode_normalization::UnicodeNormalization;

use super::fault::ValueFault;
use super::text::personal_text;

/// The most octets of an address, from the limit of a forward path (RFC 5321 4.5.3.1.3, RFC 3696 erratum 1690).
pub const BYTES_MAX: usize = 254;

personal_text! {
    /// An e-mail address by syntax (RFC 5321, internationalised by RFC 6531); that it receives mail is not known.
    ///
    /// Normal form: trimmed, NFC, the domain in lower case. The local part keeps its case, because its host decides.
    EmailAddress
}

impl EmailAddress {
    /// Reads a bare address with a domain of at least two labels.
    ///
    /// Display names, address literals and local parts with blanks are refused: syntactically possible, in a practice
    /// always a mistake.
    ///
    /// # Errors
    /// [`ValueFault::Empty`], [`ValueFault::TooLong`], [`ValueFault::InvalidEmail`].
    pub fn parse(text: &str) -> Result<Self, ValueFault> {
        let text: String = text.trim().nfc().collect();
        if text.is_empty() {
            return Err(ValueFault::Empty);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(ValueFault::InvalidEmail)?;
        let normal = format!("{local}@{}", domain.to_lowercase());
        if normal.len() > BYTES_MAX {
            return Err(ValueFault::TooLong);
        }
        if normal.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(ValueFault::InvalidEmail);
        }
        let options = Options::default()
            .with_required_tld()
            .without_domain_literal()
            .without_display_text();
        email_address::EmailAddress::parse_with_options(&normal, options)
            .map_err(|_| ValueFault::InvalidEmail)?;
        Ok(Self(Personal::new(normal)))
    }
}

#[cfg(test)]
mod tests {
    use super::{BYTES_MAX, EmailAddress};
    use crate::values::fault::ValueFault;

    #[test]
    fn the_domain_is_lowered_and_the_local_part_is_not() {
        assert_eq!(
            EmailAddress::parse(" Ada.L+x@Example.ORG ").unwrap().reveal(),
            "Ada.L+x@example.org"
        );
        assert_eq!(
            EmailAddress::parse("jose\u{301}@BÜCHER.example")
                .unwrap()
                .reveal(),
            "josé@bücher.example"
        );
    }

    #[test]
    fn what_is_no_bare_address_is_refused() {
        for text in [
            "ada",
            "@example.org",
            "ada@",
            "ada@localhost",
            "ada@@example.org",
            "a b@example.org",
            "\"a b\"@example.org",
            "Ada <ada@example.org>",
            "ada@[127.0.0.1]",
            "ada@exa_mple..org",
            ".ada@example.org",
            "ada@-example.org",
            "ada@example.org\r\nBcc: x@example.org",
            "\u{202E}ada@example.org",
        ] {
            assert_eq!(
                EmailAddress::parse(text),
                Err(ValueFault::InvalidEmail),
                "{text:?}"
            );
        }
        assert_eq!(EmailAddress::parse(" "), Err(ValueFault::Empty));
    }

    #[test]
    fn an_address_has_at_most_254_octets() {
        let label = "d".repeat(63);
        let address = |local: usize| format!("{}@{label}.{label}.{label}.org", "a".repeat(local));
        let longest = BYTES_MAX - address(0).len();
        assert_eq!(
            EmailAddress::parse(&address(longest)).unwrap().reveal().len(),
            BYTES_MAX
        );
        assert_eq!(
            EmailAddress::parse(&address(longest + 1)),
            Err(ValueFault::TooLong)
        );
    }

    #[test]
    fn a_local_part_has_at_most_64_octets() {
        assert!(EmailAddress::parse(&format!("{}@example.org", "a".repeat(64))).is_ok());
        let longer = EmailAddress::parse(&format!("{}@example.org", "a".repeat(65)));
        assert_eq!(longer, Err(ValueFault::InvalidEmail));
    }

    #[test]
    fn a_stored_address_reads_back_unchecked_and_prints_nothing() {
        let stored: EmailAddress = serde_json::from_str(r#""ada at home""#).unwrap();
        assert_eq!(stored.reveal(), "ada at home");
        assert_eq!(format!("{stored:?}"), "EmailAddress((personal))");
    }
}
