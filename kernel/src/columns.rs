//! Arrow columns as the bytes of their buffers.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::iter;

/// A column of binaries or strings.
#[derive(Default)]
pub struct Texts {
    ends: Vec<i32>,
    data: Vec<u8>,
}

impl Texts {
    pub fn push(&mut self, text: &[u8]) {
        self.data.extend_from_slice(text);
        self.ends.push(self.data.len() as i32);
    }

    /// The number of rows, and that of their bytes.
    pub fn size(&self) -> (usize, usize) {
        (self.ends.len(), self.data.len())
    }

    /// Take the rows: their offsets and their data.
    pub fn take<'py>(&mut self, python: Python<'py>) -> (Bound<'py, PyBytes>, Bound<'py, PyBytes>) {
        let offsets: Vec<u8> = iter::once(&0).chain(&self.ends).flat_map(|offset| offset.to_le_bytes()).collect();
        let taken = (PyBytes::new(python, &offsets), PyBytes::new(python, &self.data));
        self.ends.clear();
        self.data.clear();
        taken
    }
}

/// A column of whole numbers, some of which are missing.
#[derive(Default)]
pub struct Wholes {
    values: Vec<i64>,
    is_there: Vec<u8>,
}

impl Wholes {
    pub fn push(&mut self, value: Option<i64>) {
        if self.values.len() % 8 == 0 {
            self.is_there.push(0);
        }
        if value.is_some() {
            *self.is_there.last_mut().unwrap() |= 1 << (self.values.len() % 8);
        }
        self.values.push(value.unwrap_or(0));
    }

    /// Take the rows: which of them are there, and their values.
    pub fn take<'py>(&mut self, python: Python<'py>) -> (Bound<'py, PyBytes>, Bound<'py, PyBytes>) {
        let values: Vec<u8> = self.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let taken = (PyBytes::new(python, &self.is_there), PyBytes::new(python, &values));
        self.values.clear();
        self.is_there.clear();
        taken
    }
}
