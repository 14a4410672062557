//! Tagged values of DynamoDB JSON, by the rules of d2c/mapping/values.py.

use crate::number::{exact_value, write_number, Rule, Style};
use crate::scan::{write_string, Cursor};
use std::borrow::Cow;
use std::cmp::Ordering;

/// Nested maps and lists; DynamoDB's limit.
const MAX_DEPTH: usize = 32;

pub const TAGS: [&str; 10] = ["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"];

#[derive(Clone, Copy, PartialEq)]
#[repr(u8)]
pub enum Tag {
    S,
    N,
    B,
    Bool,
    Null,
    M,
    L,
    Ss,
    Ns,
    Bs,
}

/// A member of an object: its name, and where its text is in the output.
pub struct Member<'a> {
    pub name: Cow<'a, [u8]>,
    pub start: usize,
    /// Where its value is.
    pub value: usize,
    pub end: usize,
}

/// Maps values one after another; `inexact` counts the numbers that binary64 cannot represent.
pub struct Walk<'a> {
    pub cursor: Cursor<'a>,
    pub style: Style,
    pub inexact: usize,
    members: Vec<Member<'a>>,
}

impl<'a> Walk<'a> {
    pub fn new(text: &'a [u8], at: usize, style: Style) -> Self {
        Walk { cursor: Cursor { text, at }, style, inexact: 0, members: Vec::new() }
    }

    /// Map a tagged value.
    pub fn value(&mut self, out: &mut Vec<u8>, depth: usize) -> Option<Tag> {
        self.cursor.expect(b"{\"")?;
        let tag = self.tag()?;
        match tag {
            Tag::S => self.text(out)?,
            Tag::N => {
                let text = self.cursor.plain_string()?;
                self.inexact += write_number(text, self.style, out)? as usize;
            }
            Tag::B => {
                let text = self.cursor.plain_string()?;
                decode(text, |_| ())?;
                write_plain(text, out);
            }
            Tag::Bool => {
                let is_true = self.cursor.peek()? == b't';
                let text: &[u8] = if is_true { b"true" } else { b"false" };
                self.cursor.expect(text)?;
                out.extend_from_slice(text);
            }
            Tag::Null => {
                self.cursor.expect(b"true")?;
                out.extend_from_slice(b"null");
            }
            Tag::M if depth <= MAX_DEPTH => self.map(out, depth)?,
            Tag::L if depth <= MAX_DEPTH => self.list(out, depth)?,
            Tag::Ss => self.text_set(out)?,
            Tag::Ns => self.number_set(out)?,
            Tag::Bs => self.binary_set(out)?,
            _ => return None,
        }
        self.cursor.expect(b"}")?;
        Some(tag)
    }

    #[inline]
    fn tag(&mut self) -> Option<Tag> {
        let (first, second) = (self.cursor.next()?, self.cursor.next()?);
        let (tag, rest): (Tag, &[u8]) = match (first, second) {
            (b'S', b'"') => (Tag::S, b":"),
            (b'N', b'"') => (Tag::N, b":"),
            (b'B', b'"') => (Tag::B, b":"),
            (b'M', b'"') => (Tag::M, b":"),
            (b'L', b'"') => (Tag::L, b":"),
            (b'B', b'O') => (Tag::Bool, b"OL\":"),
            (b'N', b'U') => (Tag::Null, b"LL\":"),
            (b'S', b'S') => (Tag::Ss, b"\":"),
            (b'N', b'S') => (Tag::Ns, b"\":"),
            (b'B', b'S') => (Tag::Bs, b"\":"),
            _ => return None,
        };
        self.cursor.expect(rest)?;
        Some(tag)
    }

    #[inline]
    fn text(&mut self, out: &mut Vec<u8>) -> Option<()> {
        match self.cursor.string()? {
            Cow::Borrowed(raw) => write_plain(raw, out),
            Cow::Owned(text) => write_string(&text, out),
        }
        Some(())
    }

    fn map(&mut self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        let base = self.members.len();
        self.cursor.expect(b"{")?;
        out.push(b'{');
        let start = out.len();
        if self.cursor.peek()? == b'}' {
            self.cursor.at += 1;
        } else {
            loop {
                let name = self.cursor.string()?;
                self.cursor.expect(b":")?;
                let begin = out.len();
                write_string(&name, out);
                out.push(b':');
                let value = out.len();
                self.value(out, depth + 1)?;
                self.members.push(Member { name, start: begin, value, end: out.len() });
                out.push(b',');
                if self.cursor.next()? != b',' {
                    break;
                }
            }
            out.pop();
            if self.cursor.text[self.cursor.at - 1] != b'}' {
                return None;
            }
        }
        sort_members(&mut self.members[base..], start, out)?;
        self.members.truncate(base);
        out.push(b'}');
        Some(())
    }

    fn list(&mut self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        self.cursor.expect(b"[")?;
        out.push(b'[');
        if self.cursor.peek()? == b']' {
            self.cursor.at += 1;
        } else {
            loop {
                self.value(out, depth + 1)?;
                match self.cursor.next()? {
                    b',' => out.push(b','),
                    b']' => break,
                    _ => return None,
                }
            }
        }
        out.push(b']');
        Some(())
    }

    /// Read the strings of a set, of which there is at least one.
    fn strings(&mut self) -> Option<Vec<Cow<'a, [u8]>>> {
        self.cursor.expect(b"[")?;
        let mut found = Vec::new();
        loop {
            found.push(self.cursor.string()?);
            match self.cursor.next()? {
                b',' => {}
                b']' => return Some(found),
                _ => return None,
            }
        }
    }

    fn text_set(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let texts = self.strings()?.into_iter().map(|text| Some((text.clone(), text)));
        write_set(texts, Ord::cmp, out, |text, out| write_string(text, out))
    }

    /// Sets with numbers that become text are for the reference, which orders them by their exact values.
    fn number_set(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let style = self.style;
        let numbers = self.strings()?.into_iter().map(|text| Some((exact_value(&text)?, text)));
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
pub fn sort_members(members: &mut [Member], start: usize, out: &mut Vec<u8>) -> Option<()> {
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

#[inline]
fn write_plain(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

/// The bytes of canonical base64 with padding.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::with_capacity(text.len() / 4 * 3);
    decode(text, |byte| content.push(byte))?;
    Some(content)
}

/// Give each byte of canonical base64 with padding.
fn decode(text: &[u8], mut give: impl FnMut(u8)) -> Option<()> {
    if text.len() % 4 != 0 {
        return None;
    }
    let padding = text.iter().rev().take_while(|&&byte| byte == b'=').count();
    if padding > 2 {
        return None;
    }
    let sextets = &text[..text.len() - padding];
    let (mut bits, mut count) = (0u32, 0);
    for &byte in sextets {
        let sextet = SEXTETS[byte as usize];
        if sextet > 63 {
            return None;
        }
        bits = bits << 6 | sextet as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            give((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    (bits == 0).then_some(())
}

const SEXTETS: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [255; 256];
    let mut value = 0;
    while value < 64 {
        values[alphabet[value] as usize] = value as u8;
        value += 1;
    }
    values
};
