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
mod shape;
mod stored;
mod value;

use census::Counts;
use columns::Rows;
use inflate::bytes_of;
use item::{ItemMapper, Outcome};
use memchr::memchr;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rules::Makes;
use stored::Reader;
use value::Walk;

/// Of what d2c and the kernel expect of each other.
const VERSION: u32 = 3;

fn parsed<'a, T: serde::Deserialize<'a>>(rules: &'a str) -> PyResult<T> {
    serde_json::from_str(rules).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// The items of one table.
#[pyclass]
struct Items {
    mapper: ItemMapper,
    is_utf8: bool,
}

#[pymethods]
impl Items {
    #[new]
    fn new(rules: &str) -> PyResult<Self> {
        Ok(Items { mapper: ItemMapper::new(parsed(rules)?), is_utf8: true })
    }

    /// Map the lines of a block from a place on, up to one that is handed back: where it begins and ends, and how many
    /// documents, expired items and bytes of documents there were before. Without one, both are the block's end.
    fn map(
        &mut self,
        rows: &mut Rows,
        counts: &mut Counts,
        block: &[u8],
        at: usize,
        now: i64,
    ) -> (usize, usize, usize, usize, usize) {
        let mut walk = Walk::new(block, at, self.mapper.rules.style());
        let (mut start, mut documents, mut expired, mut document_bytes) = (at, 0, 0, 0);
        if at == 0 {
            self.is_utf8 = is_utf8(block);
        }
        while start < block.len() && (self.is_utf8 || is_utf8(&block[start..line_end(block, start)])) {
            let Some(outcome) = self.mapper.map(&mut walk, now) else { break };
            if self.mapper.rules.makes == Makes::Census {
                counts.add_shape(&self.mapper.shape_text, self.mapper.inexact());
            }
            match outcome {
                Outcome::Expired => expired += 1,
                Outcome::Document { expires_at } => {
                    documents += 1;
                    document_bytes += self.mapper.document_bytes;
                    self.keep(rows, counts, block, expires_at);
                }
            }
            start = walk.cursor.at;
        }
        rows.digests.finish();
        (start, line_end(block, start), documents, expired, document_bytes)
    }
}

impl Items {
    fn keep(&mut self, rows: &mut Rows, counts: &mut Counts, block: &[u8], expires_at: Option<i64>) {
        let mapper = &mut self.mapper;
        let key = &mut mapper.partition_key;
        match mapper.rules.makes {
            Makes::Documents => {
                mapper.write_document(block, &mut rows.texts.data);
                rows.texts.end_row();
            }
            Makes::Census => {
                key.push(b']');
                counts.add_document(mapper.document_bytes, mapper.id.len());
                counts.weigh(key, (mapper.document_bytes + mapper.rules.system_properties_bytes) as u64);
            }
            Makes::Digests => {
                key.push(b',');
                scan::write_string(&mapper.id, key);
                key.push(b']');
                if in_sample(key, mapper.rules.sample) {
                    rows.texts.push(key);
                    mapper.write_document(block, &mut rows.digests.waiting);
                    rows.end_digested([expires_at, None]);
                }
            }
        }
    }
}

fn line_end(block: &[u8], start: usize) -> usize {
    memchr(b'\n', &block[start..]).map_or(block.len(), |length| start + length)
}

fn is_utf8(text: &[u8]) -> bool {
    simdutf8::basic::from_utf8(text).is_ok()
}

fn in_sample(identity: &[u8], sample: f64) -> bool {
    sample >= 4_294_967_296.0 || (crc32fast::hash(identity) as f64) < sample
}

/// The stored documents of one table.
#[pyclass]
struct Documents {
    reader: Reader,
}

#[pymethods]
impl Documents {
    #[new]
    fn new(rules: &str) -> PyResult<Self> {
        Ok(Documents { reader: Reader::new(parsed(rules)?) })
    }

    /// Read the rows of a column from one on, up to one that is handed back; without one, up to the last.
    ///
    /// `offsets` has one more than there are rows, in bytes of `data`.
    fn read(&mut self, rows: &mut Rows, offsets: &[u8], data: PyBuffer<u8>, row: usize) -> usize {
        let offset = |place: usize| -> usize {
            i32::from_le_bytes(offsets[place * 4..place * 4 + 4].try_into().unwrap()) as usize
        };
        let count = offsets.len() / 4 - 1;
        let Some(data) = bytes_of(&data) else { return row };
        let is_left = |row: &usize| !self.read_row(rows, &data[offset(*row)..offset(*row + 1)]);
        let left = (row..count).find(is_left).unwrap_or(count);
        rows.digests.finish();
        left
    }
}

impl Documents {
    /// Read a row; returns false if it is left.
    fn read_row(&mut self, rows: &mut Rows, text: &[u8]) -> bool {
        let reader = &mut self.reader;
        let Some(found) = is_utf8(text).then(|| reader.read(text)).flatten() else { return false };
        if let Some(found) = found.filter(|_| in_sample(&reader.identity, reader.rules.sample)) {
            rows.texts.push(&reader.identity);
            reader.write_content(text, &mut rows.digests.waiting);
            rows.end_digested([found.ttl, Some(found.written_at)]);
        }
        true
    }
}

#[pymodule]
fn d2c_kernel(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("VERSION", VERSION)?;
    module.add_class::<inflate::Inflater>()?;
    module.add_function(wrap_pyfunction!(inflate::gunzip, module)?)?;
    module.add_function(wrap_pyfunction!(inflate::count_lines, module)?)?;
    module.add_class::<Rows>()?;
    module.add_class::<Counts>()?;
    module.add_class::<Items>()?;
    module.add_class::<Documents>()
}
