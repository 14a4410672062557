//! What assess counts of a data file, by the rules of d2c/load_run/census.

use hashbrown::HashMap;
use pyo3::prelude::*;

/// Counts since they were last taken, and the heaviest partition keys of a file, by the weighted Misra-Gries summary of
/// heavy_hitters.py.
#[pyclass]
pub struct Counts {
    shapes: HashMap<Vec<u8>, u64>,
    inexact: HashMap<Vec<u8>, u64>,
    sizes: HashMap<usize, u64>,
    longest_id_bytes: usize,
    weights: HashMap<Vec<u8>, u64>,
    error: u64,
    kept: usize,
    gathered: usize,
}

type Numbers<Key> = Vec<(Key, u64)>;

#[pymethods]
impl Counts {
    #[new]
    fn new(kept: usize, gathered: usize) -> Self {
        let (shapes, inexact, sizes, weights) = Default::default();
        Counts { shapes, inexact, sizes, longest_id_bytes: 0, weights, error: 0, kept, gathered }
    }

    /// Add to the weight of a partition key.
    pub fn weigh(&mut self, key: &[u8], weight: u64) {
        *self.weights.entry_ref(key).or_insert(0) += weight;
        if self.weights.len() > self.gathered * self.kept {
            self.trim();
        }
    }

    /// How many different things have been counted.
    fn counted(&self) -> usize {
        self.shapes.len() + self.inexact.len() + self.sizes.len()
    }

    /// Take the numbers of items by the text of their shape, of inexact numbers by name, of documents by size, and the
    /// longest id.
    fn take(&mut self) -> (Numbers<Vec<u8>>, Numbers<Vec<u8>>, Numbers<usize>, usize) {
        let (shapes, inexact, sizes) = (self.shapes.drain(), self.inexact.drain(), self.sizes.drain());
        (shapes.collect(), inexact.collect(), sizes.collect(), std::mem::take(&mut self.longest_id_bytes))
    }

    /// Take the weights of the heaviest partition keys, and their error.
    fn take_partitions(&mut self) -> (Numbers<Vec<u8>>, u64) {
        (self.weights.drain().collect(), std::mem::take(&mut self.error))
    }
}

impl Counts {
    fn trim(&mut self) {
        let mut ordered: Vec<u64> = self.weights.values().copied().collect();
        let (_, cut, _) = ordered.select_nth_unstable_by(self.kept, |one, other| other.cmp(one));
        let cut = *cut;
        self.weights.retain(|_, weight| {
            let is_kept = *weight > cut;
            *weight = weight.saturating_sub(cut);
            is_kept
        });
        self.error += cut;
    }

    pub fn add_shape<'a>(&mut self, shape: &[u8], inexact: impl Iterator<Item = (&'a [u8], usize)>) {
        *self.shapes.entry_ref(shape).or_insert(0) += 1;
        for (name, numbers) in inexact {
            *self.inexact.entry_ref(name).or_insert(0) += numbers as u64;
        }
    }

    pub fn add_document(&mut self, size: usize, id_bytes: usize) {
        *self.sizes.entry(size).or_insert(0) += 1;
        self.longest_id_bytes = self.longest_id_bytes.max(id_bytes);
    }
}
