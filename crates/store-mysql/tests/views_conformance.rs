//! Does the MySQL adapter keep the promises of the read models' ports?

use std::sync::Arc;

use praxis_store_mysql::views::{MySqlRegistry, migrate};
use praxis_testkit::conformance::Outcome;
use praxis_testkit::views_conformance::RegistryUnderTest;

use read_database::ReadDatabase;

#[allow(dead_code, reason = "each test program uses its part")]
mod read_database;
#[allow(dead_code, reason = "each test program uses its part")]
mod schema;

async fn fresh_registry() -> Outcome<RegistryUnderTest> {
    let database = ReadDatabase::named().await?;
    let url = database.registry().url();
    migrate(&url).await?;
    Ok(RegistryUnderTest {
        registry: Arc::new(MySqlRegistry::open(&url).await?),
        guard: Box::new(database),
    })
}

praxis_testkit::views_conformance!(fresh_registry);
