//! Which country is meant?

use praxis_events::personal::Personal;

use super::fault::ValueFault;
use super::text::personal_text;

personal_text! {
    /// A country as an officially assigned ISO 3166-1 alpha-2 code, in upper case. Personal, because it is part of
    /// somebody's address.
    CountryCode
}

impl CountryCode {
    /// Reads a two-letter code of either case.
    ///
    /// # Errors
    /// [`ValueFault::Empty`], [`ValueFault::UnknownCountry`] for reserved, user-assigned (`XK`) and unassigned codes.
    pub fn parse(text: &str) -> Result<Self, ValueFault> {
        let code = text.trim().to_ascii_uppercase();
        if code.is_empty() {
            return Err(ValueFault::Empty);
        }
        if !ASSIGNED.split_ascii_whitespace().any(|assigned| assigned == code) {
            return Err(ValueFault::UnknownCountry);
        }
        Ok(Self(Personal::new(code)))
    }
}

/// The 249 officially assigned codes of ISO 3166-1. A table of our own: of the crates that carry one, one lacks Antarctica
/// and the others bring every subdivision of the world or a newer compiler than ours.
const ASSIGNED: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ \
    BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM \
    DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS \
    GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN \
    KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ \
    MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM \
    PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV \
    SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI \
    VN VU WF WS YE YT ZA ZM ZW";
#[cfg(test)]
mod tests {
    use super::{ASSIGNED, CountryCode};
    use crate::values::fault::ValueFault;

    #[test]
    fn the_table_has_the_249_assigned_codes_in_order() {
        let codes: Vec<&str> = ASSIGNED.split_ascii_whitespace().collect();
        assert_eq!(codes.len(), 249);
        assert!(codes.is_sorted_by(|one, next| one < next));
        assert!(
            codes
                .iter()
                .all(|code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()))
        );
    }

    #[test]
    fn an_assigned_code_of_either_case_is_taken() {
        for (text, code) in [
            ("US", "US"),
            ("de", "DE"),
            (" Gb ", "GB"),
            ("AQ", "AQ"),
            ("zw", "ZW"),
            ("ad", "AD"),
        ] {
            assert_eq!(CountryCode::parse(text).unwrap().reveal(), code);
        }
    }

    #[test]
    fn what_is_not_assigned_is_refused() {
        for text in [
            "UK",
            "XK",
            "EU",
            "ZZ",
            "USA",
            "D",
            "United States",
            "U S",
            "DE DK",
            "ＵＳ",
        ] {
            assert_eq!(
                CountryCode::parse(text),
                Err(ValueFault::UnknownCountry),
                "{text:?}"
            );
        }
        assert_eq!(CountryCode::parse(" "), Err(ValueFault::Empty));
    }

    #[test]
    fn a_stored_code_reads_back_unchecked_and_prints_nothing() {
        let stored: CountryCode = serde_json::from_str(r#""YU""#).unwrap();
        assert_eq!(stored.reveal(), "YU");
        assert_eq!(format!("{stored:?}"), "CountryCode((personal))");
    }
}
