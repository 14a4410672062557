//! Maps the common items of an export. Whatever is not certain here is handed back, line by line, to d2c's own mapper,
//! which is the reference: a rejected item, a damaged line, a name twice, an odd number.

mod census;
mod columns;
mod digests;
mod inflate;
mod item;
mod number;
mod rules;
mod scan;
mod stored;
mod value;

use census::{Counts, HeavyHitters};
use columns::{Owned, Texts, Wholes};
use digests::Digests;
use inflate::bytes_of;
use item::{ItemMapper, Outcome};
use memchr::memchr;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rules::Makes;
use stored::{Reader, Stored};
use value::Walk;

/// Of what d2c and the kernel expect of each other.
const VERSION: u32 = 2;

type Buffers = (Owned, Owned);
/// Names and then as many tags, with their number; inexact numbers by name; numbers of documents by size; the longest id.
type Census = (Vec<(Vec<String>, u64)>, Vec<(String, u64)>, Vec<(usize, u64)>, usize);

fn parsed<'a, T: serde::Deserialize<'a>>(rules: &'a str) -> PyResult<T> {
    serde_json::from_str(rules).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// The items of one table.
#[pyclass]
struct Items {
    mapper: ItemMapper,
    /// Documents, expired items and bytes of documents, up to a line that is handed back.
    sums: [usize; 3],
    counts: Counts,
    partitions: HeavyHitters,
    /// Documents, or identities of those that are digested.
    texts: Texts,
    digests: Digests,
    expiries: Wholes,
    identity: Vec<u8>,
    is_utf8: bool,
}

#[pymethods]
impl Items {
    #[new]
    fn new(rules: &str, kept: usize, gathered: usize) -> PyResult<Self> {
        Ok(Items {
            mapper: ItemMapper::new(parsed(rules)?),
            sums: [0; 3],
            counts: Counts::default(),
            partitions: HeavyHitters::new(kept, gathered),
            texts: Texts::default(),
            digests: Digests::default(),
            expiries: Wholes::default(),
            identity: Vec::new(),
            is_utf8: true,
        })
    }

    /// Map the lines of a block from a place on, up to one that is handed back: where it begins and ends, and how many
    /// documents, expired items and bytes of documents there were before. Without one, both are the block's end.
    fn map(&mut self, block: &[u8], at: usize, now: i64) -> (usize, usize, usize, usize, usize) {
        let mut attributes = Vec::new();
        let mut walk = Walk::new(block, at, self.mapper.rules.style());
        let mut start = at;
        if at == 0 {
            self.is_utf8 = is_utf8(block);
        }
        while start < block.len() && (self.is_utf8 || is_utf8(&block[start..line_end(block, start)])) {
            let Some(outcome) = self.mapper.map(&mut walk, &mut attributes, now) else { break };
            if self.mapper.rules.makes == Makes::Census {
                self.counts.add_shape(&attributes);
            }
            match outcome {
                Outcome::Expired => self.sums[1] += 1,
                Outcome::Document { expires_at } => self.keep(expires_at),
            }
            start = walk.cursor.at;
        }
        self.digests.finish();
        let end = line_end(block, start);
        let [documents, expired, document_bytes] = std::mem::take(&mut self.sums);
        (start, end, documents, expired, document_bytes)
    }

    /// The rows and bytes that wait to be taken.
    fn waiting(&self) -> (usize, usize) {
        self.texts.size()
    }

    fn push_document(&mut self, body: &[u8]) {
        self.texts.push(body);
    }

    fn take_documents(&mut self) -> Buffers {
        self.texts.take()
    }

    fn push_digest(&mut self, identity: &[u8], digest: &[u8], expires_at: Option<i64>) {
        self.texts.push(identity);
        self.digests.column.push(digest);
        self.expiries.push(expires_at);
    }

    fn take_digests(&mut self) -> (Buffers, Buffers, Buffers) {
        (self.texts.take(), self.digests.column.take(), self.expiries.take())
    }

    /// Add to the weight of a partition key, between those of the lines before and after.
    fn weigh(&mut self, key: &str, weight: u64) {
        self.partitions.add(key.as_bytes(), weight);
    }

    /// How many different things have been counted and not been taken.
    fn counted(&self) -> usize {
        self.counts.len()
    }

    fn take_counts(&mut self) -> Census {
        let sizes = self.counts.sizes.drain().collect();
        let longest = std::mem::take(&mut self.counts.longest_id_bytes);
        (self.counts.take_shapes(), self.counts.take_inexact(), sizes, longest)
    }

    /// Take the weights of the heaviest partition keys, and their error.
    fn take_partitions(&mut self) -> (Vec<(String, u64)>, u64) {
        let weights = self.partitions.weights.drain();
        let weights = weights.map(|(key, weight)| (String::from_utf8_lossy(&key).into_owned(), weight)).collect();
        (weights, std::mem::take(&mut self.partitions.error))
    }
}

fn line_end(block: &[u8], start: usize) -> usize {
    memchr(b'\n', &block[start..]).map_or(block.len(), |length| start + length)
}

fn is_utf8(text: &[u8]) -> bool {
    simdutf8::basic::from_utf8(text).is_ok()
}

impl Items {
    fn keep(&mut self, expires_at: Option<i64>) {
        let mapper = &self.mapper;
        let size = mapper.document_bytes;
        self.sums[0] += 1;
        self.sums[2] += size;
        match mapper.rules.makes {
            Makes::Documents => {
                mapper.write_document(&mut self.texts.data);
                self.texts.end_row();
            }
            Makes::Census => {
                self.counts.add_document(size, mapper.id.len());
                let mut key = Vec::with_capacity(mapper.partition_key.len() + 2);
                key.push(b'[');
                key.extend_from_slice(&mapper.partition_key);
                key.push(b']');
                self.partitions.add(&key, (size + mapper.rules.system_properties_bytes) as u64);
            }
            Makes::Digests => {
                let identity = &mut self.identity;
                identity.clear();
                identity.push(b'[');
                identity.extend_from_slice(&mapper.partition_key);
                identity.push(b',');
                scan::write_string(&mapper.id, identity);
                identity.push(b']');
                if in_sample(identity, mapper.rules.sample) {
                    self.texts.push(identity);
                    mapper.write_document(&mut self.digests.waiting);
                    self.digests.end_document();
                    self.expiries.push(expires_at);
                }
            }
        }
    }
}

fn in_sample(identity: &[u8], sample: f64) -> bool {
    sample >= 4_294_967_296.0 || (crc32fast::hash(identity) as f64) < sample
}

/// The stored documents of one table.
#[pyclass]
struct Documents {
    reader: Reader,
    identities: Texts,
    digests: Digests,
    ttls: Wholes,
    written_at: Wholes,
}

#[pymethods]
impl Documents {
    #[new]
    fn new(rules: &str) -> PyResult<Self> {
        Ok(Documents {
            reader: Reader::new(parsed::<Stored>(rules)?),
            identities: Texts::default(),
            digests: Digests::default(),
            ttls: Wholes::default(),
            written_at: Wholes::default(),
        })
    }

    /// Read the rows of a column from one on, up to one that is handed back; without one, up to the last.
    ///
    /// `offsets` has one more than there are rows, in bytes of `data`.
    fn read(&mut self, offsets: &[u8], data: PyBuffer<u8>, row: usize) -> usize {
        let offset = |place: usize| -> usize {
            i32::from_le_bytes(offsets[place * 4..place * 4 + 4].try_into().unwrap()) as usize
        };
        let rows = offsets.len() / 4 - 1;
        let Some(data) = bytes_of(&data) else { return row };
        let is_left = |row: &usize| !self.read_row(&data[offset(*row)..offset(*row + 1)]);
        let left = (row..rows).find(is_left).unwrap_or(rows);
        self.digests.finish();
        left
    }

    fn waiting(&self) -> (usize, usize) {
        self.identities.size()
    }

    fn push(&mut self, identity: &[u8], digest: &[u8], ttl: Option<i64>, written_at: i64) {
        self.identities.push(identity);
        self.digests.column.push(digest);
        self.ttls.push(ttl);
        self.written_at.push(Some(written_at));
    }

    fn take(&mut self) -> (Buffers, Buffers, Buffers, Buffers) {
        (self.identities.take(), self.digests.column.take(), self.ttls.take(), self.written_at.take())
    }
}

impl Documents {
    /// Read a row; returns false if it is left.
    fn read_row(&mut self, text: &[u8]) -> bool {
        let Some(found) = is_utf8(text).then(|| self.reader.read(text)).flatten() else { return false };
        if let Some(found) = found.filter(|_| in_sample(&self.reader.identity, self.reader.rules.sample)) {
            self.identities.push(&self.reader.identity);
            self.reader.write_content(&found, &mut self.digests.waiting);
            self.digests.end_document();
            self.ttls.push(found.ttl);
            self.written_at.push(Some(found.written_at));
        }
        true
    }
}

#[pymodule]
fn d2c_kernel(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("VERSION", VERSION)?;
    module.add_class::<inflate::Inflater>()?;
    module.add_function(wrap_pyfunction!(inflate::gunzip, module)?)?;
    module.add_class::<Items>()?;
    module.add_class::<Documents>()
}
