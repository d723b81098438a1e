//! Which settings are there? One line each; the reference page and `config check` follow from it.

use std::net::SocketAddr;
use std::num::NonZeroU8;
use std::path::PathBuf;
use std::time::Duration;

use uuid::Uuid;

use super::setting::Program::{CommandApi, Operator, Projector, QueryApi, Serve};
use super::setting::{Program, Setting, Spec};
use super::values::{
    Brokers, CertificatesPem, CollectorUrl, DatabaseUrl, KafkaSecurity, KeyRing, LogFilter, LogFormat,
    PrivateKeyPem, PublicKeysPem, SaslMechanism, SecretText,
};

macro_rules! settings {
    ($($name:ident: $type:ty = $setting:expr;)+) => {
        $(
            #[doc = concat!("The setting `PRAXIS_", stringify!($name), "`.")]
            pub static $name: Setting<$type> = $setting;
        )+

        /// Every setting, in the order of the reference page.
        pub static ALL: &[&Spec] = &[$(&$name.spec),+];
    };
}

const SERVERS: &[Program] = &[Serve, CommandApi, QueryApi, Projector];
const APIS: &[Program] = &[Serve, CommandApi, QueryApi];
const WRITERS: &[Program] = &[Serve, CommandApi, Operator];
const ON_KAFKA: &[Program] = &[CommandApi, Projector];
const ON_DATABASE: &[Program] = &[CommandApi, QueryApi, Projector, Operator];

settings! {
    LISTEN: SocketAddr = Setting::new("PRAXIS_LISTEN", "address of the public API").or_tiered("127.0.0.1:8080", "0.0.0.0:8080").read_by(APIS);
    ADMIN_LISTEN: SocketAddr = Setting::new("PRAXIS_ADMIN_LISTEN", "address of /metrics, /health and /ready").or_tiered("127.0.0.1:9090", "0.0.0.0:9090").read_by(SERVERS);
    DATA: PathBuf = Setting::new("PRAXIS_DATA", "directory of the SQLite files, owned by one process at a time").or("praxis-data").read_by(&[Serve, Operator]);
    EVENTS_URL: DatabaseUrl = Setting::new("PRAXIS_EVENTS_URL", "MySQL schema of the event store").read_by(ON_DATABASE).required_by(Program::SERVICES);
    VIEWS_URL: DatabaseUrl = Setting::new("PRAXIS_VIEWS_URL", "MySQL base schema of the read models; generations are schemas beside it").read_by(ON_DATABASE).required_by(&[QueryApi, Projector]);
    DATABASE_CA: CertificatesPem = Setting::new("PRAXIS_DATABASE_CA", "certificates of who vouches for the MySQL server; with them its certificate and name are verified, whatever the URLs ask for").read_by(ON_DATABASE);
    KAFKA_BROKERS: Brokers = Setting::new("PRAXIS_KAFKA_BROKERS", "Kafka bootstrap servers").read_by(&[CommandApi, Projector, Operator]).required_by(&[CommandApi, Projector]);
    KAFKA_TOPIC: String = Setting::new("PRAXIS_KAFKA_TOPIC", "topic the events are published to").or("praxis.events.v1").read_by(&[CommandApi, Projector, Operator]);
    KAFKA_PARTITIONS: u32 = Setting::new("PRAXIS_KAFKA_PARTITIONS", "partitions of the topic, decided once when it is created").or("12").between(1, 1024).read_by(&[CommandApi, Projector, Operator]);
    KAFKA_REPLICATION: u32 = Setting::new("PRAXIS_KAFKA_REPLICATION", "replicas of a topic that has to be created; by default three, or as many as there are brokers").between(1, 15).read_by(ON_KAFKA);
    KAFKA_MIN_IN_SYNC_REPLICAS: u32 = Setting::new("PRAXIS_KAFKA_MIN_IN_SYNC_REPLICAS", "replicas of such a topic that must have a message before it counts as published; by default all but one").between(1, 15).read_by(ON_KAFKA);
    KAFKA_RETENTION_HOURS: u32 = Setting::new("PRAXIS_KAFKA_RETENTION_HOURS", "time for which such a topic keeps messages, in hours; who lags further reads the log").or("168").between(1, 87_600).read_by(ON_KAFKA);
    KAFKA_SECURITY: KafkaSecurity = Setting::new("PRAXIS_KAFKA_SECURITY", "protocol spoken with Kafka").or("plaintext").read_by(ON_KAFKA);
    KAFKA_CA: CertificatesPem = Setting::new("PRAXIS_KAFKA_CA", "certificates of who vouches for the brokers; by default those the system trusts").read_by(ON_KAFKA);
    KAFKA_CERTIFICATE: CertificatesPem = Setting::new("PRAXIS_KAFKA_CERTIFICATE", "certificate shown to the brokers, where they ask for one").read_by(ON_KAFKA);
    KAFKA_CERTIFICATE_KEY: PrivateKeyPem = Setting::new("PRAXIS_KAFKA_CERTIFICATE_KEY", "private key of that certificate").read_by(ON_KAFKA);
    KAFKA_SASL_MECHANISM: SaslMechanism = Setting::new("PRAXIS_KAFKA_SASL_MECHANISM", "mechanism by which the password is proved, for the sasl protocols").read_by(ON_KAFKA);
    KAFKA_USERNAME: String = Setting::new("PRAXIS_KAFKA_USERNAME", "name to be let in under, for the sasl protocols").read_by(ON_KAFKA);
    KAFKA_PASSWORD: SecretText = Setting::new("PRAXIS_KAFKA_PASSWORD", "password of that name").read_by(ON_KAFKA);
    KAFKA_GROUP: String = Setting::new("PRAXIS_KAFKA_GROUP", "consumer group; by default praxis-views- and the fingerprint of the folds").read_by(&[Projector, Operator]);
    KEK: KeyRing<Uuid> = Setting::new("PRAXIS_KEK", "keys that wrap the data keys of persons, the current one first").read_by(Program::ALL).required_by(Program::SERVICES);
    CLAIMS_KEY: KeyRing<NonZeroU8> = Setting::new("PRAXIS_CLAIMS_KEY", "keys of the HMACs over personal claim members and request bodies, the current one first").read_by(WRITERS).required_by(&[CommandApi]);
    JWT_PUBLIC_KEYS: PublicKeysPem = Setting::new("PRAXIS_JWT_PUBLIC_KEYS", "RSA public keys that access tokens are trusted by; their ids are RFC 7638 thumbprints").read_by(APIS).required_by(Program::APIS);
    JWT_PRIVATE_KEY: PrivateKeyPem = Setting::new("PRAXIS_JWT_PRIVATE_KEY", "RSA private key that mints access tokens").read_by(WRITERS);
    JWT_ISSUER: String = Setting::new("PRAXIS_JWT_ISSUER", "issuer of access tokens").or("praxis").read_by(&[Serve, CommandApi, QueryApi, Operator]);
    JWT_AUDIENCE: String = Setting::new("PRAXIS_JWT_AUDIENCE", "audience of access tokens").or("praxis").read_by(&[Serve, CommandApi, QueryApi, Operator]);
    LOG: LogFilter = Setting::new("PRAXIS_LOG", "log lines that are written, as target=level pairs").or("info");
    LOG_FORMAT: LogFormat = Setting::new("PRAXIS_LOG_FORMAT", "form of log lines").or_tiered("text", "json");
    OTLP_ENDPOINT: CollectorUrl = Setting::new("PRAXIS_OTLP_ENDPOINT", "OpenTelemetry collector that traces are sent to, by OTLP over HTTP; /v1/traces is appended").read_by(SERVERS);
    QUEUE_MEMBERS_MAX: usize = Setting::new("PRAXIS_QUEUE_MEMBERS_MAX", "most appends that wait for the sequencer; more are answered 503").or("8192").between(1, 1_000_000).read_by(WRITERS);
    QUEUE_BYTES_MAX: usize = Setting::new("PRAXIS_QUEUE_BYTES_MAX", "most bytes that wait for the sequencer; more are answered 503").or("67108864").between(1_048_576, 17_179_869_184).read_by(WRITERS);
    CACHE_ENTRIES_MAX: usize = Setting::new("PRAXIS_CACHE_ENTRIES_MAX", "most records kept in memory to decide commands on").or("20000").between(1, 10_000_000).read_by(WRITERS);
    EARLY_ARRIVAL_MINUTES_MAX: u32 = Setting::new("PRAXIS_EARLY_ARRIVAL_MINUTES_MAX", "longest time before its start that a patient arrives or checks in, in minutes").or("60").between(0, 720).read_by(WRITERS);
    NO_SHOW_AFTER_MINUTES: u32 = Setting::new("PRAXIS_NO_SHOW_AFTER_MINUTES", "time after its start from which a booking may be marked as missed, in minutes").or("15").between(0, 1_440).read_by(WRITERS);
    PATIENT_CANCEL_HOURS_MIN: u32 = Setting::new("PRAXIS_PATIENT_CANCEL_HOURS_MIN", "least time ahead of its start that a patient still cancels or moves a booking, in hours").or("24").between(0, 8_760).read_by(WRITERS);
    SELF_BOOKING_NOTICE_MINUTES_MIN: u32 = Setting::new("PRAXIS_SELF_BOOKING_NOTICE_MINUTES_MIN", "least time ahead of its start that a patient still books a visit, in minutes").or("120").between(0, 525_600).read_by(WRITERS);
    SELF_BOOKING_VISIT_MINUTES_MAX: u32 = Setting::new("PRAXIS_SELF_BOOKING_VISIT_MINUTES_MAX", "longest visit that a patient books, in minutes").or("60").between(1, 10_080).read_by(WRITERS);
    HORIZON_DAYS_MAX: u32 = Setting::new("PRAXIS_HORIZON_DAYS_MAX", "longest time ahead that anything is booked, in days").or("180").between(1, 3_650).read_by(WRITERS);
    VISIT_MINUTES_MAX: u32 = Setting::new("PRAXIS_VISIT_MINUTES_MAX", "longest visit that anybody books, in minutes").or("1440").between(1, 10_080).read_by(WRITERS);
    OPEN_BOOKINGS_MAX: u32 = Setting::new("PRAXIS_OPEN_BOOKINGS_MAX", "most bookings of one patient that are open and not over").or("10").between(1, 1_000).read_by(WRITERS);
    THREAD_PARTICIPANTS_MAX: u32 = Setting::new("PRAXIS_THREAD_PARTICIPANTS_MAX", "most participants of a conversation").or("50").between(1, 1_000).read_by(WRITERS);
    DRAIN: Duration = Setting::new("PRAXIS_DRAIN", "time for which requests are still taken when asked to stop, not ready, so that a gateway learns of it; before the grace").or_tiered("0s", "3s").read_by(APIS);
    SHUTDOWN_GRACE: Duration = Setting::new("PRAXIS_SHUTDOWN_GRACE", "longest time to finish work when asked to stop").or_but_projector("25s", "55s").read_by(SERVERS);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_prefixed() {
        let names: BTreeSet<_> = ALL.iter().map(|spec| spec.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(names.iter().all(|name| name.starts_with("PRAXIS_")));
    }

    #[test]
    fn every_default_is_a_good_value() {
        for spec in ALL {
            for program in Program::ALL {
                let default = spec.default_of(*program);
                assert_eq!(
                    default.map_or(Ok(()), |text| spec.check(text)),
                    Ok(()),
                    "{}",
                    spec.name
                );
            }
        }
    }

    #[test]
    fn who_needs_a_setting_reads_it_and_it_has_no_default() {
        for spec in ALL {
            for program in spec.required_by {
                assert!(spec.read_by.contains(program), "{}", spec.name);
                assert_eq!(spec.default_of(*program), None, "{}", spec.name);
            }
        }
    }

    #[test]
    fn services_listen_on_every_interface_and_praxis_serve_on_this_machine_only() {
        assert_eq!(LISTEN.spec.default_of(Serve), Some("127.0.0.1:8080"));
        assert_eq!(LISTEN.spec.default_of(CommandApi), Some("0.0.0.0:8080"));
        assert_eq!(ADMIN_LISTEN.spec.default_of(Projector), Some("0.0.0.0:9090"));
    }
}
