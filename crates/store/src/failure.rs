//! What SQLite and the file system say, in the words of the engine.

use std::io::ErrorKind;
use std::path::Path;

use lab3_engine::StoreError;
use rusqlite::{Error, ErrorCode};

/// An error of SQLite on that file.
pub(crate) fn sqlite(file: &Path, error: &Error) -> StoreError {
    let message = format!("{}: {error}", file.display());
    match error {
        Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DiskFull => StoreError::Full(message),
            ErrorCode::SystemIoFailure => StoreError::Io(message),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => StoreError::InUse(message),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Damaged(message),
            _ => StoreError::Other(message),
        },
        // A column holds what this program never writes there.
        Error::FromSqlConversionFailure(..) | Error::IntegralValueOutOfRange(..) | Error::InvalidColumnType(..) => {
            StoreError::Damaged(message)
        }
        _ => StoreError::Other(message),
    }
}

/// For `map_err`: an error of SQLite on that file.
pub(crate) fn on(file: &Path) -> impl Fn(Error) -> StoreError {
    move |error| sqlite(file, &error)
}

/// An error of the file system on that file.
pub(crate) fn file(file: &Path, error: &std::io::Error) -> StoreError {
    let message = format!("{}: {error}", file.display());
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full(message),
        _ => StoreError::Io(message),
    }
}
