//! What do the aggregates ask of cqrs-es as their services? Only to be shown the rest of the world.

use crate::context::Context;
use crate::world::World;

/// The services of every aggregate: all that a decision may see besides the aggregate itself.
#[derive(Clone, Debug)]
pub struct Situation {
    /// The other streams.
    pub world: World,
    /// The moment.
    pub ctx: Context,
}
