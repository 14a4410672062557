//! The rules of a table, as d2c/load_run/kernel/rules.py writes them.

use crate::number::{Rule, Style};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Rules {
    /// What to make: `documents`, `census` or `digests`.
    pub makes: Makes,
    pub numbers: Rule,
    /// The attributes of the document id, in order.
    pub id: Vec<String>,
    /// The attributes that every item must have, and whether they may be of other types than keys.
    pub required: Vec<(String, bool)>,
    /// The properties of the partition key.
    pub partition_key: Vec<String>,
    /// New names of attributes.
    pub moved: Vec<(String, String)>,
    pub dropped: Vec<String>,
    /// Names of constants, and their JSON.
    pub constants: Vec<(String, String)>,
    pub ttl_attribute: Option<String>,
    pub ignored_after_seconds: i64,
    pub max_ttl_seconds: i64,
    /// A time to live from here on is one in milliseconds.
    pub milliseconds: i64,
    pub ignore_ttl: bool,
    /// A document is in the sample if the checksum of its identity is less.
    pub sample: f64,
    pub has_plus: bool,
    /// What takes the place of ASCII characters in an id of one text, and in one of several.
    pub escapes: [Vec<Option<String>>; 2],
    pub joiner: String,
    pub hash_prefix: String,
    pub max_id_bytes: usize,
    pub max_key_bytes: usize,
    pub max_document_bytes: usize,
    pub kept_id: String,
    /// What the census adds to a document for `_rid` and the like.
    pub system_properties_bytes: usize,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Makes {
    Documents,
    Census,
    Digests,
}

impl Rules {
    pub fn style(&self) -> Style {
        Style { rule: self.numbers, as_float: self.makes == Makes::Digests, has_plus: self.has_plus }
    }

    /// The name of an attribute's property.
    pub fn property_of<'a>(&'a self, name: &'a [u8]) -> &'a [u8] {
        self.moved.iter().find(|(from, _)| from.as_bytes() == name).map_or(name, |(_, to)| to.as_bytes())
    }
}
