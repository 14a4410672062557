//! Values of DynamoDB JSON, by the rules of d2c/mapping/values.py, and those of plain JSON, as a digest has them.

use crate::number::{is_written_so, plain_value, write_float, write_number, Rule, Style};
use crate::scan::{write_plain, write_string, Cursor};
use crate::shape::{Shape, Value, Values};
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use std::borrow::Cow;
use std::cmp::Ordering;

/// Nested maps and lists; DynamoDB's limit.
const MAX_DEPTH: usize = 32;

macro_rules! tags {
    ($($name:ident),*) => {
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[allow(clippy::upper_case_acronyms)]
        pub enum Tag { $($name),* }

        impl Tag {
            #[inline]
            fn of(name: &[u8]) -> Option<Tag> {
                $(if name == stringify!($name).as_bytes() { return Some(Tag::$name); })*
                None
            }
        }
    };
}

tags!(S, N, B, BOOL, NULL, M, L, SS, NS, BS);

/// A member of an object: its name, and where its text is in the output.
struct Member<'a> {
    name: Cow<'a, [u8]>,
    start: usize,
    end: usize,
}

/// Reads values one after another: compact ones with tags, or plain JSON.
pub struct Walk<'a, const TAGGED: bool> {
    pub cursor: Cursor<'a>,
    pub style: Style,
    /// How many numbers of the member binary64 cannot represent.
    inexact: usize,
    members: Vec<Member<'a>>,
}

impl<'a, const TAGGED: bool> Walk<'a, TAGGED> {
    pub fn new(text: &'a [u8], at: usize, style: Style) -> Self {
        Walk { cursor: Cursor { text, at }, style, inexact: 0, members: Vec::new() }
    }

    /// Read an object's members, whose values are mapped.
    pub fn read_members(&mut self, shape: &mut Shape, values: &mut Values) -> Option<()> {
        values.clear();
        self.begin(b"{")?;
        let mut has_more = !self.cursor.skip(b"}");
        while has_more {
            self.skip_blanks();
            let tag = match shape.known(values.all.len(), &mut self.cursor) {
                Some(tag) => tag,
                None => self.learn(shape, values.all.len())?,
            };
            let tag = if TAGGED { tag } else { self.tag()? };
            let value = self.member(tag, &mut values.texts)?;
            values.all.push(value);
            self.skip_blanks();
            has_more = self.cursor.has_more(b'}')?;
        }
        shape.end(values.all.len());
        Some(())
    }

    fn learn(&mut self, shape: &mut Shape, place: usize) -> Option<Tag> {
        let start = self.cursor.at;
        let name = self.cursor.plain_string()?;
        self.colon()?;
        let tag = if TAGGED { self.tag()? } else { Tag::NULL };
        shape.learn(place, &self.cursor.text[start..self.cursor.at], name.len(), tag);
        Some(tag)
    }

    /// Map a member's value. Most are written as they stand, and left in the line.
    #[inline]
    fn member(&mut self, tag: Tag, texts: &mut Vec<u8>) -> Option<Value> {
        let begin = self.cursor.at;
        self.inexact = 0;
        let is_written_so = match tag {
            Tag::S => !self.cursor.raw_string()?.1,
            Tag::N => is_written_so(self.number()?, self.style),
            _ => false,
        };
        let quote = (TAGGED && tag == Tag::N) as usize;
        let (mut start, mut end) = (begin + quote, self.cursor.at - quote);
        if !is_written_so {
            self.cursor.at = begin;
            start = texts.len();
            self.content(tag, texts, 1)?;
            end = texts.len();
        }
        self.end()?;
        Some(Value { begin, start, end, is_in_line: is_written_so, inexact: self.inexact })
    }

    fn value(&mut self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        let tag = self.tag()?;
        self.content(tag, out, depth)?;
        self.end()
    }

    fn content(&mut self, tag: Tag, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        match tag {
            Tag::S => match self.cursor.string()? {
                Cow::Borrowed(raw) => write_plain(raw, out),
                Cow::Owned(text) => write_string(&text, out),
            },
            Tag::N if TAGGED => self.inexact += write_number(self.number()?, self.style, out)? as usize,
            Tag::N => write_float(self.number()?, self.style, out)?,
            Tag::B => {
                let text = self.cursor.plain_string()?;
                decoded(text)?;
                write_plain(text, out);
            }
            Tag::BOOL => {
                let is_true = self.cursor.peek()? == b't';
                let text: &[u8] = if is_true { b"true" } else { b"false" };
                self.cursor.expect(text)?;
                out.extend_from_slice(text);
            }
            Tag::NULL => {
                self.cursor.expect(if TAGGED { b"true" } else { b"null" })?;
                out.extend_from_slice(b"null");
            }
            Tag::M if depth <= MAX_DEPTH => self.map(out, depth)?,
            Tag::L if depth <= MAX_DEPTH => self.list(out, depth)?,
            Tag::SS => self.text_set(out)?,
            Tag::NS => self.number_set(out)?,
            Tag::BS => self.binary_set(out)?,
            _ => return None,
        }
        Some(())
    }

    /// Read what comes before a value, as far as it has a tag.
    #[inline]
    fn tag(&mut self) -> Option<Tag> {
        if !TAGGED {
            return Some(match self.cursor.peek()? {
                b'"' => Tag::S,
                b'{' => Tag::M,
                b'[' => Tag::L,
                b't' | b'f' => Tag::BOOL,
                b'n' => Tag::NULL,
                _ => Tag::N,
            });
        }
        self.cursor.expect(b"{")?;
        let name = self.cursor.plain_string()?;
        self.cursor.expect(b":")?;
        Tag::of(name)
    }

    /// Read what comes behind a value.
    #[inline]
    fn end(&mut self) -> Option<()> {
        (!TAGGED || self.cursor.skip(b"}")).then_some(())
    }

    #[inline]
    pub fn skip_blanks(&mut self) {
        if !TAGGED {
            self.cursor.skip_blanks();
        }
    }

    fn begin(&mut self, bracket: &[u8]) -> Option<()> {
        self.cursor.expect(bracket)?;
        self.skip_blanks();
        Some(())
    }

    fn colon(&mut self) -> Option<()> {
        self.skip_blanks();
        self.begin(b":")
    }

    /// The text of a number.
    #[inline]
    fn number(&mut self) -> Option<&'a [u8]> {
        if TAGGED {
            return self.cursor.plain_string();
        }
        let start = self.cursor.at;
        while matches!(self.cursor.peek(), Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) {
            self.cursor.at += 1;
        }
        Some(&self.cursor.text[start..self.cursor.at])
    }

    fn map(&mut self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        let base = self.members.len();
        self.begin(b"{")?;
        out.push(b'{');
        let first = out.len();
        let mut has_more = !self.cursor.skip(b"}");
        while has_more {
            self.skip_blanks();
            let name = self.cursor.string()?;
            self.colon()?;
            let start = out.len();
            write_string(&name, out);
            out.push(b':');
            self.value(out, depth + 1)?;
            self.members.push(Member { name, start, end: out.len() });
            self.skip_blanks();
            has_more = self.cursor.has_more(b'}')?;
            out.extend_from_slice(if has_more { b"," } else { b"" });
        }
        sort_members(&mut self.members[base..], first, out)?;
        self.members.truncate(base);
        out.push(b'}');
        Some(())
    }

    fn list(&mut self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        self.begin(b"[")?;
        out.push(b'[');
        let mut has_more = !self.cursor.skip(b"]");
        while has_more {
            self.skip_blanks();
            self.value(out, depth + 1)?;
            self.skip_blanks();
            has_more = self.cursor.has_more(b']')?;
            out.extend_from_slice(if has_more { b"," } else { b"" });
        }
        out.push(b']');
        Some(())
    }

    /// Read the strings of a set, of which there is at least one.
    fn strings(&mut self) -> Option<Vec<Cow<'a, [u8]>>> {
        self.cursor.expect(b"[")?;
        let mut found = Vec::new();
        let mut has_more = true;
        while has_more {
            found.push(self.cursor.string()?);
            has_more = self.cursor.has_more(b']')?;
        }
        Some(found)
    }

    fn text_set(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let texts = self.strings()?.into_iter().map(|text| Some((text.clone(), text)));
        write_set(texts, Ord::cmp, out, |text, out| write_string(text, out))
    }

    /// Sets with other numbers are for the reference, which orders them by their exact values.
    fn number_set(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let style = self.style;
        let numbers = self.strings()?.into_iter().map(|text| Some((plain_value(&text)?, text)));
        write_set(numbers.filter(|_| style.rule != Rule::String), f64::total_cmp, out, |text, out| {
            write_number(text, style, out);
        })
    }

    fn binary_set(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let contents = self.strings()?.into_iter().map(|text| Some((decoded(&text)?, text)));
        write_set(contents, Ord::cmp, out, write_plain)
    }
}

/// Write the members of a set in the order of their values; without a member, or with one twice, it is none.
fn write_set<'a, V: PartialEq>(
    members: impl Iterator<Item = Option<(V, Cow<'a, [u8]>)>>,
    compare: impl Fn(&V, &V) -> Ordering,
    out: &mut Vec<u8>,
    write: impl Fn(&[u8], &mut Vec<u8>),
) -> Option<()> {
    let mut members = members.collect::<Option<Vec<_>>>()?;
    members.sort_unstable_by(|one, other| compare(&one.0, &other.0));
    if members.is_empty() || members.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return None;
    }
    for (place, (_, text)) in members.iter().enumerate() {
        out.push(if place == 0 { b'[' } else { b',' });
        write(text, out);
    }
    out.push(b']');
    Some(())
}

/// Put the members of an object, which begin at a place of the output, in the order of their names.
fn sort_members(members: &mut [Member], start: usize, out: &mut Vec<u8>) -> Option<()> {
    if members.windows(2).all(|pair| pair[0].name < pair[1].name) {
        return Some(());
    }
    members.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    if members.windows(2).any(|pair| pair[0].name == pair[1].name) {
        return None;
    }
    let unsorted = out.split_off(start);
    for (place, member) in members.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&unsorted[member.start - start..member.end - start]);
    }
    Some(())
}

/// The bytes of canonical base64 with padding.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
