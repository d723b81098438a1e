//! Which texts are good values, and do the messages keep secrets?

use super::*;

const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

fn fault<T: SettingValue>(text: &str) -> String {
    match T::parse(text) {
        Ok(_) => panic!("a good value"),
        Err(message) => message,
    }
}

#[test]
fn durations_have_a_unit() {
    assert_eq!(Duration::parse("500ms"), Ok(Duration::from_millis(500)));
    assert_eq!(Duration::parse("30s"), Ok(Duration::from_secs(30)));
    assert_eq!(Duration::parse("5m"), Ok(Duration::from_mins(5)));
    for text in [
        "30",
        "s",
        "1.5s",
        "-1s",
        "1 s",
        "1h",
        "99999999999999999999s",
        "9999999999999999999m",
    ] {
        assert!(Duration::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_key_ring_keeps_its_order_and_hides_its_keys() {
    let ring = KeyRing::<NonZeroU8>::parse(&format!("2:{KEY}, 1:{KEY}")).unwrap();
    let ids: Vec<_> = ring.keys().iter().map(|(id, _)| id.get()).collect();
    assert_eq!(ids, [2, 1]);
    assert_eq!(format!("{ring:?}"), r#"["2:(secret)", "1:(secret)"]"#);
}

#[test]
fn keys_that_wrap_have_uuids_and_claims_keys_have_numbers() {
    let id = Uuid::from_u128(5);
    let text = format!("{id}:{KEY}");
    assert_eq!(KeyRing::<Uuid>::parse(&text).unwrap().keys(), [(id, [0; 32])]);
    assert_eq!(
        fault::<KeyRing<NonZeroU8>>(&text),
        "the id of key 1 must be a number from 1 to 255"
    );
    assert_eq!(
        fault::<KeyRing<Uuid>>(&format!("1:{KEY}")),
        "the id of key 1 must be a UUID"
    );
    for (id, good) in [("0", false), ("1", true), ("255", true), ("256", false)] {
        assert_eq!(
            KeyRing::<NonZeroU8>::parse(&format!("{id}:{KEY}")).is_ok(),
            good,
            "{id}"
        );
    }
}

#[test]
fn a_faulty_key_is_named_by_its_place() {
    type Ring = KeyRing<NonZeroU8>;
    assert_eq!(fault::<Ring>("Marker"), "key 1 is not of the form id:base64");
    assert_eq!(
        fault::<Ring>(&format!("1:{KEY},2:Marker")),
        "key 2 is not the base64 of 32 bytes"
    );
    assert_eq!(
        fault::<Ring>(&format!("1:{KEY},1:{KEY}")),
        "key 2 has the id of an earlier one"
    );
    assert_eq!(fault::<Ring>("1:AAAA"), "key 1 is not the base64 of 32 bytes");
    let of = |count: usize| {
        (1..=count)
            .map(|id| format!("{id}:{KEY}"))
            .collect::<Vec<_>>()
            .join(",")
    };
    assert!(Ring::parse(&of(KEYS_MAX)).is_ok());
    assert_eq!(fault::<Ring>(&of(KEYS_MAX + 1)), "holds more than 64 keys");
}

#[test]
fn a_database_url_names_user_host_and_schema_and_is_not_shown() {
    let url = DatabaseUrl::parse("mysql://app:Marker@db:3306/praxis_events?ssl-mode=required").unwrap();
    assert_eq!(format!("{url:?}"), REDACTED);
    for text in [
        "mysql://db",
        "mysql://app:Marker@/x",
        "mysql://db/",
        "postgres://db/x",
        "mysql://d b/x",
        "mysql://db/x#Marker",
        "",
    ] {
        assert!(!fault::<DatabaseUrl>(text).contains("Marker"), "{text}");
    }
}

#[test]
fn a_database_url_takes_certificates_and_their_word_on_tls_is_the_last() {
    let certificates = CertificatesPem::parse(
        "For db:\n-----BEGIN CERTIFICATE-----\nAA+/\n-----END CERTIFICATE-----\nuntil 2061\n",
    )
    .unwrap();
    let asked = "ssl-mode=VERIFY_IDENTITY&ssl-ca-pem=\
        %2D%2D%2D%2D%2DBEGIN%20CERTIFICATE%2D%2D%2D%2D%2D%0AAA%2B%2F%0A%2D%2D%2D%2D%2DEND%20CERTIFICATE%2D%2D%2D%2D%2D";
    for (given, with) in [
        ("mysql://db/x", "mysql://db/x?"),
        (
            "mysql://db/x?ssl-mode=DISABLED",
            "mysql://db/x?ssl-mode=DISABLED&",
        ),
    ] {
        let url = DatabaseUrl::parse(given).unwrap().verified_by(&certificates);
        assert_eq!(url.expose(), format!("{with}{asked}"));
    }
}

#[test]
fn certificates_are_whole() {
    const ONE: &str = "-----BEGIN CERTIFICATE-----\nAA+/\nAA==\n-----END CERTIFICATE-----\n";
    assert!(CertificatesPem::parse(&format!("{ONE}\n{ONE}")).is_ok());
    for text in [
        "",
        "-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----",
        &ONE.replace("-----END", "----END"),
        &ONE.replace("AA+/\nAA==\n", ""),
        &format!("{ONE}{}", ONE.replace("AA==", "AA!=")),
    ] {
        let said = fault::<CertificatesPem>(text);
        assert!(said.starts_with("holds no certificate"), "{said}");
    }
    let with_key = format!("{ONE}-----BEGIN PRIVATE KEY-----");
    assert_eq!(fault::<CertificatesPem>(&with_key), "holds a private key");
}

#[test]
fn brokers_are_hosts_and_ports() {
    assert!(Brokers::parse("a:9092,b:9092").is_ok());
    for text in ["a", "a:", ":9092", "a:9092,", "a:90920", "a b:1"] {
        assert!(Brokers::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_collector_is_reached_by_plain_http() {
    assert_eq!(
        CollectorUrl::parse("http://localhost:4318/"),
        Ok(CollectorUrl("http://localhost:4318".into()))
    );
    for text in [
        "https://x:4318",
        "localhost:4318",
        "http://",
        "http://u:p@x",
        "http://x?a=b",
    ] {
        assert!(CollectorUrl::parse(text).is_err(), "{text}");
    }
}

#[test]
fn public_and_private_keys_are_not_taken_for_each_other() {
    let private = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";
    let public = "-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n";
    assert!(PrivateKeyPem::parse(private).is_ok() && PublicKeysPem::parse(public).is_ok());
    assert!(PrivateKeyPem::parse(public).is_err() && PublicKeysPem::parse(private).is_err());
    assert_eq!(format!("{:?}", PrivateKeyPem::parse(private).unwrap()), REDACTED);
}

#[test]
fn log_settings_are_checked() {
    assert!(LogFilter::parse("info,praxis_http_kit=debug").is_ok());
    assert!(LogFilter::parse("praxis=loud").is_err());
    assert_eq!(LogFormat::parse("json"), Ok(LogFormat::Json));
    assert!(LogFormat::parse("JSON").is_err());
}
