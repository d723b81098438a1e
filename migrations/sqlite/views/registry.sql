-- Which generations of read models there are. `retired_at` is by the clock of the machine, microseconds UTC.
CREATE TABLE IF NOT EXISTS generations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 8),
    partitions INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('building', 'ready', 'retired')),
    created_at INTEGER NOT NULL,
    retired_at INTEGER
) STRICT
