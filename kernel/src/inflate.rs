//! Decompresses one gzip member, piece by piece. What is wrong with a file, the reference says.

use flate2::{Decompress, FlushDecompress, Status};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

const WINDOW_BITS: u8 = 15;

#[pyclass(unsendable)]
pub struct Inflater {
    state: Decompress,
    piece: Vec<u8>,
}

#[pymethods]
impl Inflater {
    #[new]
    fn new() -> Self {
        Inflater { state: Decompress::new_gzip(WINDOW_BITS), piece: Vec::new() }
    }

    /// Decompress from a place of the input on, to at most so many bytes: the bytes, the place that was reached, whether
    /// the member is at its end, and whether it is sound so far.
    fn inflate<'py>(
        &mut self,
        python: Python<'py>,
        input: &[u8],
        at: usize,
        most: usize,
    ) -> (Bound<'py, PyBytes>, usize, bool, bool) {
        self.piece.clear();
        self.piece.reserve_exact(most);
        let before = self.state.total_in();
        let status = self.state.decompress_vec(&input[at..], &mut self.piece, FlushDecompress::None);
        let reached = at + (self.state.total_in() - before) as usize;
        let is_end = matches!(status, Ok(Status::StreamEnd));
        (PyBytes::new(python, &self.piece), reached, is_end, status.is_ok())
    }
}
