//! The shape of the database file, and its way from older shapes to the present one.
//!
//! *Invariant:* a migration that was ever released is never edited; a new one is appended.

use crate::port::RegistryError;
use rusqlite::{Connection, TransactionBehavior};

/// `TMGA`: marks a file as ours, so that no other database is ever migrated.
const APPLICATION_ID: i32 = 0x544d_4741;

const MIGRATIONS: &[&str] = &[include_str!("0001.sql"), include_str!("0002.sql"), include_str!("0003.sql")];

/// Brings a file to the present shape; an empty one gets it whole.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), RegistryError> {
    migrate_by(connection, MIGRATIONS)
}

fn migrate_by(connection: &mut Connection, migrations: &[&str]) -> Result<(), RegistryError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let pragma = |name: &str| transaction.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let damaged = |what: String| Err(RegistryError::Damaged { what });
    if application != APPLICATION_ID && (tables > 0 || application != 0) {
        return damaged("the file is a database, but not a registry".to_owned());
    }
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    let Some(pending) = migrations.get(done..) else {
        return damaged(format!("the file has version {version}, this software knows {} versions", migrations.len()));
    };
    if pending.is_empty() {
        return Ok(());
    }
    for migration in pending {
        transaction.execute_batch(migration)?;
    }
    // Walks every row, so only where rows may have been moved.
    if transaction.prepare("PRAGMA foreign_key_check")?.exists([])? {
        return damaged("a row refers to one that does not exist".to_owned());
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", i32::try_from(migrations.len()).unwrap_or(i32::MAX))?;
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Connection {
        Connection::open_in_memory().unwrap()
    }

    fn version(connection: &Connection) -> i32 {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }

    #[test]
    fn rows_of_an_older_file_are_still_there() {
        let mut file = memory();
        migrate_by(&mut file, &["CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (7)"]).unwrap();
        let newer = ["-", "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 1", "CREATE TABLE b (x INTEGER) STRICT"];
        migrate_by(&mut file, &newer).unwrap();
        assert_eq!(version(&file), 3);
        assert_eq!(file.query_row("SELECT x + y FROM a", [], |row| row.get::<_, i32>(0)).unwrap(), 8);
        migrate_by(&mut file, &newer).unwrap();
    }

    #[test]
    fn a_failing_migration_leaves_the_file_as_it_was() {
        let mut file = memory();
        migrate_by(&mut file, &["CREATE TABLE a (x INTEGER) STRICT"]).unwrap();
        assert!(migrate_by(&mut file, &["-", "CREATE TABLE b (x INTEGER) STRICT; CREATE TABLE b (y)"]).is_err());
        assert_eq!(version(&file), 1);
        assert!(file.prepare("SELECT * FROM b").is_err());
    }

    #[test]
    fn orphans_made_by_a_migration_are_found() {
        let mut file = memory();
        let first = "CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT;
                     CREATE TABLE b (a INTEGER REFERENCES a (id)) STRICT;
                     INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)";
        migrate_by(&mut file, &[first]).unwrap();
        file.pragma_update(None, "foreign_keys", false).unwrap();
        let error = migrate_by(&mut file, &["-", "DELETE FROM a"]).unwrap_err();
        assert!(matches!(error, RegistryError::Damaged { .. }), "{error}");
    }

    #[test]
    fn a_newer_file_and_a_foreign_one_are_refused() {
        let mut newer = memory();
        migrate_by(&mut newer, &["CREATE TABLE a (x INTEGER)", "CREATE TABLE b (x INTEGER)"]).unwrap();
        assert!(matches!(migrate_by(&mut newer, &["-"]), Err(RegistryError::Damaged { .. })));
        let mut foreign = memory();
        foreign.execute_batch("CREATE TABLE theirs (x INTEGER)").unwrap();
        assert!(matches!(migrate(&mut foreign), Err(RegistryError::Damaged { .. })));
        assert!(foreign.prepare("SELECT * FROM body").is_err());
    }
}
