//! One line of an export to one document, by the rules of d2c/mapping/mapper.py.

use crate::number::{plain_integer, write_key, Style};
use crate::rules::{Makes, Names, Rules};
use crate::scan::{write_string, Cursor};
use crate::value::{Tag, Walk};
use std::borrow::Cow;

/// An attribute of the item: its value mapped in `values`, and where it is in the line.
pub struct Attribute<'a> {
    pub name: Cow<'a, [u8]>,
    pub tag: Tag,
    pub inexact: usize,
    start: usize,
    end: usize,
    token: (usize, usize),
}

/// What becomes a property: of an attribute, or of something else.
struct Property {
    /// Of `Item::names`.
    name: (usize, usize),
    /// Of `Item::values`.
    value: (usize, usize),
}

pub enum Outcome {
    Document { expires_at: Option<i64> },
    Expired,
}

/// Maps the items of one table; what it made of the last one is in its fields.
pub struct ItemMapper {
    pub rules: Rules,
    moved: Names,
    dropped: Names,
    escaped: [[bool; 128]; 2],
    values: Vec<u8>,
    names: Vec<u8>,
    properties: Vec<Property>,
    order: Vec<usize>,
    /// The names and ends of properties for which the order was made.
    ordered: (Vec<u8>, Vec<usize>),
    /// What comes before the value of each property in that order, and where it ends.
    labels: (Vec<u8>, Vec<usize>),
    pub id: Vec<u8>,
    /// The partition key as JSON texts, separated by commas.
    pub partition_key: Vec<u8>,
    pub document_bytes: usize,
}

impl ItemMapper {
    pub fn new(rules: Rules) -> Self {
        let moved = Names::new(rules.moved.iter().map(|(name, to)| (name.as_str(), to.as_str())));
        let dropped = Names::new(rules.dropped.iter().map(|name| (name.as_str(), "")));
        let escaped = [0, 1].map(|kind| {
            let table: &Vec<String> = &rules.escapes[kind];
            std::array::from_fn(|code| table[code].as_bytes() != [code as u8])
        });
        ItemMapper {
            rules,
            moved,
            dropped,
            escaped,
            values: Vec::new(),
            names: Vec::new(),
            properties: Vec::new(),
            order: Vec::new(),
            ordered: Default::default(),
            labels: Default::default(),
            id: Vec::new(),
            partition_key: Vec::new(),
            document_bytes: 0,
        }
    }

    /// Map the line at the cursor and go behind its end; `attributes` gets those that are not dropped. The document is
    /// measured, and `write_document` writes it.
    pub fn map<'a>(&mut self, walk: &mut Walk<'a>, attributes: &mut Vec<Attribute<'a>>, now: i64) -> Option<Outcome> {
        attributes.clear();
        self.values.clear();
        self.read_attributes(walk, attributes)?;
        let text = walk.cursor.text;
        self.check_required(attributes)?;
        let expires_at = self.expiry(text, attributes, now)?;
        self.make_id(text, attributes)?;
        if !self.rules.dropped.is_empty() {
            let is_once = |name: &String| attributes.iter().filter(|one| *one.name == *name.as_bytes()).count() < 2;
            if !self.rules.dropped.iter().all(is_once) {
                return None;
            }
            attributes.retain(|one| self.dropped.find(&one.name).is_none());
        }
        self.list_properties(attributes, expires_at, now, walk.style)?;
        self.measure_document();
        self.read_partition_key()?;
        if self.document_bytes > self.rules.max_document_bytes {
            return None;
        }
        Some(match expires_at {
            Some(moment) if moment <= now => Outcome::Expired,
            _ => Outcome::Document { expires_at },
        })
    }

    fn read_attributes<'a>(&mut self, walk: &mut Walk<'a>, attributes: &mut Vec<Attribute<'a>>) -> Option<()> {
        walk.cursor.expect(b"{\"Item\":{")?;
        loop {
            let name = walk.cursor.string()?;
            walk.cursor.expect(b":")?;
            let (begin, start) = (walk.cursor.at, self.values.len());
            walk.inexact = 0;
            let tag = walk.value(&mut self.values, 1)?;
            let token = (begin, walk.cursor.at);
            attributes.push(Attribute { name, tag, inexact: walk.inexact, start, end: self.values.len(), token });
            match walk.cursor.next()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        walk.cursor.expect(b"}")?;
        match walk.cursor.next() {
            None | Some(b'\n') => Some(()),
            _ => None,
        }
    }

    fn check_required(&self, attributes: &[Attribute]) -> Option<()> {
        for (name, may_be_other) in &self.rules.required {
            let found = find(attributes, name)?;
            let is_key = matches!(found.tag, Tag::S | Tag::N | Tag::B);
            let is_other = *may_be_other && matches!(found.tag, Tag::Bool | Tag::Null);
            if !(is_key || is_other) || &self.values[found.start..found.end] == b"\"\"" {
                return None;
            }
        }
        Some(())
    }

    fn expiry(&self, text: &[u8], attributes: &[Attribute], now: i64) -> Option<Option<i64>> {
        let Some(found) = self.rules.ttl_attribute.as_deref().and_then(|name| find(attributes, name)) else {
            return Some(None);
        };
        if found.tag != Tag::N {
            return None;
        }
        let moment = plain_integer(text_of(text, found, "{\"N\":")?.as_ref())?;
        let is_ignored = moment < now - self.rules.ignored_after_seconds;
        // The census counts items that never expire by their cause, which the reference finds.
        let is_counted = self.rules.makes == Makes::Census && (is_ignored || moment >= self.rules.milliseconds);
        (!is_counted).then_some((!is_ignored).then_some(moment))
    }

    fn make_id(&mut self, text: &[u8], attributes: &[Attribute]) -> Option<()> {
        self.id.clear();
        let kind = (self.rules.id.len() > 1) as usize;
        for (place, name) in self.rules.id.iter().enumerate() {
            if place > 0 {
                self.id.extend_from_slice(self.rules.joiner.as_bytes());
            }
            let found = find(attributes, name)?;
            match found.tag {
                Tag::S => {
                    let own = text_of(text, found, "{\"S\":")?;
                    if own.first() == Some(&b' ') || own.last() == Some(&b' ') {
                        return None;
                    }
                    escape(&own, &self.escaped[kind], &self.rules.escapes[kind], &mut self.id);
                }
                Tag::N => write_key(&text_of(text, found, "{\"N\":")?, &mut self.id)?,
                Tag::B => self.id.extend(text_of(text, found, "{\"B\":")?.iter().filter_map(|byte| match byte {
                    b'+' => Some(b'-'),
                    b'/' => Some(b'_'),
                    b'=' => None,
                    _ => Some(*byte),
                })),
                _ => return None,
            }
        }
        let is_certain = self.id.len() <= self.rules.max_id_bytes
            && !self.id.starts_with(self.rules.hash_prefix.as_bytes())
            && self.id != b"."
            && self.id != b"..";
        is_certain.then_some(())
    }

    /// Give each value its property's name, in the order of names; two of one name are for the reference.
    fn list_properties(
        &mut self,
        attributes: &[Attribute],
        expires_at: Option<i64>,
        now: i64,
        style: Style,
    ) -> Option<()> {
        self.names.clear();
        self.properties.clear();
        let id_start = self.values.len();
        write_string(&self.id, &mut self.values);
        let id_text = (id_start, self.values.len());
        let mut has_id = false;
        for one in attributes {
            let mut name = self.moved.find(&one.name).unwrap_or(&one.name);
            if name == b"id" {
                if std::mem::replace(&mut has_id, true) {
                    return None;
                }
                if self.values[one.start..one.end] == self.values[id_text.0..id_text.1] {
                    continue;
                }
                name = self.rules.kept_id.as_bytes();
            }
            add(&mut self.names, &mut self.properties, name, (one.start, one.end));
        }
        add(&mut self.names, &mut self.properties, b"id", id_text);
        for (name, value) in &self.rules.constants {
            let start = self.values.len();
            self.values.extend_from_slice(value.as_bytes());
            add(&mut self.names, &mut self.properties, name.as_bytes(), (start, self.values.len()));
        }
        if let (Some(moment), false) = (expires_at, self.rules.ignore_ttl && style.as_float) {
            let start = self.values.len();
            let seconds = (moment - now).min(self.rules.max_ttl_seconds).to_string();
            self.values.extend_from_slice(seconds.as_bytes());
            if style.as_float {
                self.values.extend_from_slice(b".0");
            }
            add(&mut self.names, &mut self.properties, b"ttl", (start, self.values.len()));
        }
        self.put_in_order()
    }

    /// Order the properties by name. Most items have the names of the one before, and so its order.
    fn put_in_order(&mut self) -> Option<()> {
        let ends = self.properties.iter().map(|one| one.name.1);
        if self.names == self.ordered.0 && ends.clone().eq(self.ordered.1.iter().copied()) {
            return Some(());
        }
        let (names, properties) = (&self.names, &self.properties);
        let name_of = |place: &usize| &names[properties[*place].name.0..properties[*place].name.1];
        self.order.clear();
        self.order.extend(0..properties.len());
        self.order.sort_unstable_by(|one, other| name_of(one).cmp(name_of(other)));
        self.ordered.0.clear();
        if self.order.windows(2).any(|pair| name_of(&pair[0]) == name_of(&pair[1])) {
            return None;
        }
        let (labels, label_ends) = &mut self.labels;
        labels.clear();
        label_ends.clear();
        for place in &self.order {
            labels.push(if labels.is_empty() { b'{' } else { b',' });
            write_string(name_of(place), labels);
            labels.push(b':');
            label_ends.push(labels.len());
        }
        self.ordered = (self.names.clone(), ends.collect());
        Some(())
    }

    fn measure_document(&mut self) {
        let values = self.properties.iter().map(|one| one.value.1 - one.value.0);
        self.document_bytes = self.labels.0.len() + values.sum::<usize>() + 1;
    }

    /// Write the document of the last line.
    pub fn write_document(&self, out: &mut Vec<u8>) {
        let (labels, ends) = &self.labels;
        let mut start = 0;
        out.reserve(self.document_bytes);
        for (place, &end) in self.order.iter().zip(ends) {
            let value = self.properties[*place].value;
            out.extend_from_slice(&labels[start..end]);
            out.extend_from_slice(&self.values[value.0..value.1]);
            start = end;
        }
        out.push(b'}');
    }

    fn read_partition_key(&mut self) -> Option<()> {
        self.partition_key.clear();
        for (place, name) in self.rules.partition_key.iter().enumerate() {
            if place > 0 {
                self.partition_key.push(b',');
            }
            let names = &self.names;
            let found = self.properties.iter().find(|one| &names[one.name.0..one.name.1] == name.as_bytes())?;
            self.partition_key.extend_from_slice(&self.values[found.value.0..found.value.1]);
        }
        (self.partition_key.len() <= self.rules.max_key_bytes).then_some(())
    }
}

fn add(names: &mut Vec<u8>, properties: &mut Vec<Property>, name: &[u8], value: (usize, usize)) {
    let start = names.len();
    names.extend_from_slice(name);
    properties.push(Property { name: (start, names.len()), value });
}

fn find<'b, 'a>(attributes: &'b [Attribute<'a>], name: &str) -> Option<&'b Attribute<'a>> {
    attributes.iter().find(|one| *one.name == *name.as_bytes())
}

/// The text of a value in its line, which begins with its tag.
fn text_of<'a>(text: &'a [u8], found: &Attribute, tag: &str) -> Option<Cow<'a, [u8]>> {
    let mut cursor = Cursor { text: &text[..found.token.1], at: found.token.0 };
    cursor.expect(tag.as_bytes())?;
    cursor.string()
}

fn escape(text: &[u8], escaped: &[bool; 128], table: &[String], out: &mut Vec<u8>) {
    for &byte in text {
        if byte < 128 && escaped[byte as usize] {
            out.extend_from_slice(table[byte as usize].as_bytes());
        } else {
            out.push(byte);
        }
    }
}
