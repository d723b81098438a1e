//! How are the outcomes of commands kept?

use praxis_event_store::port::{StoreError, StoredCommand, WriteError};

use super::expect_rows;
use crate::packed::{Packed, number};
use crate::session::{Session, Statement};

const INSERT: &str = "-- store_mysql::write::commands::insert
INSERT INTO commands (command_key, request, answer_id, version, position, recorded_at)
SELECT SUBSTR(p.f, 1 + (n.i - 1) * 105, 32),
    SUBSTR(p.f, 33 + (n.i - 1) * 105, 33),
    SUBSTR(p.f, 66 + (n.i - 1) * 105, 16),
    CONV(HEX(SUBSTR(p.f, 82 + (n.i - 1) * 105, 8)), 16, 10),
    CONV(HEX(SUBSTR(p.f, 90 + (n.i - 1) * 105, 8)), 16, 10),
    CONV(HEX(SUBSTR(p.f, 98 + (n.i - 1) * 105, 8)), 16, -10)
FROM (SELECT ? AS f UNION ALL SELECT payload FROM events WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (i FOR ORDINALITY)) AS n";

/// For a batch of one, as with events.
const INSERT_ONE: &str = "-- store_mysql::write::commands::insert_one
INSERT INTO commands (command_key, request, answer_id, version, position, recorded_at) VALUES (?, ?, ?, ?, ?, ?)";

pub(super) async fn insert(session: &mut Session, commands: &[StoredCommand]) -> Result<(), WriteError> {
    if commands.is_empty() {
        return Ok(());
    }
    if let [command] = commands {
        return expect_rows(session, one(command)?, 1).await;
    }
    let mut packed = Packed::default();
    for command in commands {
        packed.row(
            &[
                &command.key,
                &command.request,
                command.answer_id.as_bytes(),
                &number(command.version)?.to_be_bytes(),
                &number(command.position)?.to_be_bytes(),
                &command.recorded_at.to_be_bytes(),
            ],
            &[],
            &[],
        );
    }
    expect_rows(session, packed.bind_fixed(INSERT), commands.len()).await
}

fn one(command: &StoredCommand) -> Result<Statement<'_>, StoreError> {
    Ok(sqlx::query(INSERT_ONE)
        .bind(command.key.as_slice())
        .bind(command.request.as_slice())
        .bind(command.answer_id.as_bytes().as_slice())
        .bind(number(command.version)?)
        .bind(number(command.position)?)
        .bind(command.recorded_at))
}
