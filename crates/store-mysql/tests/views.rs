//! What does the MySQL adapter of read models promise beyond its ports: who may use it, and what when it fails?
#![allow(clippy::panic, reason = "a test helper says what it got")]

use std::num::NonZeroU32;
use std::time::Duration;

use praxis_read_models::registry::{GenerationState, Registry};
use praxis_read_models::views::{ParkedEvent, ViewsError};
use praxis_store_mysql::views::{MySqlRegistry, migrate};
use praxis_testkit::conformance::sample;
use praxis_testkit::history::history;
use praxis_testkit::rows::Rows;
use praxis_testkit::views_conformance::{PARTITIONS, checkpoint, load, save};

use read_database::ReadDatabase;

#[allow(dead_code, reason = "each test program uses its part")]
mod read_database;
#[allow(dead_code, reason = "each test program uses its part")]
mod schema;

async fn opened() -> anyhow::Result<(ReadDatabase, MySqlRegistry)> {
    let database = ReadDatabase::named().await?;
    migrate(&database.registry().url()).await?;
    let registry = MySqlRegistry::open(&database.registry().url()).await?;
    Ok((database, registry))
}

/// The text of a refusal to be used as it is.
fn unfit<T>(result: Result<T, ViewsError>) -> String {
    match result {
        Err(ViewsError::Unfit(why)) => why,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was fit for use"),
    }
}

#[tokio::test]
async fn without_a_registry_the_operator_is_told_to_migrate() -> anyhow::Result<()> {
    let database = ReadDatabase::named().await?;
    let url = database.registry().url();
    assert!(unfit(MySqlRegistry::open(&url).await).contains("praxis migrate"));
    let name = database.registry().name();
    database
        .registry()
        .run(format!("CREATE DATABASE `{name}`"))
        .await?;
    assert!(unfit(MySqlRegistry::open(&url).await).contains("praxis migrate"));
    Ok(())
}

#[tokio::test]
async fn migrating_again_changes_nothing() -> anyhow::Result<()> {
    let (database, registry) = opened().await?;
    let generation = registry.register(PARTITIONS, 1).await?;
    migrate(&database.registry().url()).await?;
    assert_eq!(registry.generations().await?, [generation]);
    Ok(())
}

#[tokio::test]
async fn addresses_that_cannot_name_generations_are_refused() {
    for url in [
        "mysql://u:secret@127.0.0.1:1/",
        "mysql://u:secret@127.0.0.1:1/a`b",
        "postgres://u:secret@127.0.0.1:1/views",
    ] {
        let why = unfit(migrate(url).await);
        assert!(!why.contains("secret"), "{why}");
    }
    let too_long = format!("mysql://u@127.0.0.1:1/{}", "v".repeat(54));
    assert!(unfit(migrate(&too_long).await).contains("at most 53"));
}

#[tokio::test]
async fn a_generation_of_other_folds_is_not_opened() -> anyhow::Result<()> {
    let (database, registry) = opened().await?;
    let number = registry.register(PARTITIONS, 1).await?.number;
    let name = database.registry().name();
    database
        .registry()
        .run(format!(
            "UPDATE `{name}`.generations SET fingerprint = X'0123456789abcdef'"
        ))
        .await?;
    let known = registry.generations().await?;
    assert_eq!(known[0].fingerprint.to_string(), "0123456789abcdef");
    assert!(unfit(registry.open_views(number).await).contains("0123456789abcdef"));
    assert!(unfit(registry.open_reads(number).await).contains("0123456789abcdef"));
    Ok(())
}

/// Its tables may be in use by somebody: another registry, or this one before it was restored to an earlier state.
#[tokio::test]
async fn a_schema_that_is_there_already_is_not_taken() -> anyhow::Result<()> {
    let (database, registry) = opened().await?;
    let taken = database.name_of(1);
    database
        .registry()
        .run(format!("CREATE DATABASE `{taken}`"))
        .await?;
    assert!(unfit(registry.register(PARTITIONS, 1).await).contains(&taken));
    let states: Vec<_> = registry
        .generations()
        .await?
        .iter()
        .map(|known| known.state)
        .collect();
    assert_eq!(
        states,
        [GenerationState::Retired],
        "nobody waits for it to be filled"
    );
    assert_eq!(registry.register(PARTITIONS, 2).await?.number, 2);
    Ok(())
}

/// An account of this test alone.
async fn account(database: &ReadDatabase, grants: &[&str]) -> anyhow::Result<String> {
    let name = format!(
        "v_{}",
        database.registry().name().trim_start_matches("praxis_store_")
    );
    let admin = database.registry();
    admin
        .run(format!("CREATE USER '{name}'@'%' IDENTIFIED BY 'Invented-1'"))
        .await?;
    for grant in grants {
        admin.run(format!("GRANT {grant} TO '{name}'@'%'")).await?;
    }
    Ok(name)
}

#[tokio::test]
async fn an_account_that_may_not_make_schemas_is_told_what_to_be_granted() -> anyhow::Result<()> {
    let (database, _) = opened().await?;
    let base = database.registry().name().to_owned();
    let name = account(&database, &[&format!("SELECT, INSERT, UPDATE ON `{base}`.*")]).await?;
    let url = database.registry().url_as(&name, "Invented-1", "REQUIRED");
    let registry = MySqlRegistry::open(&url).await?;
    let why = unfit(registry.register(PARTITIONS, 1).await);
    assert!(
        why.contains("CREATE") && why.contains(&database.name_of(1)),
        "{why}"
    );
    let pattern = base.replace('_', "\\_");
    let rights = "CREATE, INDEX, SELECT, INSERT, UPDATE, DELETE";
    let admin = database.registry();
    admin
        .run(format!("GRANT {rights} ON `{pattern}\\_%`.* TO '{name}'@'%'"))
        .await?;
    let number = registry.register(PARTITIONS, 1).await?.number;
    let views = registry.open_views(number).await?;
    let rows = Rows::of(&history(3, 40));
    let mut tx = views.begin().await?;
    save(tx.as_mut(), &rows).await?;
    assert_eq!(load(tx.as_mut(), &rows).await?, rows);
    tx.commit().await?;
    admin.run(format!("DROP USER '{name}'@'%'")).await?;
    Ok(())
}

/// What the query API is given.
#[tokio::test]
async fn an_account_that_may_only_read_reads() -> anyhow::Result<()> {
    let (database, registry) = opened().await?;
    let number = registry.register(PARTITIONS, 1).await?.number;
    let pattern = database.registry().name().replace('_', "\\_");
    let name = account(
        &database,
        &[
            &format!("SELECT ON `{pattern}`.*"),
            &format!("SELECT ON `{pattern}\\_%`.*"),
        ],
    )
    .await?;
    let url = database.registry().url_as(&name, "Invented-1", "REQUIRED");
    let reader = MySqlRegistry::open(&url).await?;
    let reads = reader.open_reads(number).await?;
    assert_eq!(reads.patients_page(None, 1).await?, []);
    let views = reader.open_views(number).await?;
    assert!(unfit(views.start_partitions(&[checkpoint(0, 0)]).await).contains("privilege"));
    database.registry().run(format!("DROP USER '{name}'@'%'")).await?;
    Ok(())
}

/// Two projectors, each with its own partition, write neighbouring rows at the same time.
#[tokio::test]
async fn projectors_of_different_partitions_do_not_wait_for_each_other() -> anyhow::Result<()> {
    let (_database, registry) = opened().await?;
    let number = registry.register(PARTITIONS, 1).await?.number;
    let views = registry.open_views(number).await?;
    views
        .start_partitions(&[checkpoint(0, 0), checkpoint(1, 0)])
        .await?;
    let rows = Rows::of(&history(7, 800));
    let (even, odd) = (every_other(&rows, 0), every_other(&rows, 1));
    for round in 0..2 {
        let mut first = views.begin().await?;
        let mut second = views.begin().await?;
        assert!(
            first
                .move_checkpoint(&checkpoint(0, round), &checkpoint(0, round + 1))
                .await?
        );
        assert!(
            second
                .move_checkpoint(&checkpoint(1, round), &checkpoint(1, round + 1))
                .await?
        );
        save(first.as_mut(), &even).await?;
        save(second.as_mut(), &odd).await?;
        save(first.as_mut(), &even).await?;
        first.commit().await?;
        second.commit().await?;
    }
    let mut tx = views.begin().await?;
    assert_eq!(load(tx.as_mut(), &rows).await?, rows);
    Ok(())
}

/// Every second row of each model.
fn every_other(rows: &Rows, first: usize) -> Rows {
    macro_rules! thinned {
        ($model:ident) => {
            rows.$model
                .iter()
                .skip(first)
                .step_by(2)
                .map(|(id, row)| (*id, row.clone()))
                .collect()
        };
    }
    Rows {
        patients: thinned!(patients),
        practitioners: thinned!(practitioners),
        locations: thinned!(locations),
        appointments: thinned!(appointments),
        threads: thinned!(threads),
        messages: thinned!(messages),
    }
}

/// Ends every connection to a generation, as a server that restarts would.
async fn cut(database: &ReadDatabase, number: u32) -> anyhow::Result<()> {
    let list = format!(
        "SELECT ID FROM performance_schema.processlist WHERE DB = '{}'",
        database.name_of(number)
    );
    for row in database.registry().run(list).await? {
        let id: u64 = sqlx::Row::try_get(&row, 0)?;
        database.registry().run(format!("KILL {id}")).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_cut_connection_rolls_back_and_the_next_transaction_goes_on() -> anyhow::Result<()> {
    let (database, registry) = opened().await?;
    let number = registry.register(PARTITIONS, 1).await?.number;
    let views = registry.open_views(number).await?;
    views.start_partitions(&[checkpoint(0, 0)]).await?;
    let rows = Rows::of(&history(7, 60));
    let mut tx = views.begin().await?;
    assert!(tx.move_checkpoint(&checkpoint(0, 0), &checkpoint(0, 60)).await?);
    cut(&database, number).await?;
    let failed = save(tx.as_mut(), &rows).await;
    let failed = failed.unwrap_err().downcast::<ViewsError>()?;
    assert!(matches!(failed, ViewsError::Unavailable(_)), "{failed:?}");
    let refused = tx.commit().await;
    assert!(refused.is_err(), "a transaction that lost rows was committed");
    let mut tx = views.begin().await?;
    assert!(tx.move_checkpoint(&checkpoint(0, 0), &checkpoint(0, 60)).await?);
    save(tx.as_mut(), &rows).await?;
    tx.commit().await?;
    assert_eq!(views.checkpoints().await?, [checkpoint(0, 60)]);
    Ok(())
}

fn parked(code: String) -> ParkedEvent {
    ParkedEvent {
        stream_type: "patient".to_owned(),
        stream_id: sample::id(1),
        partition: 0,
        position: 1,
        stream_version: 1,
        event_type: "patient.registered".to_owned(),
        code,
    }
}

/// A failed statement leaves the connection alive, and rows before it in the transaction.
#[tokio::test]
async fn nothing_is_committed_after_a_failed_statement() -> anyhow::Result<()> {
    let (_database, registry) = opened().await?;
    let number = registry.register(PARTITIONS, 1).await?.number;
    let views = registry.open_views(number).await?;
    let rows = Rows::of(&history(7, 60));
    let mut tx = views.begin().await?;
    save(tx.as_mut(), &rows).await?;
    let park = tx.park(&[parked("c".repeat(65))]).await;
    assert!(matches!(park, Err(ViewsError::Refused(_))), "{park:?}");
    assert!(tx.save_locations(&[]).await.is_err(), "it went on");
    assert!(tx.commit().await.is_err());
    let mut tx = views.begin().await?;
    assert_eq!(load(tx.as_mut(), &rows).await?, Rows::default());
    Ok(())
}

#[tokio::test]
async fn generations_registered_at_once_get_schemas_of_their_own() -> anyhow::Result<()> {
    let (database, registry) = opened().await?;
    let partitions = NonZeroU32::MIN;
    let (first, second) = tokio::join!(registry.register(partitions, 1), registry.register(partitions, 2));
    let mut numbers = [first?.number, second?.number];
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2]);
    for number in numbers {
        let name = database.name_of(number);
        let tables = format!("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{name}'");
        assert_eq!(database.registry().number(tables).await?, 10);
    }
    Ok(())
}

/// As two projectors that start at once after a release: each has a registry of its own.
#[tokio::test]
async fn of_two_processes_one_registers_the_first_generation() -> anyhow::Result<()> {
    let (database, one) = opened().await?;
    let other = MySqlRegistry::open(&database.registry().url()).await?;
    let (a, b) = tokio::join!(
        one.register_after(None, PARTITIONS, 1),
        other.register_after(None, PARTITIONS, 2)
    );
    let registered: Vec<_> = [a?, b?].into_iter().flatten().collect();
    assert_eq!(registered.len(), 1);
    assert_eq!(one.generations().await?, registered);
    Ok(())
}

#[tokio::test]
async fn a_removed_generation_leaves_no_schema() -> anyhow::Result<()> {
    let (database, registry) = opened().await?;
    let number = registry.register(PARTITIONS, 1).await?.number;
    let read_before = registry.open_reads(number).await?;
    read_before.patients_page(None, 1).await?;
    let (from, to) = (GenerationState::Building, GenerationState::Retired);
    assert!(registry.set_state(number, from, to).await?);
    assert_eq!(registry.remove_retired(Duration::ZERO).await?, [number]);
    let name = database.name_of(number);
    let schemas = format!("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '{name}'");
    assert_eq!(database.registry().number(schemas).await?, 0);
    let read_after = read_before.patients_page(None, 1).await;
    assert!(matches!(read_after, Err(ViewsError::Unfit(_))), "{read_after:?}");
    Ok(())
}

/// A removal that was cut off after the schema went is finished by the next.
#[tokio::test]
async fn a_removal_cut_off_is_finished() -> anyhow::Result<()> {
    let (database, registry) = opened().await?;
    let number = registry.register(PARTITIONS, 1).await?.number;
    let (from, to) = (GenerationState::Building, GenerationState::Retired);
    assert!(registry.set_state(number, from, to).await?);
    let name = database.name_of(number);
    database.registry().run(format!("DROP DATABASE `{name}`")).await?;
    assert_eq!(registry.remove_retired(Duration::ZERO).await?, [number]);
    assert_eq!(registry.generations().await?, []);
    Ok(())
}

/// What an account may not look at may well be there.
#[tokio::test]
async fn only_what_the_server_says_is_missing_is_not_in_place() -> anyhow::Result<()> {
    let (database, registry) = opened().await?;
    let number = registry.register(PARTITIONS, 1).await?.number;
    let (base, schema) = (database.registry().name(), database.name_of(number));
    let name = account(&database, &[&format!("SELECT ON `{base}`.*")]).await?;
    let url = database.registry().url_as(&name, "Invented-1", "REQUIRED");
    let stranger = MySqlRegistry::open(&url).await?;
    assert!(stranger.is_in_place(number).await.is_err());
    let admin = database.registry();
    admin.run(format!("DROP USER '{name}'@'%'")).await?;
    assert!(registry.is_in_place(number).await?);
    admin.run(format!("DROP TABLE `{schema}`.checkpoints")).await?;
    assert!(!registry.is_in_place(number).await?);
    admin.run(format!("DROP DATABASE `{schema}`")).await?;
    assert!(!registry.is_in_place(number).await?);
    Ok(())
}

/// The number was taken, but the schema at its name is not of this registry.
#[tokio::test]
async fn a_schema_that_was_never_ours_is_not_dropped() -> anyhow::Result<()> {
    let (database, registry) = opened().await?;
    let taken = database.name_of(1);
    database
        .registry()
        .run(format!("CREATE DATABASE `{taken}`"))
        .await?;
    unfit(registry.register(PARTITIONS, 1).await);
    assert_eq!(registry.remove_retired(Duration::ZERO).await?, [0_u32; 0]);
    let schemas = format!("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '{taken}'");
    assert_eq!(database.registry().number(schemas).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_registry_of_an_earlier_version_is_expanded() -> anyhow::Result<()> {
    let (database, registry) = opened().await?;
    let generation = registry.register(PARTITIONS, 1).await?;
    let name = database.registry().name();
    database
        .registry()
        .run(format!("ALTER TABLE `{name}`.generations DROP COLUMN retired_at"))
        .await?;
    migrate(&database.registry().url()).await?;
    assert_eq!(registry.generations().await?, [generation]);
    assert!(
        registry
            .set_state(1, GenerationState::Building, GenerationState::Ready)
            .await?
    );
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let url = "mysql://u:secret@127.0.0.1:1/views";
    let opened = MySqlRegistry::open(url).await;
    assert!(matches!(opened, Err(ViewsError::Unavailable(_))), "{opened:?}");
    assert!(!format!("{:?}", opened.err()).contains("secret"));
}

#[tokio::test]
async fn a_registry_does_not_print_its_password() -> anyhow::Result<()> {
    let (database, _) = opened().await?;
    let pattern = database.registry().name().replace('_', "\\_");
    let name = account(&database, &[&format!("SELECT ON `{pattern}`.*")]).await?;
    let url = database.registry().url_as(&name, "Invented-1", "REQUIRED");
    let registry = MySqlRegistry::open(&url).await?;
    let printed = format!("{registry:?}");
    assert!(!printed.contains("Invented-1"), "{printed}");
    assert!(printed.contains(database.registry().name()), "{printed}");
    database.registry().run(format!("DROP USER '{name}'@'%'")).await?;
    Ok(())
}

/// The largest is far beyond what events can make of a row; cut, it would be lost without a word.
#[tokio::test]
async fn a_row_too_large_for_its_column_is_refused() -> anyhow::Result<()> {
    let (_database, registry) = opened().await?;
    let number = registry.register(PARTITIONS, 1).await?.number;
    let views = registry.open_views(number).await?;
    let rows = Rows::of(&history(7, 60));
    let mut row = rows.practitioners.into_values().next().expect("a practitioner");
    row.specialities = vec!["s".repeat(7 * 1024 * 1024)];
    let mut larger = row.clone();
    larger.specialities = vec!["s".repeat(8 * 1024 * 1024)];
    let mut tx = views.begin().await?;
    tx.save_practitioners(&[row.clone()]).await?;
    assert!(tx.load_practitioners(&[row.id]).await? == [row]);
    let refused = tx.save_practitioners(&[larger]).await;
    assert!(matches!(refused, Err(ViewsError::Refused(_))), "{refused:?}");
    Ok(())
}
