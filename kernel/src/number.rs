//! DynamoDB's numbers, by the rules of d2c/mapping/numbers.py: never rounded.

use serde::Deserialize;

const MOST_DIGITS: usize = 38;
const LONGEST_TEXT: usize = 100;
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;
/// Any decimal of so many digits survives conversion to binary64 and back.
const SURE_DIGITS: usize = 15;

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

/// A sign, digits without zeros at either end, and the power of ten of the last one; zero has no digits.
#[derive(PartialEq)]
struct Decimal {
    is_negative: bool,
    digits: Vec<u8>,
    exponent: i32,
}

/// Write a number; returns whether binary64 cannot represent it.
#[inline]
pub fn write_number(text: &[u8], style: Style, out: &mut Vec<u8>) -> Option<bool> {
    if style.rule != Rule::String {
        if is_plain_integer(text) {
            out.extend_from_slice(text);
            if style.as_float {
                out.extend_from_slice(b".0");
            }
            return Some(false);
        }
        if is_plain_decimal(text) {
            out.extend_from_slice(text);
            return Some(false);
        }
    }
    let decimal = parse(text)?;
    let exact = exact_text(&decimal, style);
    if style.rule == Rule::String || exact.is_none() {
        if style.rule == Rule::Reject {
            return None;
        }
        out.push(b'"');
        write_positional(&decimal, out);
        out.push(b'"');
    } else {
        out.extend_from_slice(exact.as_deref()?.as_bytes());
    }
    Some(exact.is_none())
}

/// Write a number of a key in positional notation.
pub fn write_key(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    write_positional(&parse(text)?, out);
    Some(())
}

/// The value of a number that binary64 keeps.
pub fn exact_value(text: &[u8]) -> Option<f64> {
    let decimal = parse(text)?;
    let style = Style { rule: Rule::Exact, as_float: true, has_plus: false };
    exact_text(&decimal, style)?.parse().ok()
}

fn with_plus(shortest: &str, has_plus: bool) -> String {
    match shortest.split_once('e') {
        Some((digits, power)) if has_plus && !power.starts_with('-') => format!("{digits}e+{power}"),
        _ => shortest.into(),
    }
}

/// Write a number of plain JSON as a binary64, as a digest has it.
pub fn write_float(text: &[u8], has_plus: bool, out: &mut Vec<u8>) -> Option<()> {
    if is_plain_integer(text) {
        out.extend_from_slice(text);
        out.extend_from_slice(b".0");
    } else if is_plain_decimal(text) {
        out.extend_from_slice(text);
    } else {
        let is_integer = !text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
        if !is_json_number(text) || (is_integer && text.len() > 18) || text.len() > LONGEST_TEXT {
            return None;
        }
        let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
        if !number.is_finite() {
            return None;
        }
        let mut buffer = ryu::Buffer::new();
        out.extend_from_slice(with_plus(buffer.format_finite(number + 0.0), has_plus).as_bytes());
    }
    Some(())
}

pub fn plain_integer(text: &[u8]) -> Option<i64> {
    is_plain_integer(text).then(|| std::str::from_utf8(text).ok()?.parse().ok())?
}

#[inline]
fn is_plain_integer(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    (digits.len() <= SURE_DIGITS && matches!(digits.first(), Some(b'1'..=b'9')) || text == b"0")
        && digits.iter().all(u8::is_ascii_digit)
}

/// Whether a decimal is already the shortest text of its value: its integer part is not 0, its last digit neither.
#[inline]
fn is_plain_decimal(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.len() > SURE_DIGITS + 1 || !matches!(digits.first(), Some(b'1'..=b'9')) {
        return false;
    }
    let Some(point) = digits.iter().position(|&byte| byte == b'.') else { return false };
    let (whole, part) = (&digits[..point], &digits[point + 1..]);
    matches!(part.last(), Some(b'1'..=b'9'))
        && whole.iter().all(u8::is_ascii_digit)
        && part.iter().all(u8::is_ascii_digit)
}

/// Whether a number that Rust reads is one of JSON, which has digits on both sides of a point and no zero before others.
fn is_json_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let has_zero_first = matches!(digits, [b'0', b'0'..=b'9', ..]);
    let is_sided = |at: usize| digits.get(at + 1).is_some_and(u8::is_ascii_digit);
    digits.first().is_some_and(u8::is_ascii_digit)
        && !has_zero_first
        && digits.iter().enumerate().all(|(at, &byte)| byte != b'.' || is_sided(at))
}

fn parse(text: &[u8]) -> Option<Decimal> {
    if text.len() > LONGEST_TEXT {
        return None;
    }
    let is_negative = text.first() == Some(&b'-');
    let unsigned = if matches!(text.first(), Some(b'-' | b'+')) { &text[1..] } else { text };
    let (mantissa, mut exponent) = match unsigned.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&unsigned[..at], power(&unsigned[at + 1..])?),
        None => (unsigned, 0),
    };
    let mut digits: Vec<u8> = Vec::with_capacity(mantissa.len());
    let mut seen_digits = false;
    let mut seen_point = false;
    for &byte in mantissa {
        match byte {
            b'.' if !seen_point => seen_point = true,
            b'0'..=b'9' => {
                seen_digits = true;
                exponent -= seen_point as i32;
                if byte != b'0' || !digits.is_empty() {
                    digits.push(byte);
                }
            }
            _ => return None,
        }
    }
    if !seen_digits {
        return None;
    }
    while digits.last() == Some(&b'0') {
        digits.pop();
        exponent += 1;
    }
    if digits.is_empty() {
        return Some(Decimal { is_negative: false, digits, exponent: 0 });
    }
    let adjusted = exponent + digits.len() as i32 - 1;
    (digits.len() <= MOST_DIGITS && (-130..=125).contains(&adjusted)).then_some(Decimal {
        is_negative,
        digits,
        exponent,
    })
}

fn power(text: &[u8]) -> Option<i32> {
    let digits = if matches!(text.first(), Some(b'-' | b'+')) { &text[1..] } else { text };
    if digits.is_empty() || digits.len() > 9 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The JSON number that is equal, if binary64 keeps every digit.
fn exact_text(decimal: &Decimal, style: Style) -> Option<String> {
    if decimal.digits.is_empty() {
        return Some(if style.as_float { "0.0" } else { "0" }.into());
    }
    let digits = std::str::from_utf8(&decimal.digits).ok()?;
    let sign = if decimal.is_negative { "-" } else { "" };
    let number: f64 = format!("{sign}{digits}e{}", decimal.exponent).parse().ok()?;
    let mut buffer = ryu::Buffer::new();
    let shortest = buffer.format_finite(number);
    if parse(shortest.as_bytes())? != *decimal {
        return None;
    }
    let is_integer = decimal.exponent >= 0 && number.abs() <= MAX_EXACT_INTEGER;
    Some(if is_integer && !style.as_float { format!("{number:.0}") } else { with_plus(shortest, style.has_plus) })
}

fn write_positional(decimal: &Decimal, out: &mut Vec<u8>) {
    if decimal.is_negative {
        out.push(b'-');
    }
    let digits = &decimal.digits;
    let whole = digits.len() as i32 + decimal.exponent;
    if digits.is_empty() {
        out.push(b'0');
    } else if decimal.exponent >= 0 {
        out.extend_from_slice(digits);
        out.resize(out.len() + decimal.exponent as usize, b'0');
    } else if whole > 0 {
        out.extend_from_slice(&digits[..whole as usize]);
        out.push(b'.');
        out.extend_from_slice(&digits[whole as usize..]);
    } else {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + -whole as usize, b'0');
        out.extend_from_slice(digits);
    }
}
