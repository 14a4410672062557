//! Decompresses one gzip member, whole or piece by piece. What is wrong with a file, the reference says.

use flate2::{Decompress, FlushDecompress, Status};
use libdeflate_sys::{
    libdeflate_alloc_decompressor, libdeflate_free_decompressor, libdeflate_gzip_decompress_ex,
    libdeflate_result_LIBDEFLATE_SUCCESS,
};
use memchr::memchr_iter;
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

const WINDOW_BITS: u8 = 15;

/// The bytes of a buffer. Nobody writes to them: they are those of a file or of a column.
pub fn bytes_of(buffer: &PyBuffer<u8>) -> Option<&[u8]> {
    let is_plain = buffer.is_c_contiguous();
    // A contiguous buffer has so many bytes there, for as long as it is held.
    is_plain.then(|| unsafe { std::slice::from_raw_parts(buffer.buf_ptr() as *const u8, buffer.len_bytes()) })
}

/// Decompress a file of one gzip member into memory of its size; returns whether that is what it is.
#[pyfunction]
pub fn gunzip(python: Python<'_>, file: PyBuffer<u8>, into: PyBuffer<u8>) -> bool {
    let Some(file) = bytes_of(&file).filter(|_| into.is_c_contiguous() && !into.readonly()) else { return false };
    // Nobody else has this memory yet.
    let out = unsafe { std::slice::from_raw_parts_mut(into.buf_ptr() as *mut u8, into.len_bytes()) };
    python.detach(|| inflated(file, out))
}

/// Count the lines of a block; only its last one may be without an end.
#[pyfunction]
pub fn count_lines(block: &[u8]) -> usize {
    memchr_iter(b'\n', block).count() + !matches!(block.last(), Some(b'\n')) as usize
}

fn inflated(file: &[u8], out: &mut [u8]) -> bool {
    let (mut read, mut written) = (0, 0);
    // Both lengths are those of the slices, and the state lives no longer than this call.
    let result = unsafe {
        let state = libdeflate_alloc_decompressor();
        if state.is_null() {
            return false;
        }
        let (source, target) = (file.as_ptr().cast(), out.as_mut_ptr().cast());
        let result =
            libdeflate_gzip_decompress_ex(state, source, file.len(), target, out.len(), &mut read, &mut written);
        libdeflate_free_decompressor(state);
        result
    };
    result == libdeflate_result_LIBDEFLATE_SUCCESS && read == file.len() && written == out.len()
}

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
