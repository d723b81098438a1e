//! Where is the MySQL or Kafka that this test may use?
//!
//! Most tests share one server of each kind, given by the environment ([`mysql_url`], [`kafka_brokers`]), and keep
//! apart by schema and topic names. A test that kills its server starts one of its own ([`MySqlServer`],
//! [`KafkaServer`]).

mod kafka;
mod mysql;
mod scripted;

use std::path::{Path, PathBuf};

pub use kafka::KafkaServer;
pub use mysql::MySqlServer;

/// The shared MySQL server: `mysql://user:password@host:port/?ssl-mode=REQUIRED`, without a schema.
///
/// Its user may create schemas and users. Panics when the environment has none.
pub fn mysql_url() -> String {
    required("PRAXIS_TEST_MYSQL_URL")
}

/// The shared Kafka: `host:port`. Panics when the environment has none.
pub fn kafka_brokers() -> String {
    required("PRAXIS_TEST_KAFKA_BROKERS")
}

/// The same address with `schema` as its path.
pub fn in_schema(url: &str, schema: &str) -> String {
    let (address, parameters) = url.split_once('?').map_or((url, None), |(a, p)| (a, Some(p)));
    let authority_at = address.find("://").map_or(0, |at| at + 3);
    let authority_end = address[authority_at..]
        .find('/')
        .map_or(address.len(), |at| authority_at + at);
    let query = parameters.map(|p| format!("?{p}")).unwrap_or_default();
    format!("{}/{schema}{query}", &address[..authority_end])
}

fn required(name: &str) -> String {
    environment(name).unwrap_or_else(|| {
        panic!("{name} is not set: run the tests through `make test`, or scripts/dev-services.sh run -- cargo test")
    })
}

#[allow(
    clippy::disallowed_methods,
    reason = "the test environment is no setting of the product"
)]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The checkout this crate was built from.
pub fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("this crate lies two folders below the root")
        .to_path_buf()
}

/// A folder for data that is thrown away, on the same file system as the server installs (`/tmp` may be memory,
/// where durability would mean nothing).
fn scratch_dir() -> PathBuf {
    let dev_dir = environment("PRAXIS_DEV_DIR").map_or_else(|| workspace_root().join(".dev"), PathBuf::from);
    dev_dir.join("run")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_is_put_before_the_parameters() {
        assert_eq!(
            in_schema("mysql://u:p@127.0.0.1:3306/?ssl-mode=REQUIRED", "praxis_a"),
            "mysql://u:p@127.0.0.1:3306/praxis_a?ssl-mode=REQUIRED"
        );
    }

    #[test]
    fn schema_replaces_another_and_needs_no_slash_before() {
        assert_eq!(in_schema("mysql://h:1/old", "new"), "mysql://h:1/new");
        assert_eq!(in_schema("mysql://h:1?a=b", "new"), "mysql://h:1/new?a=b");
    }
}
