//! Does the SQLite adapter keep the promises of the read models' ports?

use std::sync::Arc;

use praxis_store_sqlite::views::SqliteRegistry;
use praxis_testkit::conformance::Outcome;
use praxis_testkit::views_conformance::RegistryUnderTest;

async fn fresh_registry() -> Outcome<RegistryUnderTest> {
    let directory = tempfile::tempdir()?;
    let registry = Arc::new(SqliteRegistry::open(directory.path()).await?);
    Ok(RegistryUnderTest {
        registry,
        guard: Box::new(directory),
    })
}

praxis_testkit::views_conformance!(fresh_registry);
