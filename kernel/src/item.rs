//! One line of an export to one document, by the rules of d2c/mapping/mapper.py.

use crate::number::{plain_integer, write_key};
use crate::rules::{Makes, Rules};
use crate::scan::{write_string, Cursor};
use crate::shape::{Layout, Shape, Values};
use crate::value::{Tag, Walk};
use std::borrow::Cow;

/// Follows names and tags in a shape's text; UTF-8 never has this byte.
const END_OF_NAME: u8 = 0xFF;

pub enum Outcome {
    Document { expires_at: Option<i64> },
    Expired,
}

/// Which members of the item are what, by their places.
struct Roles {
    required: Vec<usize>,
    id: Vec<usize>,
    ttl: Option<usize>,
    /// That whose property would be `id`.
    own_id: Option<usize>,
    kept: Vec<usize>,
}

/// Maps the items of one table; what it made of the last one is in its fields.
pub struct ItemMapper {
    pub rules: Rules,
    shape: Shape,
    /// Of the item's members, then the id, the constants, and the time to live if there is one.
    values: Values,
    roles: Option<Roles>,
    layout: Layout,
    /// Whether the layout has the attribute `id`, and a time to live; None if it is not that of the item.
    laid_out: Option<(bool, bool)>,
    /// The places of the partition key's values.
    key: Vec<usize>,
    /// The names and tags of the members that are not dropped.
    pub shape_text: Vec<u8>,
    pub id: Vec<u8>,
    /// The partition key as JSON texts, separated by commas, behind a bracket.
    pub partition_key: Vec<u8>,
    pub document_bytes: usize,
}

impl ItemMapper {
    pub fn new(rules: Rules) -> Self {
        ItemMapper {
            rules,
            shape: Shape::default(),
            values: Values::default(),
            roles: None,
            layout: Layout::default(),
            laid_out: None,
            key: Vec::new(),
            shape_text: Vec::new(),
            id: Vec::new(),
            partition_key: Vec::new(),
            document_bytes: 0,
        }
    }

    /// Map the line at the cursor and go behind its end. The document is measured, and `write_document` writes it.
    pub fn map(&mut self, walk: &mut Walk<true>, now: i64) -> Option<Outcome> {
        walk.cursor.expect(b"{\"Item\":")?;
        walk.read_members(&mut self.shape, &mut self.values)?;
        walk.cursor.expect(b"}")?;
        if !matches!(walk.cursor.next(), None | Some(b'\n')) {
            return None;
        }
        if self.shape.is_new {
            self.roles = self.find_roles();
            self.laid_out = None;
            self.shape.is_new = false;
        }
        let (line, roles) = (walk.cursor.text, self.roles.as_ref()?);
        if roles.required.iter().any(|&place| self.values.text(line, place) == b"\"\"") {
            return None;
        }
        let expires_at = self.expiry(line, roles, now)?;
        let id = std::mem::take(&mut self.id);
        self.id = self.made_id(line, roles, id)?;
        let keeps_id = self.add_values(line, expires_at.map(|moment| moment - now));
        let has_ttl = self.values.all.len() > self.ttl_place();
        if self.laid_out != Some((keeps_id, has_ttl)) {
            self.lay_out(keeps_id, has_ttl)?;
        }
        self.document_bytes = self.layout.size(&self.values);
        self.read_partition_key(line)?;
        let is_expired = expires_at.is_some_and(|moment| moment <= now);
        let is_fitting = self.document_bytes <= self.rules.max_document_bytes;
        is_fitting.then_some(if is_expired { Outcome::Expired } else { Outcome::Document { expires_at } })
    }

    fn find_roles(&mut self) -> Option<Roles> {
        let (rules, shape) = (&self.rules, &self.shape);
        let is_key = |place: &usize| matches!(shape.tag(*place), Tag::S | Tag::N | Tag::B);
        let required = rules.required.iter().map(|(name, may_be_other)| {
            let is_other = |place: &usize| *may_be_other && matches!(shape.tag(*place), Tag::BOOL | Tag::NULL);
            shape.find(name).filter(|place| is_key(place) || is_other(place))
        });
        let ttl = rules.ttl_attribute.as_deref().and_then(|name| shape.find(name));
        if ttl.is_some_and(|place| shape.tag(place) != Tag::N) {
            return None;
        }
        if rules.dropped.iter().any(|name| shape.places(name).count() > 1) {
            return None;
        }
        let is_kept = |place: &usize| !rules.dropped.iter().any(|name| name.as_bytes() == shape.name(*place));
        let kept: Vec<usize> = (0..shape.len()).filter(is_kept).collect();
        let mut own_ids = kept.iter().copied().filter(|&place| rules.property_of(shape.name(place)) == b"id");
        let own_id = own_ids.next();
        if own_ids.next().is_some() {
            return None;
        }
        self.shape_text.clear();
        for &place in &kept {
            for text in [shape.name(place), format!("{:?}", shape.tag(place)).as_bytes()] {
                self.shape_text.extend_from_slice(text);
                self.shape_text.push(END_OF_NAME);
            }
        }
        Some(Roles {
            required: required.collect::<Option<_>>()?,
            id: rules.id.iter().map(|name| shape.find(name).filter(is_key)).collect::<Option<_>>()?,
            ttl,
            own_id,
            kept,
        })
    }

    fn expiry(&self, line: &[u8], roles: &Roles, now: i64) -> Option<Option<i64>> {
        let Some(place) = roles.ttl else { return Some(None) };
        let moment = plain_integer(&self.own_text(line, place)?)?;
        let is_ignored = moment < now - self.rules.ignored_after_seconds;
        // The census counts items that never expire by their cause, which the reference finds.
        let is_counted = self.rules.makes == Makes::Census && (is_ignored || moment >= self.rules.milliseconds);
        (!is_counted).then_some((!is_ignored).then_some(moment))
    }

    /// The text of a member that is a string in the line.
    fn own_text<'a>(&self, line: &'a [u8], place: usize) -> Option<Cow<'a, [u8]>> {
        Cursor { text: line, at: self.values.all[place].begin }.string()
    }

    fn made_id(&self, line: &[u8], roles: &Roles, mut id: Vec<u8>) -> Option<Vec<u8>> {
        let rules = &self.rules;
        let escapes = &rules.escapes[(roles.id.len() > 1) as usize];
        id.clear();
        for (number, &place) in roles.id.iter().enumerate() {
            if number > 0 {
                id.extend_from_slice(rules.joiner.as_bytes());
            }
            let text = self.own_text(line, place)?;
            match self.shape.tag(place) {
                Tag::S if text.first() == Some(&b' ') || text.last() == Some(&b' ') => return None,
                Tag::S => escape(&text, escapes, &mut id),
                Tag::N => write_key(&text, &mut id)?,
                _ => id.extend(text.iter().filter(|&&byte| byte != b'=').map(|&byte| match byte {
                    b'+' => b'-',
                    b'/' => b'_',
                    _ => byte,
                })),
            }
        }
        let is_certain = id.len() <= rules.max_id_bytes
            && !id.starts_with(rules.hash_prefix.as_bytes())
            && id != b"."
            && id != b"..";
        is_certain.then_some(id)
    }

    /// Add the values that are no members; returns whether the attribute `id` is another value than the id.
    fn add_values(&mut self, line: &[u8], seconds: Option<i64>) -> bool {
        self.values.add(|texts| write_string(&self.id, texts));
        for (_, value) in &self.rules.constants {
            self.values.add(|texts| texts.extend_from_slice(value.as_bytes()));
        }
        let is_digested = self.rules.makes == Makes::Digests;
        if let Some(seconds) = seconds.filter(|_| !(is_digested && self.rules.ignore_ttl)) {
            let point = if is_digested { ".0" } else { "" };
            let text = format!("{}{point}", seconds.min(self.rules.max_ttl_seconds));
            self.values.add(|texts| texts.extend_from_slice(text.as_bytes()));
        }
        let id = self.values.text(line, self.shape.len());
        let own_id = self.roles.as_ref().and_then(|roles| roles.own_id);
        own_id.is_some_and(|place| self.values.text(line, place) != id)
    }

    fn ttl_place(&self) -> usize {
        self.shape.len() + 1 + self.rules.constants.len()
    }

    fn lay_out(&mut self, keeps_id: bool, has_ttl: bool) -> Option<()> {
        let (rules, shape, roles) = (&self.rules, &self.shape, self.roles.as_ref()?);
        self.laid_out = None;
        let mut properties: Vec<(&[u8], usize)> = vec![(&b"id"[..], shape.len())];
        let constants = rules.constants.iter().enumerate();
        properties.extend(constants.map(|(number, (name, _))| (name.as_bytes(), shape.len() + 1 + number)));
        if has_ttl {
            properties.push((&b"ttl"[..], self.ttl_place()));
        }
        for &place in &roles.kept {
            match rules.property_of(shape.name(place)) {
                b"id" if keeps_id => properties.push((rules.kept_id.as_bytes(), place)),
                b"id" => {}
                name => properties.push((name, place)),
            }
        }
        let place_of = |name: &String| Some(properties.iter().find(|one| one.0 == name.as_bytes())?.1);
        self.key = rules.partition_key.iter().map(place_of).collect::<Option<_>>()?;
        self.layout = Layout::of(properties, |_| true)?;
        self.laid_out = Some((keeps_id, has_ttl));
        Some(())
    }

    fn read_partition_key(&mut self, line: &[u8]) -> Option<()> {
        self.partition_key.clear();
        for &place in &self.key {
            self.partition_key.push(if self.partition_key.is_empty() { b'[' } else { b',' });
            self.partition_key.extend_from_slice(self.values.text(line, place));
        }
        (self.partition_key.len() <= self.rules.max_key_bytes).then_some(())
    }

    /// Write the document of the last line.
    pub fn write_document(&self, line: &[u8], out: &mut Vec<u8>) {
        out.reserve(self.document_bytes);
        self.layout.write(line, &self.values, out);
    }

    /// The names of the last line's members with numbers that binary64 cannot represent, and how many.
    pub fn inexact(&self) -> impl Iterator<Item = (&[u8], usize)> {
        let kept = self.roles.iter().flat_map(|roles| &roles.kept);
        let numbers = kept.map(|&place| (self.shape.name(place), self.values.all[place].inexact));
        numbers.filter(|(_, number)| *number > 0)
    }
}

/// Write a text with what takes the place of some ASCII characters.
fn escape(text: &[u8], escapes: &[Option<String>], out: &mut Vec<u8>) {
    for byte in text {
        match escapes.get(*byte as usize) {
            Some(Some(escape)) => out.extend_from_slice(escape.as_bytes()),
            _ => out.push(*byte),
        }
    }
}
