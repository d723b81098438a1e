-- One generation of read models. A row is a JSON document with what it is found by in columns beside it; sealed parts
-- stand in the document in their readable form. Documents come last: what stands before them is read without them.
-- Tables with documents have rowids: without them SQLite keeps whole rows in the inner pages of its trees.

CREATE TABLE checkpoints (
    partition INTEGER PRIMARY KEY,
    position INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    log_id BLOB NOT NULL CHECK (length(log_id) = 16),
    leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32)
) STRICT;

CREATE TABLE parked (
    position INTEGER PRIMARY KEY,
    stream_type TEXT NOT NULL,
    stream_id BLOB NOT NULL CHECK (length(stream_id) = 16),
    partition INTEGER NOT NULL,
    stream_version INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    code TEXT NOT NULL
) STRICT;

CREATE INDEX parked_by_stream ON parked (stream_id, position);

CREATE TABLE patients (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT;

-- What a patient is found by: words of the name and their first letters, birth date, identifiers, record number, each in
-- its folded form.
CREATE TABLE patient_keys (
    kind TEXT NOT NULL CHECK (kind IN ('name', 'initial', 'birth', 'identifier', 'number')),
    value TEXT NOT NULL,
    patient_id BLOB NOT NULL CHECK (length(patient_id) = 16),
    PRIMARY KEY (kind, value, patient_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX patient_keys_by_patient ON patient_keys (patient_id);

CREATE TABLE practitioners (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT;

CREATE TABLE locations (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT;

-- local_date: the date on the location's wall, days from 0001-01-01, which is 1. starts: microseconds UTC.
CREATE TABLE appointments (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    patient_id BLOB NOT NULL,
    practitioner_id BLOB NOT NULL,
    location_id BLOB NOT NULL,
    local_date INTEGER NOT NULL,
    starts INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;

CREATE INDEX appointments_by_day ON appointments (practitioner_id, local_date, starts, id);
CREATE INDEX appointments_by_patient ON appointments (patient_id, starts, id);

CREATE TABLE threads (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    patient_id BLOB NOT NULL,
    document TEXT NOT NULL
) STRICT;

CREATE TABLE thread_participants (
    thread_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    participant_id BLOB NOT NULL,
    last_activity INTEGER NOT NULL,
    PRIMARY KEY (thread_id, kind, participant_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX threads_by_participant ON thread_participants (kind, participant_id, last_activity, thread_id);

CREATE TABLE messages (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    thread_id BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;

CREATE INDEX messages_by_thread ON messages (thread_id, sequence, id);
