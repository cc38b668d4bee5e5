//! Tells whether anybody has committed to a SQLite file, without asking SQLite: the head of the wal-index (the `-shm` file)
//! changes with every commit of every process before that commit is acknowledged, and counts them
//! (<https://www.sqlite.org/walformat.html#the_wal_index_header>). Used by `cache`.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// One copy of the head.
const HEAD: usize = 48;
/// Where the counter of commits stands in it.
const CHANGES: std::ops::Range<usize> = 8..12;

/// Which state of the database a value belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State([u8; HEAD]);

impl State {
    /// True where exactly one commit lies between the two.
    pub(super) fn is_next(self, before: Self) -> bool {
        self.changes() == before.changes().wrapping_add(1)
    }

    fn changes(self) -> u32 {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(self.0.get(CHANGES).unwrap_or(&[0; 4]));
        u32::from_ne_bytes(bytes)
    }
}

/// The wal-index of one file.
#[derive(Debug)]
pub(super) struct WalIndex {
    file: Arc<File>,
    identity: (u64, u64),
}

/// Files that are held open, with the number of their users. SQLite's own locks lie on the wal-index, and a process loses all
/// its locks on a file as soon as it closes any descriptor of it: so nothing here is closed before the connections are.
static HELD: Mutex<Option<Held>> = Mutex::new(None);

type Held = HashMap<(u64, u64), (Arc<File>, usize)>;

impl WalIndex {
    /// The wal-index of a database that this process has open; none where there is none, as in memory.
    pub(super) fn of(database: &Path) -> Option<Self> {
        let mut name = std::fs::canonicalize(database).ok()?.into_os_string();
        name.push("-shm");
        let metadata = std::fs::metadata(&name).ok()?;
        let identity = (metadata.dev(), metadata.ino());
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        let held = held.get_or_insert_default();
        if let Some((file, users)) = held.get_mut(&identity) {
            *users += 1;
            return Some(Self { file: Arc::clone(file), identity });
        }
        let file = Arc::new(File::open(&name).ok()?);
        held.insert(identity, (Arc::clone(&file), 1));
        Some(Self { file, identity })
    }

    /// The state of the database now; none where it cannot be told.
    pub(super) fn state(&self) -> Option<State> {
        let mut head = [0; HEAD];
        self.file.read_exact_at(&mut head, 0).ok()?;
        Some(State(head))
    }

    /// Lets go of the file. Call once no connection of the store is open.
    pub(super) fn release(&self) {
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(held) = held.as_mut() else { return };
        if let Some((_, users)) = held.get_mut(&self.identity) {
            *users -= 1;
            if *users == 0 {
                held.remove(&self.identity);
            }
        }
    }
}
