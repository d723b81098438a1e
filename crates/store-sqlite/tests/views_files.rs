//! What becomes of the files of read models when a process ends half way, and when generations go?

use std::path::Path;
use std::time::Duration;

use praxis_read_models::registry::{GenerationState, Registry};
use praxis_read_models::views::ViewsError;
use praxis_store_sqlite::views::SqliteRegistry;
use praxis_testkit::conformance::Outcome;
use praxis_testkit::history::history;
use praxis_testkit::rows::Rows;
use praxis_testkit::views_conformance::{PARTITIONS, checkpoint, save};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

/// The files of a directory, by name.
fn files(directory: &Path) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

async fn run(file: &Path, statement: &'static str) -> Outcome {
    let mut conn = SqliteConnectOptions::new().filename(file).connect().await?;
    sqlx::raw_sql(statement).execute(&mut conn).await?;
    Ok(conn.close().await?)
}

/// A generation with rows in it, which a reader and a writer have open.
async fn used(registry: &dyn Registry) -> Outcome<u32> {
    let number = registry.register(PARTITIONS, 1).await?.number;
    let views = registry.open_views(number).await?;
    views.start_partitions(&[checkpoint(0, 0)]).await?;
    let mut tx = views.begin().await?;
    save(tx.as_mut(), &Rows::of(&history(1, 60))).await?;
    tx.commit().await?;
    let page = registry.open_reads(number).await?.patients_page(None, 10).await?;
    assert!(!page.is_empty());
    Ok(number)
}

#[tokio::test]
async fn closing_leaves_whole_files_and_nothing_beside_them() -> Outcome {
    let directory = tempfile::tempdir()?;
    let registry = SqliteRegistry::open(directory.path()).await?;
    used(&registry).await?;
    assert!(files(directory.path())?.contains(&"views-1.db-wal".to_owned()));
    registry.close().await;
    assert_eq!(files(directory.path())?, ["views-1.db", "views.db"]);
    Ok(())
}

#[tokio::test]
async fn closing_what_was_only_read_leaves_nothing_beside_it_either() -> Outcome {
    let directory = tempfile::tempdir()?;
    let registry = SqliteRegistry::open(directory.path()).await?;
    let number = used(&registry).await?;
    registry.close().await;
    let registry = SqliteRegistry::open(directory.path()).await?;
    registry.open_views(number).await?.checkpoints().await?;
    registry.close().await;
    assert_eq!(files(directory.path())?, ["views-1.db", "views.db"]);
    Ok(())
}

#[tokio::test]
async fn a_removed_generation_leaves_no_file_while_another_is_read() -> Outcome {
    let directory = tempfile::tempdir()?;
    let registry = SqliteRegistry::open(directory.path()).await?;
    let (old, new) = (used(&registry).await?, used(&registry).await?);
    let reads = registry.open_reads(new).await?;
    assert!(
        registry
            .set_state(old, GenerationState::Building, GenerationState::Retired)
            .await?
    );
    assert_eq!(registry.remove_retired(Duration::ZERO).await?, [old]);
    let left = files(directory.path())?;
    assert!(left.iter().all(|name| !name.starts_with("views-1.")), "{left:?}");
    assert!(!reads.patients_page(None, 10).await?.is_empty());
    Ok(())
}

/// Whoever still holds a removed generation gets an error, and makes no empty file in its place.
#[tokio::test]
async fn a_removed_generation_is_not_made_again_by_using_it() -> Outcome {
    let directory = tempfile::tempdir()?;
    let registry = SqliteRegistry::open(directory.path()).await?;
    let number = registry.register(PARTITIONS, 1).await?.number;
    let (views, reads) = (
        registry.open_views(number).await?,
        registry.open_reads(number).await?,
    );
    assert!(
        registry
            .set_state(number, GenerationState::Building, GenerationState::Retired)
            .await?
    );
    assert_eq!(registry.remove_retired(Duration::ZERO).await?, [number]);
    assert!(matches!(
        views.begin().await.err(),
        Some(ViewsError::Unavailable(_))
    ));
    assert!(matches!(
        reads.patients_page(None, 1).await,
        Err(ViewsError::Unavailable(_))
    ));
    assert!(!files(directory.path())?.contains(&"views-1.db".to_owned()));
    Ok(())
}

/// As if the process had ended after it took the number: before the file was there, or half way through it.
#[tokio::test]
async fn a_registration_cut_off_is_given_up_and_removed() -> Outcome {
    let directory = tempfile::tempdir()?;
    let registry = SqliteRegistry::open(directory.path()).await?;
    // A directory cannot be opened as a file, and `make` cannot remove it.
    std::fs::create_dir(directory.path().join("views-1.db"))?;
    assert!(registry.register(PARTITIONS, 1).await.is_err());
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
    assert_eq!(
        registry
            .register_after(None, PARTITIONS, 1)
            .await?
            .map(|known| known.number),
        Some(2)
    );
    std::fs::remove_dir(directory.path().join("views-1.db"))?;
    assert_eq!(registry.remove_retired(Duration::ZERO).await?, [1]);
    Ok(())
}

/// The registry was lost and made again, so it gives the numbers of files that are there.
#[tokio::test]
async fn rows_of_a_lost_registry_are_not_taken_for_new_ones() -> Outcome {
    let directory = tempfile::tempdir()?;
    let lost = SqliteRegistry::open(directory.path()).await?;
    used(&lost).await?;
    lost.close().await;
    std::fs::remove_file(directory.path().join("views.db"))?;
    let registry = SqliteRegistry::open(directory.path()).await?;
    let number = registry.register(PARTITIONS, 1).await?.number;
    assert_eq!(number, 1);
    assert_eq!(registry.open_reads(number).await?.checkpoints().await?, []);
    assert_eq!(
        registry.open_reads(number).await?.patients_page(None, 10).await?,
        []
    );
    Ok(())
}

#[tokio::test]
async fn a_registry_of_an_earlier_version_is_expanded() -> Outcome {
    let directory = tempfile::tempdir()?;
    let registry = SqliteRegistry::open(directory.path()).await?;
    let generation = registry.register(PARTITIONS, 1).await?;
    registry.close().await;
    run(
        &directory.path().join("views.db"),
        "ALTER TABLE generations DROP COLUMN retired_at",
    )
    .await?;
    let registry = SqliteRegistry::open(directory.path()).await?;
    assert_eq!(registry.generations().await?, [generation]);
    assert!(
        registry
            .set_state(1, GenerationState::Building, GenerationState::Retired)
            .await?
    );
    assert_eq!(registry.remove_retired(Duration::ZERO).await?, [1]);
    Ok(())
}

#[tokio::test]
async fn a_file_that_somebody_removed_or_emptied_is_not_in_place() -> Outcome {
    let directory = tempfile::tempdir()?;
    let registry = SqliteRegistry::open(directory.path()).await?;
    let number = registry.register(PARTITIONS, 1).await?.number;
    let file = directory.path().join(format!("views-{number}.db"));
    assert!(registry.is_in_place(number).await?);
    std::fs::write(&file, "")?;
    assert!(!registry.is_in_place(number).await?);
    std::fs::remove_file(&file)?;
    assert!(!registry.is_in_place(number).await?);
    Ok(())
}
