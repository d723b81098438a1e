-- Data keys of persons, and how far those who follow the log have come.

CREATE TABLE subject_keys (
    key_id BINARY(16) NOT NULL,
    subject_id BINARY(16) NOT NULL,
    wrapped_key VARBINARY(1024) NULL,
    kek_id BINARY(16) NOT NULL,
    created_position BIGINT UNSIGNED NOT NULL,
    destroyed_position BIGINT UNSIGNED NULL,
    PRIMARY KEY (key_id),
    KEY subject_keys_by_subject (subject_id, created_position)
) ENGINE = InnoDB;

-- partitions: the last position of each, 8 bytes big-endian, end to end; empty while unknown.
-- lease_until: microseconds UTC by this database's clock.
CREATE TABLE relay (
    id TINYINT UNSIGNED NOT NULL,
    term BIGINT UNSIGNED NOT NULL,
    holder BINARY(16) NULL,
    lease_until BIGINT NOT NULL,
    position BIGINT UNSIGNED NOT NULL,
    partitions VARBINARY(8192) NOT NULL,
    frontier VARBINARY(8192) NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT relay_is_one_row CHECK (id = 1)
) ENGINE = InnoDB;

INSERT INTO relay (id, term, holder, lease_until, position, partitions, frontier) VALUES (1, 0, NULL, 0, 0, '', '');

CREATE TABLE policies (
    name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    position BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (name)
) ENGINE = InnoDB;
