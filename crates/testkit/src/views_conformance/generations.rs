//! Does the registry keep generations apart and their states honest?

use std::time::Duration;

use praxis_read_models::registry::{Generation, GenerationState, Registry};
use praxis_read_models::views::ViewsError;

use super::{PARTITIONS, RegistryUnderTest, checkpoint, save};
use crate::conformance::Outcome;
use crate::history::history;
use crate::rows::Rows;

pub async fn generations_are_numbered_and_begin_building(under: RegistryUnderTest) -> Outcome {
    let registry = under.registry.as_ref();
    assert_eq!(registry.generations().await?, []);
    let first = registry.register(PARTITIONS, 1_700_000_000_000_001).await?;
    let second = registry.register(PARTITIONS, 1_700_000_000_000_002).await?;
    let expected = Generation {
        number: 1,
        fingerprint: registry.fingerprint(),
        partitions: PARTITIONS,
        state: GenerationState::Building,
        created_at: 1_700_000_000_000_001,
    };
    assert_eq!(first, expected);
    assert_eq!(
        second,
        Generation {
            number: 2,
            created_at: 1_700_000_000_000_002,
            ..expected
        }
    );
    assert_eq!(registry.generations().await?, [first, second]);
    Ok(())
}

pub async fn a_generations_state_moves_from_where_it_is(under: RegistryUnderTest) -> Outcome {
    use GenerationState::{Building, Ready, Retired};

    let registry = under.registry.as_ref();
    let number = registry.register(PARTITIONS, 1).await?.number;
    assert!(!registry.set_state(number, Ready, Retired).await?);
    assert!(registry.set_state(number, Building, Ready).await?);
    assert!(!registry.set_state(number, Building, Ready).await?);
    assert!(!registry.set_state(number + 1, Building, Ready).await?);
    let states: Vec<_> = registry
        .generations()
        .await?
        .into_iter()
        .map(|known| known.state)
        .collect();
    assert_eq!(states, [Ready]);
    Ok(())
}

pub async fn generations_are_kept_apart(under: RegistryUnderTest) -> Outcome {
    let registry = under.registry.as_ref();
    let first = registry.register(PARTITIONS, 1).await?.number;
    let second = registry.register(PARTITIONS, 1).await?.number;
    let views = registry.open_views(first).await?;
    views.start_partitions(&[checkpoint(0, 4)]).await?;
    let mut tx = views.begin().await?;
    save(tx.as_mut(), &Rows::of(&history(41, 30))).await?;
    tx.commit().await?;
    let other = registry.open_reads(second).await?;
    assert_eq!(other.patients_page(None, 10).await?, []);
    assert_eq!(other.checkpoints().await?, []);
    assert_ne!(
        registry.open_reads(first).await?.patients_page(None, 10).await?,
        []
    );
    Ok(())
}

async fn is_unfit(registry: &dyn Registry, number: u32) -> bool {
    let (views, reads) = (
        registry.open_views(number).await,
        registry.open_reads(number).await,
    );
    matches!(
        (views, reads),
        (Err(ViewsError::Unfit(_)), Err(ViewsError::Unfit(_)))
    )
}

pub async fn a_generation_that_is_not_there_cannot_be_opened(under: RegistryUnderTest) -> Outcome {
    let number = under.registry.register(PARTITIONS, 1).await?.number;
    assert!(is_unfit(under.registry.as_ref(), number + 1).await);
    assert!(!is_unfit(under.registry.as_ref(), number).await);
    Ok(())
}

pub async fn a_retired_generation_cannot_be_opened(under: RegistryUnderTest) -> Outcome {
    let registry = under.registry.as_ref();
    let number = registry.register(PARTITIONS, 1).await?.number;
    assert!(
        registry
            .set_state(number, GenerationState::Building, GenerationState::Retired)
            .await?
    );
    assert!(is_unfit(registry, number).await);
    let next = registry.register(PARTITIONS, 1).await?.number;
    assert_eq!(next, number + 1, "a number is never given twice");
    Ok(())
}

pub async fn the_newest_ready_generation_is_read(under: RegistryUnderTest) -> Outcome {
    let registry = under.registry.as_ref();
    for _ in 0..3 {
        registry.register(PARTITIONS, 1).await?;
    }
    let newest =
        |all: &[Generation]| Generation::newest_ready(all, registry.fingerprint()).map(|known| known.number);
    assert_eq!(newest(&registry.generations().await?), None);
    for number in [2, 1] {
        assert!(
            registry
                .set_state(number, GenerationState::Building, GenerationState::Ready)
                .await?
        );
    }
    assert_eq!(newest(&registry.generations().await?), Some(2));
    Ok(())
}

pub async fn of_callers_at_once_one_registers(under: RegistryUnderTest) -> Outcome {
    let registry = under.registry.as_ref();
    let first = || registry.register_after(None, PARTITIONS, 1);
    let (a, b, c) = tokio::join!(first(), first(), first());
    let registered: Vec<_> = [a?, b?, c?].into_iter().flatten().collect();
    assert_eq!(registry.generations().await?, registered);
    assert_eq!(registered.len(), 1);
    Ok(())
}

pub async fn nothing_is_registered_after_any_but_the_newest(under: RegistryUnderTest) -> Outcome {
    use GenerationState::{Building, Retired};

    let registry = under.registry.as_ref();
    assert_eq!(registry.register_after(Some(1), PARTITIONS, 1).await?, None);
    let first = registry.register(PARTITIONS, 1).await?.number;
    assert_eq!(registry.register_after(None, PARTITIONS, 1).await?, None);
    let second = registry.register_after(Some(first), PARTITIONS, 1).await?;
    let second = second.map(|known| known.number).unwrap_or_default();
    assert_eq!(second, first + 1);
    assert!(registry.set_state(second, Building, Retired).await?);
    assert_eq!(registry.register_after(Some(second), PARTITIONS, 1).await?, None);
    let third = registry.register_after(Some(first), PARTITIONS, 1).await?;
    assert_eq!(third.map(|known| known.number), Some(second + 1));
    Ok(())
}

pub async fn a_generation_is_removed_when_it_was_retired_for_long_enough(
    under: RegistryUnderTest,
) -> Outcome {
    use GenerationState::{Building, Ready, Retired};

    let registry = under.registry.as_ref();
    for (number, state) in [(1, Retired), (2, Ready), (3, Building)] {
        registry.register(PARTITIONS, 1).await?;
        assert!(state == Building || registry.set_state(number, Building, state).await?);
    }
    assert_eq!(
        registry.remove_retired(Duration::from_hours(1)).await?,
        [0_u32; 0]
    );
    assert!(registry.is_in_place(1).await?);
    assert_eq!(registry.remove_retired(Duration::ZERO).await?, [1]);
    assert!(!registry.is_in_place(1).await? && registry.is_in_place(2).await?);
    let left: Vec<_> = registry
        .generations()
        .await?
        .iter()
        .map(|known| known.number)
        .collect();
    assert_eq!(left, [2, 3]);
    assert!(!is_unfit(registry, 2).await && !is_unfit(registry, 3).await);
    registry.open_reads(2).await?.patients_page(None, 10).await?;
    assert_eq!(registry.remove_retired(Duration::ZERO).await?, [0_u32; 0]);
    assert_eq!(
        registry.register(PARTITIONS, 1).await?.number,
        4,
        "a number is never given twice"
    );
    Ok(())
}
