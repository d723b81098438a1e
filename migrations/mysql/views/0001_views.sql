-- One generation of read models. A row is a JSON document with what it is found by in columns beside it; sealed parts
-- stand in the document in their readable form. Documents are BLOBs, because the JSON type rewrites them, and what is
-- found by its text is VARBINARY, because a collation would make different folded texts equal.

CREATE TABLE checkpoints (
    partition_number INT UNSIGNED NOT NULL,
    position BIGINT UNSIGNED NOT NULL,
    epoch INT UNSIGNED NOT NULL,
    log_id BINARY(16) NOT NULL,
    leaf_hash BINARY(32) NOT NULL,
    PRIMARY KEY (partition_number)
) ENGINE = InnoDB;

CREATE TABLE parked (
    position BIGINT UNSIGNED NOT NULL,
    stream_type VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    stream_id BINARY(16) NOT NULL,
    partition_number INT UNSIGNED NOT NULL,
    stream_version BIGINT UNSIGNED NOT NULL,
    event_type VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    code VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    PRIMARY KEY (position),
    KEY parked_by_stream (stream_id, position)
) ENGINE = InnoDB;

CREATE TABLE patients (
    id BINARY(16) NOT NULL,
    document MEDIUMBLOB NOT NULL,
    name MEDIUMBLOB NOT NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB;

-- What a patient is found by, in its folded form. kind: 1 record number, 2 word of the name, 3 birth date,
-- 4 identifier, 5 first letter of a word of the name. The place makes a patient's n-th key the same row whenever the patient is saved.
CREATE TABLE patient_keys (
    patient_id BINARY(16) NOT NULL,
    place INT UNSIGNED NOT NULL,
    kind TINYINT UNSIGNED NOT NULL,
    value VARBINARY(2048) NOT NULL,
    PRIMARY KEY (patient_id, place),
    KEY patient_keys_by_value (kind, value, patient_id)
) ENGINE = InnoDB;

CREATE TABLE practitioners (
    id BINARY(16) NOT NULL,
    document MEDIUMBLOB NOT NULL,
    name MEDIUMBLOB NOT NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB;

CREATE TABLE locations (
    id BINARY(16) NOT NULL,
    document MEDIUMBLOB NOT NULL,
    name MEDIUMBLOB NOT NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB;

-- local_date: the date on the location's wall, days from 0001-01-01, which is 1. starts: microseconds UTC.
CREATE TABLE appointments (
    id BINARY(16) NOT NULL,
    document MEDIUMBLOB NOT NULL,
    patient_id BINARY(16) NOT NULL,
    practitioner_id BINARY(16) NOT NULL,
    location_id BINARY(16) NOT NULL,
    local_date INT NOT NULL,
    starts BIGINT NOT NULL,
    PRIMARY KEY (id),
    KEY appointments_by_day (practitioner_id, local_date, starts, id),
    KEY appointments_by_patient (patient_id, starts, id)
) ENGINE = InnoDB;

CREATE TABLE threads (
    id BINARY(16) NOT NULL,
    document MEDIUMBLOB NOT NULL,
    patient_id BINARY(16) NOT NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB;

-- kind: 1 patient, 2 practitioner. last_activity: the thread's, microseconds UTC.
CREATE TABLE thread_participants (
    thread_id BINARY(16) NOT NULL,
    place INT UNSIGNED NOT NULL,
    kind TINYINT UNSIGNED NOT NULL,
    participant_id BINARY(16) NOT NULL,
    last_activity BIGINT NOT NULL,
    PRIMARY KEY (thread_id, place),
    KEY threads_by_participant (kind, participant_id, last_activity DESC, thread_id DESC)
) ENGINE = InnoDB;

CREATE TABLE messages (
    id BINARY(16) NOT NULL,
    document MEDIUMBLOB NOT NULL,
    thread_id BINARY(16) NOT NULL,
    sequence BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (id),
    KEY messages_by_thread (thread_id, sequence, id)
) ENGINE = InnoDB;
