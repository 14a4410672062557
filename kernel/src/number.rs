//! DynamoDB's numbers, by the rules of d2c/mapping/numbers.py: never rounded.

use serde::Deserialize;

const MOST_DIGITS: usize = 38;
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;
/// Any decimal of so many digits survives conversion to binary64 and back.
const SURE_DIGITS: usize = 15;
/// Any integer of so many fits into 64 bits.
const SURE_INTEGER_DIGITS: usize = 18;

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    Exact,
    Reject,
    String,
}

/// How numbers become text: by which rule, and whether integers are written as floats, as a digest has them.
#[derive(Clone, Copy)]
pub struct Style {
    pub rule: Rule,
    pub as_float: bool,
    /// Whether positive exponents have a plus, which depends on the version of orjson.
    pub has_plus: bool,
}

/// A number's digits before and behind its point, without zeros at the ends.
struct Decimal<'a> {
    is_negative: bool,
    whole: &'a [u8],
    part: &'a [u8],
}

/// Write a number; returns whether binary64 cannot represent it.
#[inline]
pub fn write_number(text: &[u8], style: Style, out: &mut Vec<u8>) -> Option<bool> {
    if style.rule != Rule::String && write_plain(text, style, out) {
        return Some(false);
    }
    let decimal = parse(text)?;
    let exact = exact_text(text, &decimal, style);
    match &exact {
        Some(exact) if style.rule != Rule::String => out.extend_from_slice(exact.as_bytes()),
        None if style.rule == Rule::Reject => return None,
        _ => {
            out.push(b'"');
            write_positional(&decimal, out);
            out.push(b'"');
        }
    }
    Some(exact.is_none())
}

/// Whether a number is written as it stands.
#[inline]
pub fn is_written_so(text: &[u8], style: Style) -> bool {
    style.rule != Rule::String
        && match plain(text) {
            Some(Plain::Integer) => !style.as_float,
            found => found.is_some(),
        }
}

/// Write a number of a key in positional notation.
pub fn write_key(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    match plain(text) {
        Some(_) => out.extend_from_slice(text),
        None => write_positional(&parse(text)?, out),
    }
    Some(())
}

/// The value of a number that is written as a number.
pub fn plain_value(text: &[u8]) -> Option<f64> {
    plain(text).and(std::str::from_utf8(text).ok()?.parse().ok())
}

/// Write a number of plain JSON as a binary64, as a digest has it.
pub fn write_float(text: &[u8], style: Style, out: &mut Vec<u8>) -> Option<()> {
    if write_plain(text, style, out) {
        return Some(());
    }
    // Python's integers have no limit.
    let is_short = text.len() <= SURE_INTEGER_DIGITS || text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    let number: f64 = is_short.then(|| serde_json::from_slice(text).ok())??;
    out.extend_from_slice(shortest(number + 0.0, style).as_bytes());
    Some(())
}

pub fn plain_integer(text: &[u8]) -> Option<i64> {
    (plain(text)? == Plain::Integer).then(|| std::str::from_utf8(text).ok()?.parse().ok())?
}

/// A number that is the shortest text of its value.
#[derive(PartialEq)]
enum Plain {
    Integer,
    Decimal,
}

#[inline]
fn plain(text: &[u8]) -> Option<Plain> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let points = digits.iter().filter(|&&byte| byte == b'.').count();
    let is_sound = digits.len() <= SURE_DIGITS + points
        && digits.iter().all(|&byte| byte.is_ascii_digit() || byte == b'.')
        && matches!(digits, [b'1'..=b'9', ..] | [b'0', b'.', b'1'..=b'9', ..]);
    match (points, digits.last()?) {
        (0, _) if is_sound || text == b"0" => Some(Plain::Integer),
        (1, b'1'..=b'9') if is_sound => Some(Plain::Decimal),
        _ => None,
    }
}

#[inline]
fn write_plain(text: &[u8], style: Style, out: &mut Vec<u8>) -> bool {
    let Some(found) = plain(text) else { return false };
    out.extend_from_slice(text);
    if style.as_float && found == Plain::Integer {
        out.extend_from_slice(b".0");
    }
    true
}

/// Read a number in positional notation, which is how DynamoDB writes all but huge and tiny ones.
fn parse(text: &[u8]) -> Option<Decimal<'_>> {
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    let point = digits.iter().position(|&byte| byte == b'.').unwrap_or(digits.len());
    let (whole, part) = (&digits[..point], digits.get(point + 1..).unwrap_or_default());
    if !(1..=MOST_DIGITS).contains(&(whole.len() + part.len()))
        || ![whole, part].concat().iter().all(u8::is_ascii_digit)
    {
        return None;
    }
    let first = whole.iter().position(|&byte| byte != b'0').unwrap_or(whole.len());
    let last = part.iter().rposition(|&byte| byte != b'0').map_or(0, |at| at + 1);
    let (whole, part) = (&whole[first..], &part[..last]);
    let is_zero = whole.is_empty() && part.is_empty();
    Some(Decimal { is_negative: text[0] == b'-' && !is_zero, whole, part })
}

/// The JSON number that is equal, if binary64 keeps every digit.
fn exact_text(text: &[u8], decimal: &Decimal, style: Style) -> Option<String> {
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    if significant(ryu::Buffer::new().format_finite(number).as_bytes()) != significant(text) {
        return None;
    }
    let is_integer = decimal.part.is_empty() && number.abs() <= MAX_EXACT_INTEGER;
    Some(if is_integer && !style.as_float { format!("{:.0}", number + 0.0) } else { shortest(number + 0.0, style) })
}

/// The digits of a number, without zeros at the ends.
fn significant(text: &[u8]) -> Vec<u8> {
    let mantissa = text.iter().take_while(|&&byte| byte != b'e').filter(|byte| byte.is_ascii_digit());
    let mut digits: Vec<u8> = mantissa.copied().skip_while(|&byte| byte == b'0').collect();
    digits.truncate(digits.iter().rposition(|&byte| byte != b'0').map_or(0, |last| last + 1));
    digits
}

/// The shortest text of a binary64, as orjson writes it.
fn shortest(number: f64, style: Style) -> String {
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(number);
    match text.split_once('e') {
        Some((digits, power)) if style.has_plus && !power.starts_with('-') => format!("{digits}e+{power}"),
        _ => text.into(),
    }
}

fn write_positional(decimal: &Decimal, out: &mut Vec<u8>) {
    let sign: &[u8] = if decimal.is_negative { b"-" } else { b"" };
    let whole = if decimal.whole.is_empty() { b"0" } else { decimal.whole };
    let point: &[u8] = if decimal.part.is_empty() { b"" } else { b"." };
    [sign, whole, point, decimal.part].iter().for_each(|text| out.extend_from_slice(text));
}
