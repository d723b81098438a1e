-- The log: its head, its events, and what commands are judged by.
-- Ids, keys, hashes and resources are BINARY or VARBINARY: under a collation, bytes that differ can be equal.

CREATE TABLE log_head (
    id TINYINT UNSIGNED NOT NULL,
    log_id BINARY(16) NOT NULL,
    epoch INT UNSIGNED NOT NULL,
    position BIGINT UNSIGNED NOT NULL,
    recorded_at BIGINT NOT NULL,
    tombstone_position BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT log_head_is_one_row CHECK (id = 1)
) ENGINE = InnoDB;

-- No index on recorded_at: it never goes back, so an instant is found by halving positions.
CREATE TABLE events (
    position BIGINT UNSIGNED NOT NULL,
    event_id BINARY(16) NOT NULL,
    stream_type VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    stream_id BINARY(16) NOT NULL,
    stream_version BIGINT UNSIGNED NOT NULL,
    event_type VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    schema_version INT UNSIGNED NOT NULL,
    recorded_at BIGINT NOT NULL,
    subject_id BINARY(16) NULL,
    metadata MEDIUMBLOB NOT NULL,
    payload MEDIUMBLOB NOT NULL,
    leaf_format TINYINT UNSIGNED NOT NULL,
    leaf_hash BINARY(32) NOT NULL,
    PRIMARY KEY (position),
    UNIQUE KEY events_by_stream (stream_id, stream_version),
    KEY events_by_subject (subject_id, position)
) ENGINE = InnoDB;

CREATE TABLE commands (
    command_key BINARY(32) NOT NULL,
    request BINARY(33) NOT NULL,
    answer_id BINARY(16) NOT NULL,
    version BIGINT UNSIGNED NOT NULL,
    position BIGINT UNSIGNED NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (command_key)
) ENGINE = InnoDB;

CREATE TABLE claims (
    resource VARBINARY(32) NOT NULL,
    member VARBINARY(64) NOT NULL,
    owner BINARY(16) NOT NULL,
    PRIMARY KEY (resource, member, owner)
) ENGINE = InnoDB;

-- bucket: starts divided by six hours, rounded down; the lowest INT where the span itself is longer than six hours.
-- So every span that overlaps a given time lies in a few buckets known beforehand, and is found by equality: MySQL
-- cannot seek a range whose bounds come from another table, it would read the whole calendar.
-- lane: zeros for a normal span, so that no two of them start at once; the owner for an overbooking.
CREATE TABLE spans (
    kind TINYINT UNSIGNED NOT NULL,
    calendar_id BINARY(16) NOT NULL,
    bucket INT NOT NULL,
    starts BIGINT NOT NULL,
    lane BINARY(16) NOT NULL,
    ends BIGINT NOT NULL,
    owner BINARY(16) NOT NULL,
    PRIMARY KEY (kind, calendar_id, bucket, starts, lane),
    CONSTRAINT spans_end_after_they_start CHECK (starts < ends)
) ENGINE = InnoDB;

CREATE TABLE counters (
    name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    last_number BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (name)
) ENGINE = InnoDB;
