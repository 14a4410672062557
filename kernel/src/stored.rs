//! A stored document to its identity and digest, by the rules of d2c/mapping/comparison.py.

use crate::number::{plain_integer, write_float};
use crate::rules::Names;
use crate::scan::{write_string, Cursor};
use crate::value::{sort_members, Member};
use serde::Deserialize;

/// Deeper documents are for the reference.
const MAX_DEPTH: usize = 100;

/// Most documents have fewer properties.
const COMMON_MEMBERS: usize = 48;

const WORDS: [&[u8]; 3] = [b"true", b"false", b"null"];

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

/// Reads documents; what it made of the last one is in its fields.
pub struct Reader {
    pub rules: Stored,
    /// The properties that a digest leaves out.
    ignored: Names,
    pub identity: Vec<u8>,
    all: Vec<u8>,
}

/// Where the parts of a document's content are in `Reader::all`, its time to live, and when it was written.
pub struct Document {
    pub content: Vec<(usize, usize)>,
    pub ttl: Option<i64>,
    pub written_at: i64,
}

struct Canonical<'a> {
    cursor: Cursor<'a>,
    members: Vec<Member<'a>>,
    has_plus: bool,
}

impl Reader {
    pub fn new(rules: Stored) -> Self {
        let ttl = if rules.has_ttl { &["ttl"][..] } else { &[] };
        let ignored =
            Names::new(rules.system.iter().map(String::as_str).chain(ttl.iter().copied()).map(|name| (name, "")));
        Reader { rules, ignored, identity: Vec::new(), all: Vec::new() }
    }

    /// Read a document; `Some(None)` if it is of another table.
    pub fn read(&mut self, text: &[u8]) -> Option<Option<Document>> {
        let (cursor, members) = (Cursor { text, at: 0 }, Vec::with_capacity(COMMON_MEMBERS));
        let mut reading = Canonical { cursor, members, has_plus: self.rules.has_plus };
        self.all.clear();
        let members = reading.top(&mut self.all)?;
        for (name, wanted) in &self.rules.constants {
            if self.value_of(&members, name) != Some(wanted.as_bytes()) {
                return Some(None);
            }
        }
        self.make_identity(&members)?;
        let written_at = self.whole(self.value_of(&members, "_ts")?)?;
        let ttl = match self.value_of(&members, "ttl") {
            Some(value) if self.rules.has_ttl => Some(self.whole(value)?),
            _ => None,
        };
        let kept = members.iter().filter(|one| self.ignored.find(&one.name).is_none());
        Some(Some(Document { content: kept.map(|one| (one.start, one.end)).collect(), ttl, written_at }))
    }

    fn value_of(&self, members: &[Member], name: &str) -> Option<&[u8]> {
        let found = members.iter().find(|one| *one.name == *name.as_bytes())?;
        Some(&self.all[found.value..found.end])
    }

    fn make_identity(&mut self, members: &[Member]) -> Option<()> {
        let mut identity = std::mem::take(&mut self.identity);
        identity.clear();
        identity.push(b'[');
        for name in &self.rules.partition_key {
            let value = self.value_of(members, name).unwrap_or(b"{}");
            if value.len() > 2 && matches!(value[0], b'{' | b'[') {
                return None;
            }
            identity.extend_from_slice(value);
            identity.push(b',');
        }
        let id = self.value_of(members, "id")?;
        if id[0] != b'"' {
            return None;
        }
        identity.extend_from_slice(id);
        identity.push(b']');
        self.identity = identity;
        Some(())
    }

    fn whole(&self, canonical: &[u8]) -> Option<i64> {
        plain_integer(canonical.strip_suffix(b".0")?)
    }

    /// Write the content of the document that was read last.
    pub fn write_content(&self, document: &Document, out: &mut Vec<u8>) {
        let mut before = b'{';
        for &(start, end) in &document.content {
            out.push(before);
            out.extend_from_slice(&self.all[start..end]);
            before = b',';
        }
        if before == b'{' {
            out.push(before);
        }
        out.push(b'}');
    }
}

impl<'a> Canonical<'a> {
    /// Read the document's properties, in the order of their names.
    fn top(&mut self, out: &mut Vec<u8>) -> Option<Vec<Member<'a>>> {
        self.cursor.skip_blanks();
        self.read_members(out, 1)?;
        self.cursor.skip_blanks();
        if self.cursor.peek().is_some() {
            return None;
        }
        // Most are in order, but for those that Cosmos DB added at the end.
        self.members.sort_by(|one, other| one.name.cmp(&other.name));
        let is_twice = self.members.windows(2).any(|pair| pair[0].name == pair[1].name);
        (!is_twice).then(|| std::mem::take(&mut self.members))
    }

    fn value(&mut self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.cursor.peek()? {
            b'"' => write_string(&self.cursor.string()?, out),
            b'{' => self.object(out, depth)?,
            b'[' => self.array(out, depth)?,
            b'-' | b'0'..=b'9' => self.number(out)?,
            first => {
                let word = WORDS.iter().find(|word| word[0] == first)?;
                self.cursor.expect(word)?;
                out.extend_from_slice(word);
            }
        }
        Some(())
    }

    fn number(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let start = self.cursor.at;
        while matches!(self.cursor.peek(), Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) {
            self.cursor.at += 1;
        }
        write_float(&self.cursor.text[start..self.cursor.at], self.has_plus, out)
    }

    fn array(&mut self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        self.cursor.expect(b"[")?;
        self.cursor.skip_blanks();
        let mut before = b'[';
        if self.cursor.peek()? == b']' {
            self.cursor.at += 1;
            out.extend_from_slice(b"[]");
            return Some(());
        }
        while before != b']' {
            out.push(before);
            self.cursor.skip_blanks();
            self.value(out, depth + 1)?;
            self.cursor.skip_blanks();
            before = self.cursor.next()?;
            if before != b',' && before != b']' {
                return None;
            }
        }
        out.push(b']');
        Some(())
    }

    fn object(&mut self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        let base = self.members.len();
        out.push(b'{');
        let start = out.len();
        self.read_members(out, depth)?;
        sort_members(&mut self.members[base..], start, out)?;
        self.members.truncate(base);
        out.push(b'}');
        Some(())
    }

    /// Read an object's members, which are written with commas between them, and not its braces.
    fn read_members(&mut self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        self.cursor.expect(b"{")?;
        self.cursor.skip_blanks();
        if self.cursor.peek()? == b'}' {
            self.cursor.at += 1;
            return Some(());
        }
        loop {
            self.cursor.skip_blanks();
            let name = self.cursor.string()?;
            self.cursor.skip_blanks();
            self.cursor.expect(b":")?;
            self.cursor.skip_blanks();
            let start = out.len();
            write_string(&name, out);
            out.push(b':');
            let value = out.len();
            self.value(out, depth + 1)?;
            self.members.push(Member { name, start, value, end: out.len() });
            self.cursor.skip_blanks();
            match self.cursor.next()? {
                b',' => out.push(b','),
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }
}
