//! Arrow columns: the buffers that Arrow reads are those that were written here.

use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};

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

    /// The number of rows, and that of their bytes.
    pub fn size(&self) -> (usize, usize) {
        (self.ends.len() / 4, self.data.len())
    }

    /// Take the rows: their offsets and their data.
    pub fn take(&mut self) -> (Owned, Owned) {
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
pub struct Wholes {
    values: Vec<u8>,
    is_there: Vec<u8>,
}

impl Wholes {
    pub fn push(&mut self, value: Option<i64>) {
        let place = self.values.len() / 8;
        if place % 8 == 0 {
            self.is_there.push(0);
        }
        self.is_there[place / 8] |= (value.is_some() as u8) << (place % 8);
        self.values.extend_from_slice(&value.unwrap_or(0).to_le_bytes());
    }

    /// Take the rows: which of them are there, and their values.
    pub fn take(&mut self) -> (Owned, Owned) {
        (Owned(std::mem::take(&mut self.is_there)), Owned(std::mem::take(&mut self.values)))
    }
}
