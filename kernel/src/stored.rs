//! A stored document to its identity and digest, by the rules of d2c/mapping/comparison.py.

use crate::number::{plain_integer, Rule, Style};
use crate::shape::{Layout, Shape, Values};
use crate::value::Walk;
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Stored {
    pub system: Vec<String>,
    pub partition_key: Vec<String>,
    /// Names and canonical JSON of the constants that distinguish tables of one container.
    pub constants: Vec<(String, String)>,
    pub has_ttl: bool,
    pub sample: f64,
    pub has_plus: bool,
}

/// Which members of a document are what, by their places.
struct Roles {
    constants: Vec<Option<usize>>,
    partition_key: Vec<Option<usize>>,
    id: usize,
    written_at: usize,
    ttl: Option<usize>,
    /// Of all that a digest does not leave out.
    layout: Layout,
}

/// Reads documents; what it made of the last one is in its fields.
pub struct Reader {
    pub rules: Stored,
    shape: Shape,
    values: Values,
    roles: Option<Roles>,
    pub identity: Vec<u8>,
}

/// The time to live of a document, and when it was written.
pub struct Document {
    pub ttl: Option<i64>,
    pub written_at: i64,
}

impl Reader {
    pub fn new(rules: Stored) -> Self {
        let (shape, values) = (Shape::default(), Values::default());
        Reader { rules, shape, values, roles: None, identity: Vec::new() }
    }

    /// Read a document; `Some(None)` if it is of another table.
    pub fn read(&mut self, text: &[u8]) -> Option<Option<Document>> {
        let style = Style { rule: Rule::Exact, as_float: true, has_plus: self.rules.has_plus };
        let mut walk = Walk::<false>::new(text, 0, style);
        walk.skip_blanks();
        walk.read_members(&mut self.shape, &mut self.values)?;
        walk.skip_blanks();
        if walk.cursor.peek().is_some() {
            return None;
        }
        if std::mem::take(&mut self.shape.is_new) {
            self.roles = self.find_roles();
        }
        let roles = self.roles.as_ref()?;
        let value = |place: usize| self.values.text(text, place);
        for ((_, wanted), place) in self.rules.constants.iter().zip(&roles.constants) {
            if place.map(value) != Some(wanted.as_bytes()) {
                return Some(None);
            }
        }
        self.identity.clear();
        self.identity.push(b'[');
        for place in &roles.partition_key {
            let text = place.map_or(&b"{}"[..], value);
            if text.len() > 2 && matches!(text[0], b'{' | b'[') {
                return None;
            }
            self.identity.extend_from_slice(text);
            self.identity.push(b',');
        }
        let id = value(roles.id);
        self.identity.extend_from_slice(id);
        self.identity.push(b']');
        let ttl = match roles.ttl {
            Some(place) => Some(whole(value(place))?),
            None => None,
        };
        (id[0] == b'"').then_some(Some(Document { ttl, written_at: whole(value(roles.written_at))? }))
    }

    fn find_roles(&self) -> Option<Roles> {
        let (rules, shape) = (&self.rules, &self.shape);
        let is_written =
            |name: &[u8]| !rules.system.iter().any(|one| one.as_bytes() == name) && !(rules.has_ttl && name == b"ttl");
        Some(Roles {
            constants: rules.constants.iter().map(|(name, _)| shape.find(name)).collect(),
            partition_key: rules.partition_key.iter().map(|name| shape.find(name)).collect(),
            id: shape.find("id")?,
            written_at: shape.find("_ts")?,
            ttl: shape.find("ttl").filter(|_| rules.has_ttl),
            layout: Layout::of((0..shape.len()).map(|place| (shape.name(place), place)).collect(), is_written)?,
        })
    }

    /// Write the content of the document that was read last.
    pub fn write_content(&self, text: &[u8], out: &mut Vec<u8>) {
        self.roles.iter().for_each(|roles| roles.layout.write(text, &self.values, out));
    }
}

/// A whole number in its canonical text.
fn whole(canonical: &[u8]) -> Option<i64> {
    plain_integer(canonical.strip_suffix(b".0")?)
}
