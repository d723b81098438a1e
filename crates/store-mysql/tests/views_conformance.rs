//! Does the MySQL adapter keep the promises of the read models' ports?

use std::sync::Arc;

use praxis_store_mysql::views::{MySqlRegistry, migrate};
use praxis_testkit::conformance::Outcome;
use praxis_testkit::views_conformance::RegistryUnderTest;

use generations::Generations;

#[allow(dead_code, reason = "each test program uses its part")]
mod generations;
#[allow(dead_code, reason = "each test program uses its part")]
mod schema;

async fn fresh_registry() -> Outcome<RegistryUnderTest> {
    let generations = Generations::named().await?;
    let url = generations.registry().url();
    migrate(&url).await?;
    Ok(RegistryUnderTest {
        registry: Arc::new(MySqlRegistry::open(&url).await?),
        guard: Box::new(generations),
    })
}

praxis_testkit::views_conformance!(fresh_registry);
