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

    #[inline]
    pub fn expect(&mut self, wanted: &[u8]) -> Option<()> {
        let found = self.text.get(self.at..self.at + wanted.len())?;
        self.at += wanted.len();
        (found == wanted).then_some(())
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
                b'\\' => {
                    has_escapes = true;
                    self.at += 2;
                    if self.at > self.text.len() {
                        return None;
                    }
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
        match self.raw_string()? {
            (raw, false) => Some(Cow::Borrowed(raw)),
            (raw, true) => unescaped(raw).map(Cow::Owned),
        }
    }

    /// A string that has no escapes, which is all that numbers and base64 can be.
    #[inline]
    pub fn plain_string(&mut self) -> Option<&'a [u8]> {
        match self.raw_string()? {
            (raw, false) => Some(raw),
            _ => None,
        }
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
    at + rest.iter().position(|&byte| is_special(byte)).unwrap_or(rest.len())
}

#[inline]
fn is_special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20
}

fn unescaped(raw: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        if raw[at] != b'\\' {
            text.push(raw[at]);
            at += 1;
            continue;
        }
        let escape = *raw.get(at + 1)?;
        at += 2;
        text.push(match escape {
            b'"' | b'\\' | b'/' => escape,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'f' => 12,
            b'r' => b'\r',
            b'u' => {
                let mut code = hex4(raw, at)?;
                at += 4;
                if (0xD800..0xDC00).contains(&code) {
                    if raw.get(at..at + 2)? != b"\\u" {
                        return None;
                    }
                    let low = hex4(raw, at + 2)?;
                    if !(0xDC00..0xE000).contains(&low) {
                        return None;
                    }
                    at += 6;
                    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                }
                let mut bytes = [0; 4];
                text.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut bytes).as_bytes());
                continue;
            }
            _ => return None,
        });
    }
    Some(text)
}

fn hex4(raw: &[u8], at: usize) -> Option<u32> {
    raw.get(at..at + 4)?.iter().try_fold(0, |code, &byte| Some(code * 16 + (byte as char).to_digit(16)?))
}

/// Write a text as a JSON string, with the escapes of orjson.
#[inline]
pub fn write_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    loop {
        let (plain, others) = rest.split_at(plain_bytes(rest));
        out.extend_from_slice(plain);
        let Some((&special, after)) = others.split_first() else { break };
        write_escape(special, out);
        rest = after;
    }
    out.push(b'"');
}

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' | b'\\' => byte,
        8 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        12 => b'f',
        b'\r' => b'r',
        _ => {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[HEX[byte as usize >> 4], HEX[byte as usize & 15]]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
