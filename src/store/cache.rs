//! Current resources in memory, in front of a SQLite file, so that a read by id needs no connection. Exact: an entry is
//! given out only while the database is in the very state that the entry is known to be right for, whichever process wrote
//! last (`wal_index`). PostgreSQL has none: asking it whether a row is still current costs as much as reading the row.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::answers::{Answers, Page};
use super::resources::Stored;
use super::search::Found;
use super::touched::Touched;
use super::wal_index::{State, WalIndex};
use crate::search::sql::Dependence;

/// What an entry needs besides its body.
const OVERHEAD: usize = 400;
/// A body beyond this part of the whole is not kept.
const LARGEST_PART: usize = 64;
const SHARDS: usize = 16;

/// The cache of one store.
#[derive(Debug)]
pub(super) struct Cache {
    index: WalIndex,
    /// The state for which entries are right.
    known: RwLock<Option<State>>,
    /// A commit that replaces resources is under way: nothing is taken in.
    closed: AtomicBool,
    /// Nothing is known any more.
    retired: AtomicBool,
    shards: Vec<Mutex<Shard>>,
    /// Bytes that one generation of a shard may hold.
    room: usize,
    answers: Mutex<Answers>,
    /// Bytes that one generation of answers may hold.
    answers_room: usize,
}

/// Two generations: what is used stays in or comes back to the young one; when that is full it becomes the old one, and what
/// was not used meanwhile is forgotten.
#[derive(Debug, Default)]
struct Shard {
    young: HashMap<String, Arc<Stored>>,
    old: HashMap<String, Arc<Stored>>,
    bytes: usize,
}

impl Cache {
    /// A cache of at most about `bytes` for the SQLite file at `database`, which must be open already; none where it has no
    /// wal-index or nothing shall be cached.
    pub(super) fn new(database: &Path, bytes: usize) -> Option<Self> {
        let index = WalIndex::of(database).filter(|_| bytes > 0)?;
        let known = RwLock::new(index.state());
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        let (closed, retired) = (AtomicBool::new(false), AtomicBool::new(false));
        let (answers, answers_room) = (Mutex::default(), bytes / 8);
        Some(Self { index, known, closed, retired, shards, room: bytes / SHARDS / 2, answers, answers_room })
    }

    /// Bytes of the resources in memory, about.
    pub(super) fn held(&self) -> usize {
        let bytes = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let all = shard.young.values().chain(shard.old.values());
            all.map(|stored| stored.body.len()).sum::<usize>()
        };
        self.shards.iter().map(bytes).sum()
    }

    /// The state for which entries are right, where that is the state now.
    pub(super) fn current(&self) -> Option<State> {
        let state = self.index.state()?;
        (*self.known() == Some(state)).then_some(state)
    }

    /// The current version of a resource, where it is known. Ask only with a state from [`Cache::current`] in hand.
    pub(super) fn get(&self, resource_type: &str, id: &str) -> Option<Arc<Stored>> {
        let name = name(resource_type, id);
        let mut shard = self.shard(&name);
        if let Some(stored) = shard.young.get(&name) {
            return Some(Arc::clone(stored));
        }
        let stored = shard.old.remove(&name)?;
        shard.insert(name, Arc::clone(&stored), self.room);
        Some(stored)
    }

    /// Takes in what was read from the database, where that has not changed since `state`, which was current before the read.
    pub(super) fn offer(&self, state: State, stored: &Arc<Stored>) {
        if stored.deleted || stored.body.len() > self.room / LARGEST_PART * 2 || self.index.state() != Some(state) {
            return;
        }
        let name = name(&stored.resource_type, &stored.id);
        let mut shard = self.shard(&name);
        // A commit of ours from here on removes the entry again, because it comes for this lock after it has committed.
        if !self.closed.load(Ordering::SeqCst) && *self.known() == Some(state) {
            shard.insert(name, Arc::clone(stored), self.room);
        }
    }

    /// The page that a statement has answered. Ask only with a state from [`Cache::current`] in hand.
    pub(super) fn answer(&self, name: &str) -> Option<Arc<[Found]>> {
        self.answers().get(name, self.answers_room)
    }

    /// Takes in what a statement has answered, where the database has not changed since `state`, which was current before.
    pub(super) fn offer_answer(&self, state: State, name: String, found: &Arc<[Found]>, dependence: &Dependence) {
        if self.index.state() != Some(state) {
            return;
        }
        let mut answers = self.answers();
        // As in `offer`.
        if !self.closed.load(Ordering::SeqCst) && *self.known() == Some(state) {
            answers.insert(name, Page { found: Arc::clone(found), dependence: dependence.clone() }, self.answers_room);
        }
    }

    /// A transaction of this process is about to commit something else than audit rows.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// A transaction of this process has committed and replaced these; call before anybody is answered. `wrote` says that it
    /// is certain to have written something; `touched`, there where that may be more than audit rows, says what pages must know.
    /// Where another process has committed as well since the last time, everything is forgotten.
    pub(super) fn committed(&self, replaced: &[(String, String)], wrote: bool, touched: Option<&Touched>) {
        if self.retired.load(Ordering::SeqCst) {
            return;
        }
        let state = self.index.state();
        let alone = |state: State, known: State| if wrote { state.is_next(known) } else { state == known };
        if state.zip(*self.known()).is_none_or(|(state, known)| !alone(state, known)) {
            self.forget();
        }
        if let Some(touched) = touched {
            self.answers().forget(touched);
        }
        for (resource_type, id) in replaced {
            let name = name(resource_type, id);
            let mut shard = self.shard(&name);
            shard.young.remove(&name);
            shard.old.remove(&name);
        }
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = state;
        self.closed.store(false, Ordering::SeqCst);
    }

    /// A transaction of this process has ended, and what it did is not certain.
    pub(super) fn uncertain(&self) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.forget();
        self.closed.store(false, Ordering::SeqCst);
    }

    /// The connection was lost: the file that shows commits may have been replaced. Nothing is cached from here on.
    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::SeqCst);
        self.uncertain();
    }

    /// Lets go of the file. Call once no connection of the store is open.
    pub(super) fn release(&self) {
        self.index.release();
    }

    fn forget(&self) {
        *self.answers() = Answers::default();
        for shard in &self.shards {
            *shard.lock().unwrap_or_else(PoisonError::into_inner) = Shard::default();
        }
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> std::sync::RwLockReadGuard<'_, Option<State>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn shard(&self, name: &str) -> MutexGuard<'_, Shard> {
        // Ids that grow with time differ at their end.
        let hash = name.bytes().rev().take(8).fold(0_usize, |hash, byte| hash.wrapping_mul(31) + usize::from(byte));
        let shard = self.shards.get(hash % SHARDS).unwrap_or(&self.shards[0]);
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn insert(&mut self, name: String, stored: Arc<Stored>, room: usize) {
        let size = stored.body.len() + OVERHEAD;
        if self.bytes + size > room {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += size;
        self.young.insert(name, stored);
    }
}

fn name(resource_type: &str, id: &str) -> String {
    let mut name = String::with_capacity(resource_type.len() + id.len() + 1);
    name.push_str(resource_type);
    name.push('/');
    name.push_str(id);
    name
}
