//! Are settings found where they are said to be, and every fault told?

use std::io::Write as _;
use std::time::Duration;

use tempfile::NamedTempFile;

use super::*;
use crate::config::settings::{
    ADMIN_LISTEN, CLAIMS_KEY, EVENTS_URL, JWT_PUBLIC_KEYS, KAFKA_PARTITIONS, KEK, LISTEN, OTLP_ENDPOINT,
    QUEUE_MEMBERS_MAX, SHUTDOWN_GRACE, VIEWS_URL,
};

const KEK_KEY: &str = "00000000-0000-0000-0000-000000000005:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const KEY: &str = "1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----";

fn read(program: Program, variables: &[(&str, &str)]) -> Config {
    let environment = variables
        .iter()
        .map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Config::read(program, environment, &[])
}

fn faults(config: &Config) -> Vec<(String, String)> {
    config
        .faults()
        .into_iter()
        .map(|fault| (fault.name, fault.message))
        .collect()
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn source(config: &Config, name: &str) -> Source {
    config
        .entries()
        .iter()
        .find(|entry| entry.spec.name == name)
        .unwrap()
        .source
        .clone()
}

#[test]
fn praxis_serve_starts_without_any_setting() {
    let config = read(Program::Serve, &[]).checked().unwrap();
    assert_eq!(config.require(&LISTEN).unwrap().to_string(), "127.0.0.1:8080");
    assert_eq!(config.require(&SHUTDOWN_GRACE).unwrap(), Duration::from_secs(25));
    assert_eq!(config.get(&OTLP_ENDPOINT), None);
    assert_eq!(source(&config, "PRAXIS_LISTEN"), Source::Default);
    assert_eq!(source(&config, "PRAXIS_OTLP_ENDPOINT"), Source::Unset);
}

#[test]
fn the_projector_has_a_longer_grace() {
    let config = read(Program::Projector, &[]);
    assert_eq!(config.require(&SHUTDOWN_GRACE).unwrap(), Duration::from_secs(55));
}

#[test]
fn what_a_service_needs_is_told_at_once() {
    let names: Vec<_> = faults(&read(Program::CommandApi, &[]))
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let expected = [
        "PRAXIS_EVENTS_URL",
        "PRAXIS_KAFKA_BROKERS",
        "PRAXIS_KEK",
        "PRAXIS_CLAIMS_KEY",
        "PRAXIS_JWT_PUBLIC_KEYS",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_service_with_all_it_needs_starts() {
    let config = read(
        Program::CommandApi,
        &[
            ("PRAXIS_EVENTS_URL", "mysql://app:Marker@db/events"),
            ("PRAXIS_KAFKA_BROKERS", "kafka:9092"),
            ("PRAXIS_KEK", KEK_KEY),
            ("PRAXIS_CLAIMS_KEY", KEY),
            ("PRAXIS_JWT_PUBLIC_KEYS", PUBLIC),
        ],
    );
    let config = config.checked().unwrap();
    assert_eq!(
        config.require(&EVENTS_URL).unwrap().expose(),
        "mysql://app:Marker@db/events"
    );
    assert_eq!(config.require(&KAFKA_PARTITIONS).unwrap(), 12);
    assert!(!format!("{config:?}").contains("Marker"));
}

#[test]
fn with_certificates_of_the_database_no_url_is_had_without_them() {
    let ca = file("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n");
    let ca = ca.path().to_str().unwrap();
    let config = read(
        Program::Operator,
        &[
            (
                "PRAXIS_EVENTS_URL",
                "mysql://app:Marker@db/events?ssl-mode=REQUIRED",
            ),
            ("PRAXIS_VIEWS_URL", "mysql://app:Marker@db/views"),
            ("PRAXIS_DATABASE_CA_FILE", ca),
        ],
    );
    let config = config.checked().unwrap();
    for setting in [&EVENTS_URL, &VIEWS_URL] {
        let url = config.require(setting).unwrap();
        assert!(
            url.expose().contains("ssl-mode=VERIFY_IDENTITY&ssl-ca-pem="),
            "{}",
            url.expose()
        );
        assert_eq!(config.text(setting.spec.name).unwrap(), url.expose());
    }
    for (name, value) in [
        ("PRAXIS_DATABASE_CA_FILE", "/nowhere"),
        ("PRAXIS_DATABASE_CA", "none"),
    ] {
        let config = read(
            Program::Operator,
            &[("PRAXIS_EVENTS_URL", "mysql://db/events"), (name, value)],
        );
        assert_eq!(
            faults(&config).len(),
            1,
            "{name}: nothing is had by a bundle that cannot be read"
        );
    }
}

#[test]
fn every_fault_is_gathered_and_none_quotes_its_value() {
    let config = read(
        Program::Serve,
        &[
            ("PRAXIS_LISTEN", "Marker"),
            ("PRAXIS_KEK", "Marker"),
            ("PRAXIS_QUEUE_MEMBERS_MAX", "0"),
            ("PRAXIS_LOG", ""),
        ],
    );
    let faults = faults(&config);
    let names: Vec<_> = faults.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "PRAXIS_LISTEN",
            "PRAXIS_KEK",
            "PRAXIS_LOG",
            "PRAXIS_QUEUE_MEMBERS_MAX"
        ]
    );
    let text = config.checked().unwrap_err().to_string();
    assert!(!text.contains("Marker"), "{text}");
    assert!(
        text.contains("\n  PRAXIS_QUEUE_MEMBERS_MAX must be between 1 and 1000000"),
        "{text}"
    );
}

#[test]
fn a_number_is_good_on_its_bounds() {
    for (text, good) in [("0", false), ("1", true), ("1000000", true), ("1000001", false)] {
        let config = read(Program::Serve, &[("PRAXIS_QUEUE_MEMBERS_MAX", text)]);
        assert_eq!(config.faults().is_empty(), good, "{text}");
        assert!(config.get(&QUEUE_MEMBERS_MAX).is_some());
    }
}

#[test]
fn a_secret_comes_from_its_file_without_the_trailing_newline() {
    let file = file(&format!("{KEK_KEY}\n"));
    let path = file.path().to_str().unwrap();
    let config = read(Program::Serve, &[("PRAXIS_KEK_FILE", path)])
        .checked()
        .unwrap();
    assert_eq!(config.require(&KEK).unwrap().keys().len(), 1);
    assert_eq!(source(&config, "PRAXIS_KEK"), Source::File);
}

#[test]
fn several_files_make_one_bundle() {
    let (first, second) = (file(&format!("{PUBLIC}\n")), file(PUBLIC));
    let paths = format!(
        "{}, {}",
        first.path().to_str().unwrap(),
        second.path().to_str().unwrap()
    );
    let config = read(Program::Serve, &[("PRAXIS_JWT_PUBLIC_KEYS_FILE", &paths)])
        .checked()
        .unwrap();
    assert_eq!(
        config.require(&JWT_PUBLIC_KEYS).unwrap().0,
        format!("{PUBLIC}\n{PUBLIC}")
    );
}

#[test]
fn a_value_and_a_file_together_are_a_fault() {
    let config = read(
        Program::Serve,
        &[("PRAXIS_KEK", KEK_KEY), ("PRAXIS_KEK_FILE", "x")],
    );
    let message = "and PRAXIS_KEK_FILE are both set; keep one".to_owned();
    assert_eq!(faults(&config), [("PRAXIS_KEK".to_owned(), message)]);
}

#[test]
fn a_file_that_cannot_be_used_is_named() {
    let config = read(Program::Serve, &[("PRAXIS_KEK_FILE", "/no/such/file")]);
    let message = "names /no/such/file: entity not found".to_owned();
    assert_eq!(faults(&config), [("PRAXIS_KEK".to_owned(), message)]);
    // A character that is cut by the limit is no other fault.
    let large = file(&"å".repeat(usize::try_from(FILE_BYTES_MAX).unwrap()));
    for endless in [large.path().to_str().unwrap(), "/dev/zero"] {
        let config = read(Program::Serve, &[("PRAXIS_KEK_FILE", endless)]);
        let message = format!("names {endless}: larger than 1048576 bytes");
        assert_eq!(faults(&config), [("PRAXIS_KEK".to_owned(), message)]);
    }
}

#[test]
fn a_file_as_large_as_may_be_is_taken() {
    const ONE: &str = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    let bytes = usize::try_from(FILE_BYTES_MAX).unwrap();
    let mut bundle = ONE.repeat(bytes / ONE.len());
    bundle.push_str(&"#".repeat(bytes - bundle.len()));
    for (more, fits) in [("", true), ("#", false)] {
        let file = file(&format!("{bundle}{more}"));
        let config = read(
            Program::CommandApi,
            &[("PRAXIS_DATABASE_CA_FILE", file.path().to_str().unwrap())],
        );
        let fault = faults(&config)
            .into_iter()
            .find(|(name, _)| name == "PRAXIS_DATABASE_CA");
        assert_eq!(fault.is_none(), fits, "{fault:?}");
    }
}

#[test]
fn only_secrets_have_files() {
    let config = read(Program::Serve, &[("PRAXIS_LISTEN_FILE", "x")]);
    assert_eq!(faults(&config)[0].0, "PRAXIS_LISTEN_FILE");
}

#[test]
fn an_unknown_name_is_a_fault_with_the_nearest_known_one() {
    let config = read(
        Program::Serve,
        &[
            ("PRAXIS_LISTN", "x"),
            ("PRAXIS_SOMETHING_ELSE", "y"),
            ("PATH", "z"),
        ],
    );
    let hint = "is not a setting; did you mean PRAXIS_LISTEN?".to_owned();
    let plain = "is not a setting".to_owned();
    assert_eq!(
        faults(&config),
        [
            ("PRAXIS_LISTN".to_owned(), hint),
            ("PRAXIS_SOMETHING_ELSE".to_owned(), plain)
        ]
    );
}

#[test]
fn a_setting_of_another_program_is_no_fault() {
    let config = read(Program::Serve, &[("PRAXIS_KAFKA_BROKERS", "kafka:9092")]);
    assert!(config.checked().is_ok());
}

#[test]
fn what_kubernetes_adds_for_services_is_no_fault() {
    let config = read(
        Program::Serve,
        &[
            ("PRAXIS_QUERY_API_SERVICE_HOST", "10.0.0.1"),
            ("PRAXIS_QUERY_API_SERVICE_PORT_HTTP", "8080"),
            ("PRAXIS_QUERY_API_PORT", "tcp://10.0.0.1:8080"),
            ("PRAXIS_QUERY_API_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ],
    );
    assert_eq!(faults(&config), []);
    assert_eq!(read(Program::Serve, &[("PRAXIS_PORT", "8080")]).faults().len(), 1);
}

#[test]
fn what_development_keeps_for_itself_is_no_fault() {
    let own = [
        "PRAXIS_TEST_MYSQL_URL",
        "PRAXIS_DEV_DIR",
        "PRAXIS_CI_TARGET_DIR",
        "PRAXIS_SOAK_SEED",
    ];
    let config = read(Program::Serve, &own.map(|name| (name, "x")));
    assert_eq!(faults(&config), []);
}

#[test]
fn a_flag_wins_over_the_environment() {
    let environment = [(OsString::from("PRAXIS_LISTEN"), OsString::from("127.0.0.1:1"))];
    let flags = [(&LISTEN.spec, "127.0.0.1:2".to_owned())];
    let config = Config::read(Program::Serve, environment, &flags)
        .checked()
        .unwrap();
    assert_eq!(config.require(&LISTEN).unwrap().port(), 2);
    assert_eq!(source(&config, "PRAXIS_LISTEN"), Source::Flag);
    assert_eq!(config.require(&ADMIN_LISTEN).unwrap().port(), 9090);
}

#[test]
fn what_a_program_does_not_read_it_does_not_get() {
    let config = read(Program::QueryApi, &[("PRAXIS_CLAIMS_KEY", KEY)]);
    assert_eq!(
        config.require(&CLAIMS_KEY).unwrap_err().to_string(),
        "PRAXIS_CLAIMS_KEY is not set"
    );
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_utf8_is_a_fault_and_no_panic() {
    use std::os::unix::ffi::OsStringExt as _;
    let broken = OsString::from_vec(vec![0xff]);
    let environment = [
        (OsString::from("PRAXIS_LOG"), broken.clone()),
        (broken.clone(), broken),
    ];
    let config = Config::read(Program::Serve, environment, &[]);
    assert_eq!(
        faults(&config),
        [("PRAXIS_LOG".to_owned(), "is not UTF-8".to_owned())]
    );
}

#[test]
fn distances_are_counted_in_letters() {
    for (from, to, letters) in [
        ("", "", 0),
        ("abc", "abc", 0),
        ("abc", "", 3),
        ("kitten", "sitting", 3),
        ("ab", "ba", 2),
    ] {
        assert_eq!(distance(from, to), letters, "{from} {to}");
    }
}
