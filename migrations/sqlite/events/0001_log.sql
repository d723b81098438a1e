-- The log, and what is kept in its transactions: claims, calendar time, outcomes, data keys.
-- Instants are microseconds UTC. Ids, keys and hashes are blobs; payload and metadata are the exact bytes that were hashed.

CREATE TABLE log_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    log_id BLOB NOT NULL CHECK (length(log_id) = 16),
    epoch INTEGER NOT NULL CHECK (epoch >= 1),
    position INTEGER NOT NULL CHECK (position >= 0),
    recorded_at INTEGER NOT NULL,
    tombstone_position INTEGER NOT NULL CHECK (tombstone_position >= 0)
) STRICT;

-- No index on recorded_at: it never goes back, so an instant is found by halving positions.
CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    event_id BLOB NOT NULL CHECK (length(event_id) = 16),
    stream_type TEXT NOT NULL,
    stream_id BLOB NOT NULL CHECK (length(stream_id) = 16),
    stream_version INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    subject_id BLOB CHECK (length(subject_id) = 16),
    metadata BLOB NOT NULL,
    leaf_format INTEGER NOT NULL,
    leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32),
    -- Last, so that a scan of the columns before it does not walk the pages it spills to.
    payload BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX events_stream ON events (stream_id, stream_version);

-- All events about a person (docs/adr/0010-subject-index.md).
CREATE INDEX events_subject ON events (subject_id, position) WHERE subject_id IS NOT NULL;

CREATE TABLE commands (
    key BLOB PRIMARY KEY CHECK (length(key) = 32),
    request BLOB NOT NULL CHECK (length(request) = 33),
    answer_id BLOB NOT NULL CHECK (length(answer_id) = 16),
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE claims (
    resource BLOB NOT NULL,
    member BLOB NOT NULL,
    owner BLOB NOT NULL CHECK (length(owner) = 16),
    PRIMARY KEY (resource, member, owner)
) STRICT, WITHOUT ROWID;

-- Normal spans of one calendar are disjoint, so those that overlap [a, b) start inside it, but for one that may
-- start before and end after a (docs/adr/0011-two-span-tables.md).
CREATE TABLE spans (
    kind INTEGER NOT NULL,
    calendar_id BLOB NOT NULL CHECK (length(calendar_id) = 16),
    starts INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    owner BLOB NOT NULL CHECK (length(owner) = 16),
    PRIMARY KEY (kind, calendar_id, starts),
    CHECK (starts < ends)
) STRICT, WITHOUT ROWID;

-- Overbookings may overlap anything; those that overlap [a, b) are found among the ones that end after a.
CREATE TABLE over_spans (
    kind INTEGER NOT NULL,
    calendar_id BLOB NOT NULL CHECK (length(calendar_id) = 16),
    ends INTEGER NOT NULL,
    starts INTEGER NOT NULL,
    owner BLOB NOT NULL CHECK (length(owner) = 16),
    PRIMARY KEY (kind, calendar_id, ends, starts, owner),
    CHECK (starts < ends)
) STRICT, WITHOUT ROWID;

-- Never deleted from: a destroyed key is a row without its wrapped key.
CREATE TABLE subject_keys (
    key_id BLOB PRIMARY KEY CHECK (length(key_id) = 16),
    subject_id BLOB NOT NULL CHECK (length(subject_id) = 16),
    wrapped_key BLOB,
    kek_id BLOB NOT NULL,
    created_position INTEGER NOT NULL,
    destroyed_position INTEGER,
    CHECK ((wrapped_key IS NULL) = (destroyed_position IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX subject_keys_subject ON subject_keys (subject_id, created_position);

-- Where each policy stands that tails the log and issues commands.
CREATE TABLE policies (
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The last number given out under each name.
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE relay (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    holder BLOB CHECK (length(holder) = 16),
    held_until INTEGER NOT NULL,
    term INTEGER NOT NULL,
    position INTEGER NOT NULL,
    -- One big-endian u64 for each partition; empty when unknown.
    partitions BLOB NOT NULL CHECK (length(partitions) % 8 = 0),
    frontier BLOB NOT NULL
) STRICT;

INSERT INTO relay (id, holder, held_until, term, position, partitions, frontier)
VALUES (1, NULL, 0, 0, 0, x'', x'');
