-- Which generations of read models there are. Generation n lives in the schema of this name with _n appended.
CREATE TABLE IF NOT EXISTS generations (
    number INT UNSIGNED NOT NULL AUTO_INCREMENT,
    fingerprint BINARY(8) NOT NULL,
    partitions INT UNSIGNED NOT NULL,
    state VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at BIGINT NOT NULL,
    -- By the clock of this server, microseconds UTC. NULL while the generation is not retired, and as long as its
    -- schema has never been in place: what stands at its name then is not ours to drop.
    retired_at BIGINT NULL,
    PRIMARY KEY (number),
    CONSTRAINT generations_are_in_a_known_state CHECK (state IN ('building', 'ready', 'retired'))
) ENGINE = InnoDB;
