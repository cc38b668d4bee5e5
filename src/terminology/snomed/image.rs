//! The stored form of an edition: its columns one after the other, numbers with their lowest byte first, each column filled up
//! to eight bytes, in pieces. A layout (JSON) says how long each is. Reading it back is copying: an edition is ready as fast as its
//! bytes arrive. What was read is checked, so that a damaged one is refused and not answered from.

use serde_json::{Value, json};

use super::edition::{Edition, EditionVersion};

/// The form of this version. Whoever changes the columns raises it; older ones are then refused, to be loaded anew.
const FORM: u64 = 1;

/// The size of a piece before compression.
const PIECE: usize = 1 << 20;

enum Column<'e> {
    Bytes(&'e mut Vec<u8>),
    Shorts(&'e mut Vec<u16>),
    Words(&'e mut Vec<u32>),
    Longs(&'e mut Vec<u64>),
}

impl Column<'_> {
    const fn width(&self) -> usize {
        match self {
            Self::Bytes(_) => 1,
            Self::Shorts(_) => 2,
            Self::Words(_) => 4,
            Self::Longs(_) => 8,
        }
    }

    const fn len(&self) -> usize {
        match self {
            Self::Bytes(list) => list.len(),
            Self::Shorts(list) => list.len(),
            Self::Words(list) => list.len(),
            Self::Longs(list) => list.len(),
        }
    }

    fn reserve(&mut self, count: usize) {
        match self {
            Self::Bytes(list) => list.reserve_exact(count),
            Self::Shorts(list) => list.reserve_exact(count),
            Self::Words(list) => list.reserve_exact(count),
            Self::Longs(list) => list.reserve_exact(count),
        }
    }

    /// Adds items; the length of `bytes` is a multiple of the width.
    fn extend(&mut self, bytes: &[u8]) {
        match self {
            Self::Bytes(list) => list.extend_from_slice(bytes),
            Self::Shorts(list) => list.extend(bytes.as_chunks().0.iter().map(|item| u16::from_le_bytes(*item))),
            Self::Words(list) => list.extend(bytes.as_chunks().0.iter().map(|item| u32::from_le_bytes(*item))),
            Self::Longs(list) => list.extend(bytes.as_chunks().0.iter().map(|item| u64::from_le_bytes(*item))),
        }
    }

    fn write(&self, out: &mut dyn FnMut(&[u8])) {
        match self {
            Self::Bytes(list) => list.chunks(PIECE).for_each(out),
            Self::Shorts(list) => list.iter().for_each(|item| out(&item.to_le_bytes())),
            Self::Words(list) => list.iter().for_each(|item| out(&item.to_le_bytes())),
            Self::Longs(list) => list.iter().for_each(|item| out(&item.to_le_bytes())),
        }
    }
}

impl Edition {
    fn columns(&mut self) -> [Column<'_>; 24] {
        let (attributes, texts) = (&mut self.attributes, &mut self.texts);
        [
            Column::Longs(&mut self.ids),
            Column::Longs(self.active.words()),
            Column::Longs(self.defined.words()),
            Column::Words(&mut self.times),
            Column::Shorts(&mut self.modules),
            Column::Longs(&mut self.module_ids),
            Column::Words(&mut self.parents.starts),
            Column::Words(&mut self.parents.items),
            Column::Words(&mut self.children.starts),
            Column::Words(&mut self.children.items),
            Column::Words(&mut attributes.targets.starts),
            Column::Words(&mut attributes.targets.items),
            Column::Shorts(&mut attributes.types),
            Column::Words(&mut attributes.type_concepts),
            Column::Shorts(&mut attributes.groups),
            Column::Words(&mut texts.offsets.starts),
            Column::Words(&mut texts.offsets.items),
            Column::Shorts(&mut texts.lengths),
            Column::Bytes(&mut texts.kinds),
            Column::Shorts(&mut texts.languages),
            Column::Longs(&mut self.refset_ids),
            Column::Words(&mut self.refsets.starts),
            Column::Words(&mut self.refsets.items),
            Column::Bytes(&mut texts.arena),
        ]
    }
}

/// Writes the stored form: the layout, and each piece to `out`. The edition is used up.
pub fn write<E>(mut edition: Edition, out: &mut dyn FnMut(Vec<u8>) -> Result<(), E>) -> Result<String, E> {
    let version = edition.version;
    let columns = edition.columns();
    let lengths: Vec<usize> = columns.iter().map(Column::len).collect();
    let mut piece: Vec<u8> = Vec::with_capacity(PIECE * 2);
    let mut failed = None;
    for column in columns {
        let mut written = 0;
        column.write(&mut |bytes| {
            piece.extend_from_slice(bytes);
            written += bytes.len();
            // Pieces end between items of eight bytes.
            while piece.len() >= PIECE && failed.is_none() {
                let rest = piece.split_off(PIECE);
                failed = out(std::mem::replace(&mut piece, rest)).err();
            }
        });
        piece.resize(piece.len() + padding(written), 0);
        if let Some(failed) = failed {
            return Err(failed);
        }
    }
    if !piece.is_empty() {
        out(piece)?;
    }
    Ok(json!({ "form": FORM, "module": version.module, "date": version.date, "columns": lengths }).to_string())
}

const fn padding(length: usize) -> usize {
    (8 - length % 8) % 8
}

/// Takes up the pieces of a stored edition.
#[derive(Debug)]
pub struct Reader {
    edition: Edition,
    lengths: Vec<usize>,
    /// The column that is being read, and how many of its bytes are still to come, filling included.
    column: usize,
    left: usize,
}

impl Reader {
    /// A reader for an edition of this layout; none where it was stored by another version of this program.
    #[must_use]
    pub fn new(layout: &str) -> Option<Self> {
        let layout: Value = serde_json::from_str(layout).ok()?;
        let number = |name: &str| layout.get(name).and_then(Value::as_u64);
        let lengths = layout.get("columns")?.as_array()?.iter();
        let lengths: Vec<usize> = lengths.filter_map(|length| usize::try_from(length.as_u64()?).ok()).collect();
        let version = EditionVersion { module: number("module")?, date: u32::try_from(number("date")?).ok()? };
        let mut edition = Edition { version, ..Edition::default() };
        let columns = edition.columns();
        if number("form") != Some(FORM) || columns.len() != lengths.len() {
            return None;
        }
        for (mut column, length) in columns.into_iter().zip(&lengths) {
            column.reserve(*length);
        }
        let mut reader = Self { edition, lengths, column: 0, left: 0 };
        reader.left = reader.bytes_of(0);
        Some(reader)
    }

    fn bytes_of(&mut self, column: usize) -> usize {
        let width = self.edition.columns().get(column).map_or(1, Column::width);
        let bytes = self.lengths.get(column).copied().unwrap_or_default().saturating_mul(width);
        bytes.saturating_add(padding(bytes))
    }

    /// Takes the next piece.
    pub fn push(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() && self.column < self.lengths.len() {
            let (now, later) = piece.split_at(self.left.min(piece.len()));
            piece = later;
            let length = self.lengths.get(self.column).copied().unwrap_or_default();
            if let Some(column) = self.edition.columns().get_mut(self.column) {
                let missing = (length - column.len()) * column.width();
                column.extend(now.get(..missing.min(now.len())).unwrap_or_default());
            }
            self.left -= now.len();
            self.advance();
        }
    }

    fn advance(&mut self) {
        while self.left == 0 && self.column < self.lengths.len() {
            self.column += 1;
            self.left = self.bytes_of(self.column);
        }
    }

    /// The edition; none where pieces are missing or contradict each other.
    #[must_use]
    pub fn finish(mut self) -> Option<Edition> {
        self.advance();
        self.edition.complete();
        (self.column == self.lengths.len() && self.edition.is_sound()).then_some(self.edition)
    }
}

impl Edition {
    /// True where all positions are within what they point into.
    fn is_sound(&self) -> bool {
        let count = self.ids.len();
        let points = |lists: &super::edition::Lists<u32>, owners: usize, end: usize| {
            lists.starts.len() == owners + 1
                && lists.starts.is_sorted()
                && lists.starts.last().is_some_and(|last| *last as usize == end)
        };
        let within = |items: &[u32], end: usize| items.iter().all(|item| (*item as usize) < end);
        let (attributes, texts) = (&self.attributes, &self.texts);
        let relations = [&self.parents, &self.children, &attributes.targets];
        let texts_fit = texts.offsets.items.iter().zip(&texts.lengths).all(|(offset, length)| {
            (*offset as usize).checked_add(usize::from(*length)).is_some_and(|end| end <= texts.arena.len())
        });
        self.ids.is_sorted()
            && [self.times.len(), self.modules.len()] == [count; 2]
            && relations.iter().all(|lists| points(lists, count, lists.items.len()) && within(&lists.items, count))
            && [attributes.types.len(), attributes.groups.len()] == [attributes.targets.items.len(); 2]
            && within(&attributes.type_concepts, count)
            && points(&texts.offsets, count, texts.lengths.len())
            && [texts.kinds.len(), texts.languages.len()] == [texts.lengths.len(); 2]
            && texts_fit
            && points(&self.refsets, self.refset_ids.len(), self.refsets.items.len())
            && within(&self.refsets.items, count)
    }
}
