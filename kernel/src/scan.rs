//! Compact JSON, read byte by byte. `None` means that this is for the reference, whatever the cause.

use std::borrow::Cow;

pub struct Cursor<'a> {
    pub text: &'a [u8],
    pub at: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[inline]
    pub fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Go behind a text, if it comes next.
    #[inline]
    pub fn skip(&mut self, text: &[u8]) -> bool {
        let is_next = self.text[self.at..].starts_with(text);
        self.at += if is_next { text.len() } else { 0 };
        is_next
    }

    #[inline]
    pub fn expect(&mut self, wanted: &[u8]) -> Option<()> {
        self.skip(wanted).then_some(())
    }

    /// Whether there are more elements, behind what separates or ends them.
    #[inline]
    pub fn has_more(&mut self, end: u8) -> Option<bool> {
        let byte = self.next()?;
        (byte == b',' || byte == end).then_some(byte == b',')
    }

    pub fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// The text between two quotes as it stands there, and whether it has escapes.
    #[inline]
    pub fn raw_string(&mut self) -> Option<(&'a [u8], bool)> {
        self.expect(b"\"")?;
        let start = self.at;
        let mut has_escapes = false;
        loop {
            self.at += plain_bytes(&self.text[self.at..]);
            match self.peek()? {
                b'"' => break,
                b'\\' if self.at + 2 <= self.text.len() => {
                    has_escapes = true;
                    self.at += 2;
                }
                _ => return None, // a control character
            }
        }
        self.at += 1;
        Some((&self.text[start..self.at - 1], has_escapes))
    }

    /// A string's own text, without escapes.
    #[inline]
    pub fn string(&mut self) -> Option<Cow<'a, [u8]>> {
        let start = self.at;
        match self.raw_string()? {
            (raw, false) => Some(Cow::Borrowed(raw)),
            _ => serde_json::from_slice(&self.text[start..self.at])
                .ok()
                .map(|text: String| Cow::Owned(text.into_bytes())),
        }
    }

    /// A string that has no escapes, which is all that numbers and base64 can be.
    #[inline]
    pub fn plain_string(&mut self) -> Option<&'a [u8]> {
        let (raw, has_escapes) = self.raw_string()?;
        (!has_escapes).then_some(raw)
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// How many bytes come before the first quote, backslash or control character.
#[inline]
pub fn plain_bytes(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(eight) = text.get(at..at + 8) {
        let word = u64::from_le_bytes(eight.try_into().unwrap());
        let quotes = word ^ (ONES * b'"' as u64);
        let slashes = word ^ (ONES * b'\\' as u64);
        // A byte may be marked wrongly only after one that is marked rightly.
        let found = (quotes.wrapping_sub(ONES) & !quotes
            | slashes.wrapping_sub(ONES) & !slashes
            | word.wrapping_sub(ONES * 0x20) & !word)
            & HIGH;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = &text[at..];
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    at + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// Write a text as a JSON string, with the escapes of orjson.
#[inline]
pub fn write_string(text: &[u8], out: &mut Vec<u8>) {
    if plain_bytes(text) == text.len() {
        return write_plain(text, out);
    }
    // A Vec takes all.
    let _ = serde_json::to_writer(out, &String::from_utf8_lossy(text));
}

/// Write a text that needs no escapes.
#[inline]
pub fn write_plain(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}
