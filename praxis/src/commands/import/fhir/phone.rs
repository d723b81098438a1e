//! How is a telephone number of a FHIR `ContactPoint` handed to the command API, which wants the country in it?

/// The number with its country calling code where the address decides it: ten digits of the North American plan, with or
/// without the 1, where the address is in the United States or Canada or says no country. Any other number is left as it
/// is, for the API to judge.
pub fn with_country(text: &str, country: Option<&str>) -> String {
    let in_plan = country.is_none_or(|country| matches!(country, "US" | "CA"));
    let digits: String = text
        .chars()
        .filter(|c| !(c.is_whitespace() || "().-/".contains(*c)))
        .collect();
    let is_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let national = match digits.len() {
        10 => Some(digits.as_str()),
        11 => digits.strip_prefix('1'),
        _ => None,
    };
    match national {
        Some(national) if in_plan && is_digits => format!("+1{national}"),
        Some(_) | None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::with_country;

    #[test]
    fn ten_digits_get_the_code_of_the_north_american_plan() {
        for text in ["555-810-7203", "(555) 810 7203", "1-555-810-7203", "5558107203"] {
            for country in [None, Some("US"), Some("CA")] {
                assert_eq!(with_country(text, country), "+15558107203", "{text}");
            }
        }
    }

    #[test]
    fn any_other_number_is_left_to_the_api() {
        for text in [
            "+33 1 23 45 67 89",
            "810-7203",
            "12-34",
            "25558107203",
            "555-810-72o3",
        ] {
            assert_eq!(with_country(text, Some("US")), text);
        }
        assert_eq!(with_country("555-810-7203", Some("FR")), "555-810-7203");
    }
}
