//! What assess counts of a data file, by the rules of d2c/load_run/census.

use crate::item::Attribute;
use crate::value::TAGS;
use hashbrown::HashMap;

/// Follows the attribute's name in a shape; UTF-8 never has this byte.
const END_OF_NAME: u8 = 0xFF;

/// The heaviest keys, by the weighted Misra-Gries summary of heavy_hitters.py.
pub struct HeavyHitters {
    pub weights: HashMap<Vec<u8>, u64>,
    pub error: u64,
    kept: usize,
    gathered: usize,
}

impl HeavyHitters {
    pub fn new(kept: usize, gathered: usize) -> Self {
        HeavyHitters { weights: HashMap::new(), error: 0, kept, gathered }
    }

    pub fn add(&mut self, key: &[u8], weight: u64) {
        *self.weights.entry_ref(key).or_insert(0) += weight;
        if self.weights.len() > self.gathered * self.kept {
            self.trim();
        }
    }

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
}

/// Counts since they were last taken; only `longest_id_bytes` stays.
#[derive(Default)]
pub struct Counts {
    shapes: HashMap<Vec<u8>, u64>,
    inexact: HashMap<Vec<u8>, u64>,
    pub sizes: HashMap<usize, u64>,
    pub longest_id_bytes: usize,
    shape: Vec<u8>,
}

impl Counts {
    pub fn add_shape(&mut self, attributes: &[Attribute]) {
        self.shape.clear();
        for one in attributes {
            self.shape.extend_from_slice(&one.name);
            self.shape.extend_from_slice(&[END_OF_NAME, one.tag as u8]);
            if one.inexact > 0 {
                *self.inexact.entry_ref(&*one.name).or_insert(0) += one.inexact as u64;
            }
        }
        *self.shapes.entry_ref(self.shape.as_slice()).or_insert(0) += 1;
    }

    pub fn add_document(&mut self, size: usize, id_bytes: usize) {
        *self.sizes.entry(size).or_insert(0) += 1;
        self.longest_id_bytes = self.longest_id_bytes.max(id_bytes);
    }

    /// How many different things have been counted.
    pub fn len(&self) -> usize {
        self.shapes.len() + self.inexact.len() + self.sizes.len()
    }

    /// Take the shapes: names, then their tags, and how many items had them.
    pub fn take_shapes(&mut self) -> Vec<(Vec<String>, u64)> {
        self.shapes.drain().map(|(shape, count)| (names_and_tags(&shape), count)).collect()
    }

    pub fn take_inexact(&mut self) -> Vec<(String, u64)> {
        self.inexact.drain().map(|(name, count)| (text(&name), count)).collect()
    }
}

fn names_and_tags(shape: &[u8]) -> Vec<String> {
    let (mut names, mut tags) = (Vec::new(), Vec::new());
    let mut rest = shape;
    while let Some(end) = rest.iter().position(|&byte| byte == END_OF_NAME) {
        names.push(text(&rest[..end]));
        tags.push(TAGS[rest[end + 1] as usize].to_owned());
        rest = &rest[end + 2..];
    }
    names.extend(tags);
    names
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
