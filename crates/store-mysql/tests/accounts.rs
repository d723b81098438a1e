//! Are accounts what they should be afterwards, whatever they were before, and does a new password cut nobody off?
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is a test's report; clippy exempts test functions only"
)]

use std::sync::atomic::{AtomicU32, Ordering};

use praxis_event_store::port::StoreError;
use praxis_events::ids::LogId;
use praxis_store_mysql::accounts::applying::{Became, OldPasswords, apply};
use praxis_store_mysql::accounts::{Account, Role, Schemas};
use praxis_store_mysql::{migrate, views};
use praxis_testkit::servers::{in_schema, mysql_url};
use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use uuid::Uuid;

static WORLDS: AtomicU32 = AtomicU32::new(0);

/// Schemas and accounts of one test.
struct World {
    events: String,
    views: String,
    end: String,
}

impl World {
    fn new() -> Self {
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        let end = format!("{}_{number}", std::process::id());
        Self {
            events: format!("praxis_acc_{end}"),
            views: format!("praxis_acc_{end}_views"),
            end,
        }
    }

    fn schemas(&self) -> Schemas {
        Schemas::try_new(&self.events, &self.views).unwrap()
    }

    fn user(&self, role: Role) -> String {
        format!("{}_{}", role.name().replace('-', "_"), self.end)
    }

    fn url(&self, role: Role, password: &str, schema: &str) -> String {
        let url = in_schema(&mysql_url(), schema);
        let (_, place) = url.rsplit_once('@').unwrap();
        format!("mysql://{}:{password}@{place}", self.user(role))
    }

    fn accounts(&self, password: &str) -> Vec<Account> {
        Role::ALL
            .into_iter()
            .map(|role| Account::try_new(role, &[&self.url(role, password, &self.events)]).unwrap())
            .collect()
    }

    async fn apply(&self, password: &str, old: OldPasswords) -> Result<Vec<Became>, StoreError> {
        let accounts = self.accounts(password);
        apply(&admin(), &self.schemas(), &accounts, old).await
    }

    async fn lets_in(&self, role: Role, password: &str) -> bool {
        let url = self.url(role, password, "information_schema");
        MySqlConnection::connect(&url).await.is_ok()
    }

    /// What the server says each account may do.
    async fn rights(&self) -> Vec<String> {
        let mut all = Vec::new();
        for role in Role::ALL {
            let rows = run(&format!("SHOW GRANTS FOR '{}'@'%'", self.user(role))).await;
            all.extend(rows.iter().map(|row| row.get::<String, _>(0)));
        }
        all
    }

    async fn end(self) {
        for role in Role::ALL {
            run(&format!("DROP USER IF EXISTS '{}'@'%'", self.user(role))).await;
        }
        for schema in [&self.events, &self.views] {
            run(&format!("DROP DATABASE IF EXISTS `{schema}`")).await;
        }
    }
}

fn admin() -> String {
    in_schema(&mysql_url(), "mysql")
}

async fn run(statement: &str) -> Vec<MySqlRow> {
    let mut conn = MySqlConnection::connect(&admin()).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .fetch_all(&mut conn)
        .await
        .unwrap()
}

const FIRST: &str = "Invented-0001";
const SECOND: &str = "Invented-0002";

#[tokio::test]
async fn new_accounts_suffice_to_migrate_and_to_write_and_a_second_run_changes_nothing() {
    let world = World::new();
    let made = world.apply(FIRST, OldPasswords::Keep).await.unwrap();
    assert_eq!(made, [Became::Made; 4]);

    let log_id = LogId(Uuid::from_u128(1));
    migrate::migrate(&world.url(Role::Migrate, FIRST, &world.events), log_id)
        .await
        .unwrap();
    views::migrate(&world.url(Role::Migrate, FIRST, &world.views))
        .await
        .unwrap();
    let head = "UPDATE log_head SET position = position";
    for (role, writes) in [
        (Role::CommandApi, true),
        (Role::QueryApi, false),
        (Role::Projector, false),
    ] {
        let mut conn = MySqlConnection::connect(&world.url(role, FIRST, &world.events))
            .await
            .unwrap();
        assert_eq!(
            sqlx::raw_sql(head).execute(&mut conn).await.is_ok(),
            writes,
            "{role:?}"
        );
    }
    let (is_there, neighbour) = (format!("{}_7", world.views), world.views.replace('_', "x") + "_7");
    let mut projector = MySqlConnection::connect(&world.url(Role::Projector, FIRST, "information_schema"))
        .await
        .unwrap();
    for (schema, may) in [(&is_there, true), (&neighbour, false), (&world.events, false)] {
        let make = format!("CREATE DATABASE IF NOT EXISTS `{schema}`");
        let made = sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut projector).await;
        assert_eq!(made.is_ok(), may, "{schema}");
    }
    run(&format!("DROP DATABASE `{is_there}`")).await;

    let before = world.rights().await;
    let kept = world.apply(FIRST, OldPasswords::Keep).await.unwrap();
    assert_eq!(kept, [Became::Kept; 4]);
    assert_eq!(world.rights().await, before);
    world.end().await;
}

#[tokio::test]
async fn a_new_password_leaves_the_one_before_good_until_it_is_discarded() {
    let world = World::new();
    world.apply(FIRST, OldPasswords::Keep).await.unwrap();
    let changed = world.apply(SECOND, OldPasswords::Keep).await.unwrap();
    assert_eq!(changed, [Became::PasswordChanged; 4]);
    for password in [FIRST, SECOND] {
        assert!(world.lets_in(Role::CommandApi, password).await, "{password}");
    }
    assert_eq!(
        world.apply(SECOND, OldPasswords::Keep).await.unwrap(),
        [Became::Kept; 4]
    );
    assert!(
        world.lets_in(Role::CommandApi, FIRST).await,
        "a second run ends nothing"
    );

    world.apply(SECOND, OldPasswords::Discard).await.unwrap();
    assert!(world.lets_in(Role::CommandApi, SECOND).await);
    assert!(!world.lets_in(Role::CommandApi, FIRST).await);
    world.end().await;
}

#[tokio::test]
async fn a_change_that_is_taken_back_ends_with_the_password_it_began_with() {
    let world = World::new();
    world.apply(FIRST, OldPasswords::Keep).await.unwrap();
    world.apply(SECOND, OldPasswords::Keep).await.unwrap();
    world.apply(FIRST, OldPasswords::Discard).await.unwrap();
    assert!(world.lets_in(Role::Projector, FIRST).await);
    assert!(!world.lets_in(Role::Projector, SECOND).await);
    world.end().await;
}

#[tokio::test]
async fn rights_that_are_too_much_are_taken_and_tls_is_insisted_on() {
    let world = World::new();
    world.apply(FIRST, OldPasswords::Keep).await.unwrap();
    let before = world.rights().await;
    let (user, events) = (world.user(Role::QueryApi), world.events.replace('_', "\\_"));
    for more in [
        format!("GRANT INSERT, DROP ON `{events}`.* TO '{user}'@'%' WITH GRANT OPTION"),
        format!("GRANT SELECT ON `another\\_one`.* TO '{user}'@'%'"),
        format!("GRANT PROCESS, BACKUP_ADMIN ON *.* TO '{user}'@'%' WITH GRANT OPTION"),
        format!("ALTER USER '{user}'@'%' REQUIRE NONE"),
    ] {
        run(&more).await;
    }
    assert_ne!(world.rights().await, before);
    world.apply(FIRST, OldPasswords::Keep).await.unwrap();
    assert_eq!(world.rights().await, before);
    let in_the_clear = world
        .url(Role::QueryApi, FIRST, "information_schema")
        .replace("REQUIRED", "DISABLED");
    assert!(MySqlConnection::connect(&in_the_clear).await.is_err());
    world.end().await;
}

#[tokio::test]
async fn an_address_that_gives_up_tls_takes_no_password_for_a_new_one() {
    let world = World::new();
    world.apply(FIRST, OldPasswords::Keep).await.unwrap();
    world.apply(SECOND, OldPasswords::Keep).await.unwrap();
    let in_the_clear = world
        .url(Role::QueryApi, SECOND, &world.events)
        .replace("REQUIRED", "DISABLED");
    let account = Account::try_new(Role::QueryApi, &[&in_the_clear]).unwrap();
    let became = apply(&admin(), &world.schemas(), &[account], OldPasswords::Keep).await;
    assert_eq!(became.unwrap(), [Became::Kept]);
    assert!(
        world.lets_in(Role::QueryApi, FIRST).await,
        "the one before is good still"
    );
    world.end().await;
}

#[tokio::test]
async fn nothing_that_lasts_holds_a_password_in_the_clear() {
    let world = World::new();
    let status = run("SHOW BINARY LOG STATUS").await;
    let (file, position): (String, u64) = (status[0].get(0), status[0].get(1));
    world.apply(FIRST, OldPasswords::Keep).await.unwrap();
    world.apply(SECOND, OldPasswords::Discard).await.unwrap();
    let events = run(&format!("SHOW BINLOG EVENTS IN '{file}' FROM {position}")).await;
    let texts: Vec<String> = events.iter().map(|row| row.get::<String, _>("Info")).collect();
    let own = world.user(Role::Migrate);
    assert!(
        texts
            .iter()
            .any(|text| text.contains("CREATE USER") && text.contains(&own))
    );
    assert!(!texts.iter().any(|text| text.contains("Invented")));
    world.end().await;
}

#[tokio::test]
async fn who_may_not_grant_or_would_change_its_own_account_is_told_so() {
    let world = World::new();
    world.apply(FIRST, OldPasswords::Keep).await.unwrap();
    let (schemas, accounts) = (world.schemas(), world.accounts(SECOND));
    let migrate = world.url(Role::Migrate, FIRST, "information_schema");
    let refused = |outcome: Result<Vec<Became>, StoreError>| match outcome {
        Err(StoreError::Unfit(text)) => {
            assert!(!text.contains("Invented"), "{text}");
            text
        }
        other => panic!("{other:?}"),
    };
    let own = refused(apply(&migrate, &schemas, &accounts, OldPasswords::Keep).await);
    assert!(
        own.starts_with("migrate: its account is the one that grants"),
        "{own}"
    );
    refused(apply(&migrate, &schemas, &accounts[1..], OldPasswords::Keep).await);
    let wrong = migrate.replace(FIRST, SECOND);
    let wrong = refused(apply(&wrong, &schemas, &accounts[1..], OldPasswords::Keep).await);
    assert_eq!(wrong, "the server refuses the account or its password");
    assert!(
        world.lets_in(Role::CommandApi, FIRST).await,
        "nothing was changed"
    );
    world.end().await;
}
