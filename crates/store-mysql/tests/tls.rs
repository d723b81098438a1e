//! Is a server let in only if it is the one that the address names?

use praxis_event_store::port::StoreError;
use praxis_events::ids::LogId;
use praxis_store_mysql::log::{MySqlLog, MySqlLogOptions};
use praxis_store_mysql::migrate::migrate;
use praxis_store_mysql::views::{self, MySqlRegistry};
use praxis_testkit::certificates::{Authority, ServerCertificate};
use praxis_testkit::conformance::sample;
use praxis_testkit::servers::{MySqlServer, in_schema};

async fn server_with(authority: &Authority, certificate: &ServerCertificate) -> anyhow::Result<MySqlServer> {
    let options = [
        format!("--ssl-ca={}", authority.file().display()),
        format!("--ssl-cert={}", certificate.certificate.display()),
        format!("--ssl-key={}", certificate.key.display()),
    ];
    MySqlServer::start_with(&options.each_ref().map(String::as_str)).await
}

/// The server's address by the name `host`, as it is asked for by whoever trusts `authority`.
fn address(server: &MySqlServer, host: &str, mode: &str, authority: &Authority) -> String {
    let url = in_schema(&server.url(), "praxis_tls").replace("127.0.0.1", host);
    let url = url.replace("ssl-mode=REQUIRED", &format!("ssl-mode={mode}"));
    format!("{url}&ssl-ca={}", authority.file().display())
}

async fn open(url: &str) -> Result<MySqlLog, StoreError> {
    MySqlLog::open(url, MySqlLogOptions::default()).await
}

/// Refused for its certificate, and nothing of the address in all that is said.
fn assert_refused<T, E: std::error::Error + Send + Sync + 'static>(result: Result<T, E>, why: &str) {
    let said = result.map_or_else(
        |error| {
            let debug = format!("{error:?}");
            format!("{debug} {:#}", anyhow::Error::new(error))
        },
        |_| "let in".to_owned(),
    );
    assert!(said.contains("the database's certificate is refused"), "{said}");
    assert!(said.contains(why), "{said}");
    assert!(!said.contains("mysql://") && !said.contains("BEGIN"), "{said}");
}

#[tokio::test]
async fn only_the_server_that_the_address_names_is_let_in() -> anyhow::Result<()> {
    let (ours, other) = (Authority::named("Ours").await?, Authority::named("Other").await?);
    let server = server_with(&ours, &ours.certificate_for("DNS:localhost").await?).await?;
    let good = address(&server, "localhost", "VERIFY_IDENTITY", &ours);
    migrate(&good, LogId(sample::id(1))).await?;
    views::migrate(&good).await?;
    open(&good).await?;
    MySqlRegistry::open(&good).await?;

    let strangers = address(&server, "localhost", "VERIFY_IDENTITY", &other);
    assert_refused(open(&strangers).await, "UnknownIssuer");
    assert_refused(migrate(&strangers, LogId(sample::id(1))).await, "UnknownIssuer");
    assert_refused(views::migrate(&strangers).await, "UnknownIssuer");
    assert_refused(MySqlRegistry::open(&strangers).await, "UnknownIssuer");
    assert!(
        matches!(open(&strangers).await, Err(StoreError::Unavailable(_))),
        "who is ready tells by it, and who waits tries again"
    );

    let impostor = Authority::named("Ours").await?;
    let forged = address(&server, "localhost", "VERIFY_IDENTITY", &impostor);
    assert_refused(open(&forged).await, "BadSignature");

    let by_another_name = address(&server, "127.0.0.1", "VERIFY_IDENTITY", &ours);
    assert_refused(open(&by_another_name).await, "NotValidForName");
    open(&address(&server, "127.0.0.1", "VERIFY_CA", &ours)).await?;
    // What is refused above is refused for the certificate's sake only.
    open(&address(&server, "127.0.0.1", "REQUIRED", &other)).await?;
    Ok(())
}
