//! Whether the read models are as new as the caller asks by `Praxis-Min-Position`, and of which position they are.

use std::sync::Arc;
use std::time::Duration;

use praxis_auth::claims::{Principal, Role};
use praxis_event_store::port::Head;
use praxis_http_kit::fault::{Fault, FaultCode, Place};
use praxis_http_kit::position::{EpochPosition, MinPosition};
use praxis_read_models::freshness::{Freshness, LogPlace, wait_until_fresh};
use praxis_read_models::reads::Reads;
use uuid::Uuid;

use crate::answer::Completeness;
use crate::app::App;
use crate::as_of::{NOT_YET, place_of};
use crate::error::ReadError;
use crate::generation::Parked;

/// Longest a read waits for the read models to reach a position.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// The pointer of the header in faults.
const MIN_POSITION_POINTER: &str = "/praxis-min-position";

/// What a position of an earlier life of the log is answered.
pub const LOST_POSITION: FaultCode = FaultCode::new(
    "position-lost",
    "is of a log that was restored to an earlier state since",
);

/// Read models that are as new as asked for.
pub struct Fresh {
    /// The rows.
    pub reads: Arc<dyn Reads>,
    /// Every event at or before it is in the rows, or parked.
    pub place: EpochPosition,
    wanted: Option<LogPlace>,
    /// Whether something is parked at or before the place; `None` where it was not read with the place.
    parked: Option<Parked>,
}

/// Whether a record stands still before what the caller wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The record is as new as asked for.
    Current,
    /// An event at or before the wanted position is parked.
    Parked,
}

impl Fresh {
    /// The read models once they have reached what the caller asks for, waiting within a bound.
    ///
    /// # Errors
    /// [`ReadError::Behind`] when they do not reach it in time; [`ReadError::Faults`] when the position belongs to an
    /// earlier life of the log; else what the databases say.
    pub async fn open(app: &App, MinPosition(min): MinPosition) -> Result<Self, ReadError> {
        let generation = app.reads.current().await?;
        let (mut place, mut parked) = match generation.standing().await? {
            Some(standing) => (standing.place, Some(standing.parked)),
            None => (start_of(&app.log.head().await?), None),
        };
        let wanted = min.map(log_place).transpose()?;
        if let (Some(min), Some(wanted)) = (min, wanted) {
            let reached = place.epoch == min.epoch && place.position >= min.position;
            if !reached {
                // A place that no write can have answered is not waited for. Where the log does not answer, the wait tells.
                let ahead = |head: Head| min > place_of(&head);
                if app.log.head().await.is_ok_and(ahead) {
                    return Err(fault(NOT_YET));
                }
                wait(app, generation.reads.as_ref(), wanted).await?;
                (place, parked) = (min, None);
            }
        }
        Ok(Self {
            reads: Arc::clone(&generation.reads),
            place,
            wanted,
            parked,
        })
    }

    /// How a record stands. Asked before its row is read, so that a row read afterwards is at least as new.
    ///
    /// # Errors
    /// [`ReadError::Views`].
    pub async fn standing(&self, stream_id: Uuid) -> Result<Standing, ReadError> {
        let Some(wanted) = self.wanted else {
            return Ok(Standing::Current);
        };
        if self.parked == Some(Parked::Nothing) {
            return Ok(Standing::Current);
        }
        let parked_since = self.reads.parked_since(stream_id).await?;
        Ok(match parked_since {
            Some(position) if position <= wanted.position => Standing::Parked,
            Some(_) | None => Standing::Current,
        })
    }

    /// Whether a list may lack something.
    ///
    /// # Errors
    /// [`ReadError::Views`].
    pub async fn completeness(&self) -> Result<Completeness, ReadError> {
        let parked = match self.parked {
            Some(parked) => parked,
            None => Parked::of(self.reads.parked_stream_count().await?),
        };
        Ok(match parked {
            Parked::Nothing => Completeness::Complete,
            Parked::Something => Completeness::Incomplete,
        })
    }

    /// The position to answer with a row: a row may be newer than the slowest partition, and a caller who hands the
    /// position back must not read an older one.
    pub fn position_with(&self, row_positions: impl IntoIterator<Item = u64>) -> EpochPosition {
        let newest = row_positions.into_iter().max().unwrap_or(0);
        EpochPosition {
            position: self.place.position.max(newest),
            ..self.place
        }
    }
}

impl Standing {
    /// # Errors
    /// [`ReadError::Parked`] if the record stands still.
    pub const fn require_current(self) -> Result<(), ReadError> {
        match self {
            Self::Current => Ok(()),
            Self::Parked => Err(ReadError::Parked),
        }
    }

    /// What is answered where no row is: of a record whose very first event is parked it is not known yet whose it is,
    /// so only those hear of it who may know of every one.
    pub const fn of_no_row(self, caller: &Principal) -> ReadError {
        match (self, caller.role) {
            (Self::Parked, Role::Admin | Role::Staff | Role::Auditor) => ReadError::Parked,
            (Self::Parked, Role::Doctor | Role::Patient) | (Self::Current, _) => ReadError::NotFound,
        }
    }
}

/// Where nothing of a log is in the rows.
fn start_of(head: &Head) -> EpochPosition {
    EpochPosition {
        epoch: u64::from(head.epoch),
        position: 0,
    }
}

async fn wait(app: &App, reads: &dyn Reads, wanted: LogPlace) -> Result<(), ReadError> {
    match wait_until_fresh(reads, wanted, app.moved.clone(), WAIT_MAX).await? {
        Freshness::Fresh => Ok(()),
        Freshness::Behind { .. } => Err(ReadError::Behind),
        Freshness::OtherEpoch => Err(fault(LOST_POSITION)),
    }
}

fn log_place(position: EpochPosition) -> Result<LogPlace, ReadError> {
    let epoch = u32::try_from(position.epoch).map_err(|_| fault(FaultCode::NOT_A_POSITION))?;
    Ok(LogPlace {
        epoch,
        position: position.position,
    })
}

fn fault(code: FaultCode) -> ReadError {
    ReadError::Faults(vec![Fault::new(Place::Header, MIN_POSITION_POINTER, code)])
}
