//! The members of objects by name and type. Most have those of the object before, and so what follows from them.

use crate::scan::{write_string, Cursor};
use crate::value::Tag;

/// A member's `"name":` and, if it has one, its tag: they are at a place of `Shape::text`.
struct Known {
    start: usize,
    name_bytes: usize,
    end: usize,
    tag: Tag,
}

/// The members of the last object.
#[derive(Default)]
pub struct Shape {
    text: Vec<u8>,
    known: Vec<Known>,
    /// Whether it is not what it was when this was last set to false.
    pub is_new: bool,
}

impl Shape {
    /// Go behind a member's name and tag, if they are those of the object before.
    #[inline]
    pub fn known(&self, place: usize, cursor: &mut Cursor) -> Option<Tag> {
        let known = self.known.get(place)?;
        cursor.skip(&self.text[known.start..known.end]).then_some(known.tag)
    }

    /// Take a member with another name or tag.
    pub fn learn(&mut self, place: usize, text: &[u8], name_bytes: usize, tag: Tag) {
        self.end(place);
        let start = self.text.len();
        self.text.extend_from_slice(text);
        self.known.push(Known { start, name_bytes, end: self.text.len(), tag });
        self.is_new = true;
    }

    /// End an object of so many members.
    #[inline]
    pub fn end(&mut self, count: usize) {
        if let Some(first) = self.known.get(count) {
            self.text.truncate(first.start);
            self.known.truncate(count);
            self.is_new = true;
        }
    }

    pub fn len(&self) -> usize {
        self.known.len()
    }

    pub fn tag(&self, place: usize) -> Tag {
        self.known[place].tag
    }

    pub fn name(&self, place: usize) -> &[u8] {
        let start = self.known[place].start + 1;
        &self.text[start..start + self.known[place].name_bytes]
    }

    /// The places of the members of a name.
    pub fn places<'a>(&'a self, name: &'a str) -> impl Iterator<Item = usize> + 'a {
        (0..self.len()).filter(move |&place| self.name(place) == name.as_bytes())
    }

    pub fn find(&self, name: &str) -> Option<usize> {
        self.places(name).next()
    }
}

/// A member's value, as its document has it.
pub struct Value {
    /// Where it begins in the line, behind its tag.
    pub begin: usize,
    /// Where its text is: in the line, or in `Values::texts`.
    pub start: usize,
    pub end: usize,
    pub is_in_line: bool,
    pub inexact: usize,
}

/// The values of an object's members.
#[derive(Default)]
pub struct Values {
    pub all: Vec<Value>,
    pub texts: Vec<u8>,
}

impl Values {
    pub fn clear(&mut self) {
        self.all.clear();
        self.texts.clear();
    }

    /// Add a value that is in no line.
    pub fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.texts.len();
        write(&mut self.texts);
        self.all.push(Value { begin: 0, start, end: self.texts.len(), is_in_line: false, inexact: 0 });
    }

    #[inline]
    pub fn text<'a>(&'a self, line: &'a [u8], place: usize) -> &'a [u8] {
        let value = &self.all[place];
        &(if value.is_in_line { line } else { &self.texts })[value.start..value.end]
    }
}

/// In which order values are written, and what comes before each.
#[derive(Default)]
pub struct Layout {
    places: Vec<usize>,
    labels: Vec<u8>,
    ends: Vec<usize>,
}

impl Layout {
    /// Lay out properties, each a name and the place of its value. Two of one name are for the reference.
    pub fn of(mut properties: Vec<(&[u8], usize)>, is_written: impl Fn(&[u8]) -> bool) -> Option<Layout> {
        properties.sort_unstable();
        if properties.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return None;
        }
        let mut layout = Layout::default();
        for (name, place) in properties.into_iter().filter(|(name, _)| is_written(name)) {
            layout.labels.push(if layout.places.is_empty() { b'{' } else { b',' });
            write_string(name, &mut layout.labels);
            layout.labels.push(b':');
            layout.ends.push(layout.labels.len());
            layout.places.push(place);
        }
        Some(layout)
    }

    pub fn size(&self, values: &Values) -> usize {
        let sizes = self.places.iter().map(|&place| values.all[place].end - values.all[place].start);
        self.labels.len() + sizes.sum::<usize>() + 1
    }

    pub fn write(&self, line: &[u8], values: &Values, out: &mut Vec<u8>) {
        let mut start = 0;
        for (&place, &end) in self.places.iter().zip(&self.ends) {
            out.extend_from_slice(&self.labels[start..end]);
            out.extend_from_slice(values.text(line, place));
            start = end;
        }
        out.push(b'}');
    }
}
