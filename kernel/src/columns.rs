//! Arrow columns: the buffers that Arrow reads are those that were written here.

use crate::digests::Digests;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};

pub type Buffers = (Owned, Owned);

/// Bytes that Python reads where they are.
#[pyclass(frozen)]
pub struct Owned(Vec<u8>);

#[pymethods]
impl Owned {
    /// https://docs.python.org/3/c-api/typeobj.html#c.PyBufferProcs.bf_getbuffer
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        let bytes = &slf.get().0;
        let (start, size) = (bytes.as_ptr() as *mut c_void, bytes.len() as ffi::Py_ssize_t);
        // Read-only, and the view keeps this object.
        match unsafe { ffi::PyBuffer_FillInfo(view, slf.as_ptr(), start, size, 1, flags) } {
            0 => Ok(()),
            _ => Err(PyErr::fetch(slf.py())),
        }
    }
}

/// A column of binaries or strings.
#[derive(Default)]
pub struct Texts {
    /// The end of each row in `data`, in the bytes of an `i32`.
    ends: Vec<u8>,
    /// Where the next row is written.
    pub data: Vec<u8>,
}

impl Texts {
    pub fn push(&mut self, text: &[u8]) {
        self.data.extend_from_slice(text);
        self.end_row();
    }

    /// End a row that was written to `data`.
    pub fn end_row(&mut self) {
        self.ends.extend_from_slice(&(self.data.len() as i32).to_le_bytes());
    }

    /// Take the rows: their offsets and their data.
    fn take(&mut self) -> Buffers {
        // The next rows are about as many.
        let next = [&self.ends, &self.data].map(|one| Vec::with_capacity(one.len() + one.len() / 4));
        let [next_ends, next_data] = next;
        let ends = std::mem::replace(&mut self.ends, next_ends);
        let offsets = [&0i32.to_le_bytes(), ends.as_slice()].concat();
        (Owned(offsets), Owned(std::mem::replace(&mut self.data, next_data)))
    }
}

/// A column of whole numbers, some of which are missing.
#[derive(Default)]
struct Wholes {
    values: Vec<u8>,
    is_there: Vec<u8>,
}

impl Wholes {
    fn push(&mut self, value: Option<i64>) {
        let place = self.values.len() / 8;
        if place % 8 == 0 {
            self.is_there.push(0);
        }
        self.is_there[place / 8] |= (value.is_some() as u8) << (place % 8);
        self.values.extend_from_slice(&value.unwrap_or(0).to_le_bytes());
    }

    /// Take the rows: which of them are there, and their values.
    fn take(&mut self) -> Buffers {
        (Owned(std::mem::take(&mut self.is_there)), Owned(std::mem::take(&mut self.values)))
    }
}

/// Rows that wait to be taken: texts, and if they are digested, a digest and two numbers with each.
#[pyclass]
#[derive(Default)]
pub struct Rows {
    pub texts: Texts,
    pub digests: Digests,
    wholes: [Wholes; 2],
}

#[pymethods]
impl Rows {
    #[new]
    fn new() -> Self {
        Rows::default()
    }

    /// The number of rows, and that of the bytes of their texts.
    fn waiting(&self) -> (usize, usize) {
        (self.texts.ends.len() / 4, self.texts.data.len())
    }

    fn push(&mut self, text: &[u8]) {
        self.texts.push(text);
    }

    fn push_digest(&mut self, text: &[u8], digest: &[u8], one: Option<i64>, other: Option<i64>) {
        self.texts.push(text);
        self.digests.column.push(digest);
        self.push_wholes([one, other]);
    }

    fn take(&mut self) -> Vec<Buffers> {
        let [one, other] = &mut self.wholes;
        vec![self.texts.take(), self.digests.column.take(), one.take(), other.take()]
    }
}

impl Rows {
    /// End a row whose document was written to `Digests::waiting`.
    pub fn end_digested(&mut self, wholes: [Option<i64>; 2]) {
        self.digests.end_document();
        self.push_wholes(wholes);
    }

    fn push_wholes(&mut self, wholes: [Option<i64>; 2]) {
        self.wholes.iter_mut().zip(wholes).for_each(|(column, value)| column.push(value));
    }
}
