//! How a command becomes events: load, decide, append; and what it answers when the log stands in the way.
//!
//! Nothing here knows a single command: the domain decides, the sequencer orders.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use praxis_domain::command::{Command, Decision, missing};
use praxis_domain::context::Context;
use praxis_domain::refusal::{Refusal, RefusalCode, Refused};
use praxis_domain::rules::Rules;
use praxis_domain::state::State;
use praxis_domain::world::World;
use praxis_event_store::append::{Append, Appended, CommandRecord, Conflict, Delta, StreamRead, StreamWrite};
use praxis_event_store::codec::{Codec, DecodeFault, EncodeError};
use praxis_event_store::port::{LogReader, StoreError, StreamRange};
use praxis_event_store::record::claims_keys::ClaimsKeys;
use praxis_event_store::sequencer::{AppendError, Sequencer};
use praxis_event_store::vault::{SealingKeys, VaultError};
use praxis_events::event::Event;
use praxis_events::ids::{EventId, StreamId};
use praxis_events::metadata::Metadata;
use uuid::Uuid;

use crate::call::{Call, KeyOrigin};
use crate::deltas;
use crate::lapsed::{self, Lapsed};
use crate::refusals::{self, Wanted};
use crate::states::{Loaded, Sight, States};

/// How often a command is decided again after a version conflict before the caller is told (at least 5).
const ATTEMPTS_MAX: u32 = 8;

/// The longest first pause between attempts; it doubles with each.
const JITTER_MAX: Duration = Duration::from_millis(4);

/// Why a command was not carried out. Split by what the caller is told.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The practice's rules, or what is taken already, refuse it; every reason is in it.
    #[error("command is refused")]
    Refused {
        /// The refusal.
        refused: Refused,
        /// The record that has the source id already, where that is a reason.
        imported_as: Option<Uuid>,
    },
    /// The record is not at the version the caller saw.
    #[error("record is at version {actual}, not at the one stated")]
    PreconditionFailed {
        /// The version it has.
        actual: u64,
    },
    /// The record kept changing while this was decided.
    #[error("record kept changing while the command was decided")]
    Contended,
    /// The idempotency key was used for another request.
    #[error("idempotency key was used for another request")]
    KeyReused,
    /// The append did not happen, or nobody knows.
    #[error("append did not happen, or nobody knows")]
    Append {
        /// Why.
        #[source]
        error: AppendError,
        /// Whether sending it again under the same key can tell what became of it.
        origin: KeyOrigin,
    },
    /// The event store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Keys cannot be had now.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A stream this depends on cannot be read by this version.
    #[error("a stream cannot be read: {0}")]
    Unreadable(DecodeFault),
    /// A fault of this program.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// Carries out commands against one log.
pub struct Executor {
    reader: Arc<dyn LogReader>,
    sequencer: Sequencer,
    codec: Codec,
    claims_keys: Arc<ClaimsKeys>,
    states: States,
    now: fn() -> DateTime<Utc>,
    new_id: fn() -> Uuid,
    rules: Rules,
}

/// What an executor is made of.
pub struct ExecutorParts {
    /// Reading the log.
    pub reader: Arc<dyn LogReader>,
    /// Appending to it.
    pub sequencer: Sequencer,
    /// Sealing and opening events.
    pub codec: Codec,
    /// Tags of personal claim members and requests.
    pub claims_keys: Arc<ClaimsKeys>,
    /// How many streams are kept folded; long ones count as several.
    pub cache_entries_max: usize,
    /// The clock.
    pub now: fn() -> DateTime<Utc>,
    /// New event ids.
    pub new_id: fn() -> Uuid,
    /// The practice's numbers.
    pub rules: Rules,
}

impl Executor {
    /// An executor of those parts.
    pub fn new(parts: ExecutorParts) -> Self {
        let (reader, codec) = (Arc::clone(&parts.reader), parts.codec.clone());
        Self {
            states: States::new(reader, codec, parts.cache_entries_max),
            reader: parts.reader,
            sequencer: parts.sequencer,
            codec: parts.codec,
            claims_keys: parts.claims_keys,
            now: parts.now,
            new_id: parts.new_id,
            rules: parts.rules,
        }
    }

    /// The keys that tag claims and requests.
    pub fn claims_keys(&self) -> &ClaimsKeys {
        &self.claims_keys
    }

    /// A new id, for the record a command creates.
    pub fn new_id(&self) -> Uuid {
        (self.new_id)()
    }

    /// Carries out a command and answers once it is durable.
    ///
    /// # Errors
    /// [`ExecuteError`]; after every one but an append of unknown outcome nothing has changed.
    pub async fn execute(&self, command: &dyn Command, call: &Call) -> Result<Appended, ExecuteError> {
        let mut sight = Sight::Cached;
        let mut lapsed = Lapsed::default();
        for attempt in 0..ATTEMPTS_MAX {
            let as_of_erasure = self.states.last_erasure().await?;
            let world = self.load(command, sight).await?;
            let version = version_of(&world, command.target());
            let stale = call.if_match.is_some_and(|seen| seen != version);
            let decided = match command.decide(&world, &self.context(call)) {
                // The version of a record that the caller may not know of is not told either.
                Err(refused) if stale && hides(&refused) => Some(Err(refused)),
                Ok(_) | Err(_) if stale => None,
                decided => Some(decided),
            };
            match decided {
                Some(Ok(decision)) if sight == Sight::Tail || !decision.writes.is_empty() => {
                    match self
                        .append(command, call, &world, &decision, &lapsed, as_of_erasure)
                        .await
                    {
                        Ok(appended) => return Ok(appended),
                        Err(ExecuteError::Append {
                            error: AppendError::Refused(conflicts),
                            ..
                        }) => {
                            let now = (self.now)();
                            let (standing, without) =
                                lapsed::standing(conflicts, &self.states, &self.rules, now).await?;
                            lapsed = without;
                            self.judge_conflicts(&standing)?;
                            sight = Sight::Tail;
                            pause(attempt, self.new_id()).await;
                        }
                        Err(error) => return Err(error),
                    }
                }
                // A refusal, a stale `If-Match` or a no-op is only answered from a state read to its end.
                _ if sight == Sight::Cached => sight = Sight::Tail,
                refused => {
                    if let Some(kept) = self.kept(call).await? {
                        return Ok(kept);
                    }
                    return Err(match refused {
                        Some(Err(refused)) => self.with_all_reasons(refused, command.target().id).await?,
                        Some(Ok(_)) | None => ExecuteError::PreconditionFailed { actual: version },
                    });
                }
            }
        }
        Err(ExecuteError::Contended)
    }

    /// One event of a stream, by its version; `None` if the stream has no such version.
    ///
    /// # Errors
    /// [`ExecuteError`] when the log does not answer or the event cannot be read.
    pub async fn event(&self, stream: StreamId, version: u64) -> Result<Option<Event>, ExecuteError> {
        let range = StreamRange {
            stream,
            after_version: version.saturating_sub(1),
            up_to_position: u64::MAX,
            limit: 1,
        };
        let stored = self.reader.read_stream(range).await?;
        let Some(read) = self.codec.decode(&stored).await?.pop() else {
            return Ok(None);
        };
        Ok(Some(read.map_err(ExecuteError::Unreadable)?.event))
    }

    fn context(&self, call: &Call) -> Context {
        Context {
            now: (self.now)(),
            actor: call.actor,
            patient_id: call.patient_id,
            practitioner_id: call.practitioner_id,
            rules: self.rules.clone(),
        }
    }

    /// The outcome an earlier sending of this very request had.
    async fn kept(&self, call: &Call) -> Result<Option<Appended>, ExecuteError> {
        if call.key.origin == KeyOrigin::Made {
            return Ok(None);
        }
        let Some(kept) = self.reader.command(call.key.key).await? else {
            return Ok(None);
        };
        if kept.request != call.key.request && !call.key.other_requests.contains(&kept.request) {
            return Err(ExecuteError::KeyReused);
        }
        let epoch = self.reader.head().await?.epoch;
        let (id, version, position, recorded_at) =
            (kept.answer_id, kept.version, kept.position, kept.recorded_at);
        Ok(Some(Appended {
            id,
            version,
            position,
            recorded_at,
            epoch,
            replayed: true,
        }))
    }

    /// Loads every stream the command names, until it names no more.
    async fn load(&self, command: &dyn Command, sight: Sight) -> Result<World, ExecuteError> {
        let mut world = World::default();
        loop {
            let streams = missing(command, &world);
            if streams.is_empty() {
                return Ok(world);
            }
            for stream in streams {
                let is_new = command.makes_target() && stream == command.target();
                let loaded = match sight {
                    Sight::Cached if is_new => self.states.expected_new(stream),
                    Sight::Cached | Sight::Tail => self.states.load(stream, sight).await?,
                };
                world.insert(stream, loaded.state, loaded.version);
                if let Some(changed_at) = loaded.changed_at {
                    world.note_change(stream, changed_at);
                }
            }
        }
    }

    async fn append(
        &self,
        command: &dyn Command,
        call: &Call,
        world: &World,
        decision: &Decision,
        lapsed: &Lapsed,
        as_of_erasure: u64,
    ) -> Result<Appended, ExecuteError> {
        let mut append = append_of(command, call, world, decision);
        let after = self.fold(world, decision, &mut append)?;
        let keys = self.seal(call, world, decision, &after, &mut append).await?;
        lapsed.make_room(&mut append);
        let origin = call.key.origin;
        let appended = self
            .sequencer
            .append(append)
            .await
            .map_err(|error| ExecuteError::Append { error, origin })?;
        if !appended.replayed {
            self.codec.vault().keep(&keys);
            for ((stream, events), (_, state)) in decision.writes.iter().zip(after) {
                let version = version_of(world, *stream) + u64::try_from(events.len()).unwrap_or(u64::MAX);
                let changed_at = DateTime::from_timestamp_micros(appended.recorded_at);
                let loaded = Loaded {
                    state,
                    version,
                    changed_at,
                    as_of_erasure,
                };
                self.states.keep(*stream, loaded);
            }
        }
        Ok(appended)
    }

    /// What the streams are like after the decision, in the order of its writes; adds the claims and times that they
    /// take and give back.
    fn fold(
        &self,
        world: &World,
        decision: &Decision,
        append: &mut Append,
    ) -> Result<Vec<(StreamId, Arc<State>)>, EncodeError> {
        let mut after = Vec::with_capacity(decision.writes.len());
        for (stream, events) in &decision.writes {
            let before = world
                .state(*stream)
                .map_or_else(|| Loaded::empty(*stream).state, Arc::clone);
            let mut state = Arc::clone(&before);
            let changed = Arc::make_mut(&mut state);
            for event in events {
                changed.apply(event);
            }
            let (rules, keys) = (&self.rules, &self.claims_keys);
            deltas::extend(append, *stream, &before, &state, rules, keys).map_err(|_| EncodeError::Name)?;
            after.push((*stream, state));
        }
        Ok(after)
    }

    /// Adds the events, what is personal in them sealed by the keys that this answers.
    async fn seal(
        &self,
        call: &Call,
        world: &World,
        decision: &Decision,
        after: &[(StreamId, Arc<State>)],
        append: &mut Append,
    ) -> Result<SealingKeys, ExecuteError> {
        let subjects: HashSet<Uuid> = after
            .iter()
            .filter_map(|(stream, state)| state.subject(*stream))
            .map(|id| id.0)
            .collect();
        let keys = self.codec.vault().sealing_keys(&subjects).await?;
        append.subjects = keys.by_subject.keys().copied().collect();
        append.new_keys.clone_from(&keys.new_keys);
        append.keys_as_of = keys.as_of;
        for ((stream, events), (_, state)) in decision.writes.iter().zip(after) {
            let subject = state.subject(*stream);
            let key = subject.and_then(|subject| keys.by_subject.get(&subject.0));
            let mut prepared = Vec::with_capacity(events.len());
            for event in events {
                let metadata = self.metadata(call, decision);
                let encoded = self
                    .codec
                    .encode(*stream, event, &metadata, subject, key.map(Arc::as_ref));
                prepared.push(encoded.map_err(|error| match (error, subject) {
                    (EncodeError::NoKey { .. }, Some(subject)) if keys.erased.contains(&subject.0) => {
                        ExecuteError::Refused {
                            refused: Refusal::PersonErased(subject).into(),
                            imported_as: None,
                        }
                    }
                    (error, _) => error.into(),
                })?);
            }
            append.writes.push(StreamWrite {
                stream: *stream,
                expected_version: version_of(world, *stream),
                events: prepared,
            });
        }
        Ok(keys)
    }

    fn metadata(&self, call: &Call, decision: &Decision) -> Metadata {
        Metadata {
            event_id: EventId((self.new_id)()),
            actor: call.actor,
            purpose: call.purpose,
            correlation_id: call.correlation_id,
            causation_id: None,
            trace_id: call.trace.as_ref().map(|(trace_id, _)| trace_id.clone()),
            span_id: call.trace.as_ref().map(|(_, span_id)| span_id.clone()),
            reason_code: decision.reason_code.clone(),
            occurred_at: decision.occurred_at,
        }
    }

    /// `Ok` when deciding again may help; the error to answer otherwise.
    fn judge_conflicts(&self, conflicts: &[Conflict]) -> Result<(), ExecuteError> {
        if conflicts.contains(&Conflict::KeyReused) {
            return Err(ExecuteError::KeyReused);
        }
        let mut again = false;
        for conflict in conflicts {
            match conflict {
                Conflict::Version { .. } => again = true,
                Conflict::Erased { .. } => {
                    self.codec.vault().look_again();
                    again = true;
                }
                Conflict::KeyReused | Conflict::Claim { .. } | Conflict::Span { .. } => {}
            }
        }
        match refusals::of_conflicts(conflicts) {
            Some(refused) if !again => {
                let imported_as = refusals::imported_as(conflicts);
                Err(ExecuteError::Refused { refused, imported_as })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A refusal by the rules, joined by the times and limits that are taken already: all reasons, not the first kind
    /// found. What the log says is advice here, so it is asked without its lock.
    async fn with_all_reasons(&self, refused: Refused, owner: Uuid) -> Result<ExecuteError, ExecuteError> {
        let (rules, keys) = (&self.rules, &self.claims_keys);
        let wanted = Wanted::try_new(&refused, owner, rules, keys).map_err(|_| EncodeError::Name)?;
        let lookup = wanted.lookup();
        if lookup.is_empty() {
            return Ok(ExecuteError::Refused {
                refused,
                imported_as: None,
            });
        }
        let conflicts = wanted.conflicts(&self.reader.look_up(&lookup).await?);
        let (standing, _) = lapsed::standing(conflicts, &self.states, rules, (self.now)()).await?;
        Ok(ExecuteError::Refused {
            refused: refused.joined_by(refusals::reasons_of(&standing)),
            imported_as: refusals::imported_as(&standing),
        })
    }
}

/// Whether a refusal is about who asks rather than about what the record is like.
const fn hides(refused: &Refused) -> bool {
    match refused.code {
        RefusalCode::Forbidden | RefusalCode::NotFound => true,
        RefusalCode::InvalidTransition
        | RefusalCode::AlreadyExists
        | RefusalCode::BookingRefused
        | RefusalCode::RuleBroken => false,
    }
}

/// The append of a decision but for its events and what follows from them: what is answered, and what must not have moved.
fn append_of(command: &dyn Command, call: &Call, world: &World, decision: &Decision) -> Append {
    let target = command.target();
    let written: HashSet<StreamId> = decision.writes.iter().map(|(stream, _)| *stream).collect();
    let only_read = decision.reads.iter().filter(|stream| !written.contains(stream));
    Append {
        command: CommandRecord {
            key: call.key.key,
            request: call.key.request,
            other_requests: call.key.other_requests.clone(),
            answer_id: target.id,
            version: version_of(world, target),
        },
        writes: Vec::with_capacity(decision.writes.len()),
        reads: only_read
            .map(|stream| StreamRead {
                stream: *stream,
                expected_version: version_of(world, *stream),
            })
            .collect(),
        claims: Delta::default(),
        spans: Delta::default(),
        new_keys: Vec::new(),
        subjects: Vec::new(),
        keys_as_of: u64::MAX,
    }
}

fn version_of(world: &World, stream: StreamId) -> u64 {
    world.version(stream).unwrap_or(0)
}

/// Waits a little, longer with each attempt, at random within it.
async fn pause(attempt: u32, entropy: Uuid) {
    let ceiling = JITTER_MAX.saturating_mul(1 << attempt.min(6));
    let share = u32::from(entropy.as_bytes()[15]) + 1;
    tokio::time::sleep(ceiling.saturating_mul(share) / 256).await;
}
