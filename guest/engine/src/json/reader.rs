//! Reading JSON (RFC 8259): strict, to a depth of 127, and with the place of a fault.
//!
//! By hand, with serde_json as the second opinion in the tests: what is read, what is refused and the place of a fault are the
//! same. serde_json can read into any type there is, for which it takes 8 KB more of the component; and it unescapes texts in
//! a buffer that it does not wipe.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Map, Value};
use crate::secret::SecretBytes;

/// Why a text is not JSON: never in words, because they might quote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    ended: bool,
    line: usize,
    column: usize,
}

impl Fault {
    /// Whether it ends in the middle of something.
    #[must_use]
    pub fn is_eof(&self) -> bool {
        self.ended
    }

    /// From 1 up.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// Bytes of that line, up to the one at fault.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }
}

/// Lists and objects within one another. More than anybody writes, and less than the stack of any host has room for.
const DEEPEST: usize = 127;

/// A text and how far it has been read: where something is `None`, up to the byte at fault.
pub(super) struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    depth: usize,
    /// Whether more was asked for than there is.
    ended: bool,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0, depth: 0, ended: false }
    }

    /// The one value that the text is.
    pub(super) fn whole(mut self) -> Result<Value, Fault> {
        let value = self.value();
        if value.is_some() && self.skip_to_token().is_some() {
            self.at += 1;
            return Err(self.fault());
        }
        value.ok_or_else(|| self.fault())
    }

    fn value(&mut self) -> Option<Value> {
        Some(match self.skip_to_token() {
            Some(b'n') => self.word(b"null", Value::Null)?,
            Some(b't') => self.word(b"true", Value::Bool(true))?,
            Some(b'f') => self.word(b"false", Value::Bool(false))?,
            Some(b'"') => Value::String(self.string()?),
            Some(b'-') => {
                self.at += 1;
                Value::Number(-self.number()?)
            }
            Some(b'0'..=b'9') => Value::Number(self.number()?),
            bracket => {
                self.next()?;
                self.depth += 1;
                let value = match bracket {
                    _ if self.depth > DEEPEST => return None,
                    Some(b'[') => Value::Array(self.list()?),
                    Some(b'{') => Value::Object(self.object()?),
                    _ => return None,
                };
                self.depth -= 1;
                value
            }
        })
    }

    fn word(&mut self, word: &[u8], value: Value) -> Option<Value> {
        word.iter().all(|byte| self.expect(*byte).is_some()).then_some(value)
    }

    fn list(&mut self) -> Option<Vec<Value>> {
        let mut items = Vec::new();
        while self.another(b']', items.is_empty())? {
            items.push(self.value()?);
        }
        Some(items)
    }

    fn object(&mut self) -> Option<Map> {
        let mut map = Map::new();
        while self.another(b'}', map.is_empty())? {
            self.skip_to_token();
            let name = self.string()?;
            self.skip_to_token();
            self.expect(b':')?;
            map.insert(name, self.value()?);
        }
        Some(map)
    }

    /// Whether there is one more before the end; past the comma in front of it.
    fn another(&mut self, end: u8, first: bool) -> Option<bool> {
        let ends = self.skip_to_token() == Some(end);
        if ends {
            self.at += 1;
        } else if !first {
            self.expect(b',')?;
        }
        Some(!ends)
    }

    /// A text in its quotes (RFC 8259, section 7).
    fn string(&mut self) -> Option<String> {
        self.expect(b'"')?;
        let mut plain = self.plain();
        // Room for all of it beforehand: what grows leaves pieces of a secret behind.
        let whole = self.text.get(self.at + plain) == Some(&b'"');
        let mut text = SecretBytes::from(Vec::with_capacity(if whole { plain } else { self.length() }));
        loop {
            text.extend_from_slice(self.text.get(self.at..self.at + plain)?);
            self.at += plain;
            match self.next()? {
                b'"' => break,
                b'\\' => {
                    let c = self.escape()?;
                    text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => return None,
            }
            plain = self.plain();
        }
        match String::from_utf8(core::mem::take(&mut *text)) {
            Ok(text) => Some(text),
            Err(fault) => {
                // Where it stops being UTF-8.
                self.at -= fault.as_bytes().len() - fault.utf8_error().valid_up_to();
                None
            }
        }
    }

    /// How many bytes come that stand for themselves.
    fn plain(&self) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=31)).unwrap_or(rest.len())
    }

    /// Of the text that begins here, as it is written.
    fn length(&self) -> usize {
        let mut end = self.at;
        while let Some(byte) = self.text.get(end).filter(|byte| **byte != b'"') {
            end += if *byte == b'\\' { 2 } else { 1 };
        }
        end - self.at
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut code = self.code_unit()?;
                if (0xd800..0xdc00).contains(&code) {
                    self.expect(b'\\')?;
                    self.expect(b'u')?;
                    let low = self.code_unit()?;
                    // Else it stays half of a pair, which is no character.
                    if (0xdc00..0xe000).contains(&low) {
                        code = 0x1_0000 + ((code - 0xd800) << 10 | (low - 0xdc00));
                    }
                }
                char::from_u32(code)?
            }
            _ => return None,
        })
    }

    /// Four hexadecimal digits.
    fn code_unit(&mut self) -> Option<u32> {
        let mut code = Some(0);
        for _ in 0..4 {
            let digit = char::from(self.next()?).to_digit(16);
            code = code.and_then(|code| Some(code << 4 | digit?));
        }
        code
    }

    /// Without its sign.
    fn number(&mut self) -> Option<f64> {
        let (mut digits, mut exponent) = (0, 0);
        if self.peek() == Some(b'0') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                self.at += 1;
                return None;
            }
        } else {
            exponent = self.digits(&mut digits)?.1;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            exponent -= self.digits(&mut digits)?.0;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            exponent = exponent.saturating_add(self.exponent(digits == 0)?);
        }
        Some(scaled(digits, exponent)).filter(|number| number.is_finite())
    }

    /// One digit at least, behind those that were read before: how many were taken, and how many more there are than fit.
    fn digits(&mut self, number: &mut u64) -> Option<(i32, i32)> {
        let (mut taken, mut left) = (0, 0);
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            self.at += 1;
            match number.checked_mul(10).and_then(|tens| tens.checked_add(u64::from(byte - b'0'))) {
                Some(more) if left == 0 => (*number, taken) = (more, taken + 1),
                _ => left += 1,
            }
        }
        if taken + left == 0 {
            self.next()?;
            return None;
        }
        Some((taken, left))
    }

    /// What stands behind the `e`. One that makes too much of the number is a fault at once.
    fn exponent(&mut self, of_zero: bool) -> Option<i32> {
        let sign = self.peek().filter(|byte| matches!(byte, b'+' | b'-'));
        self.at += usize::from(sign.is_some());
        let (mut exponent, mut fits) = (0_i32, true);
        let start = self.at;
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            self.at += 1;
            let more = exponent.checked_mul(10).and_then(|tens| tens.checked_add(i32::from(byte - b'0')));
            fits &= more.is_some();
            if !fits && !of_zero && sign != Some(b'-') {
                return None;
            }
            exponent = more.unwrap_or(i32::MAX);
        }
        if self.at == start {
            self.next()?;
            return None;
        }
        Some(if sign == Some(b'-') { -exponent } else { exponent })
    }

    /// Past white space: the byte that comes then, which is not taken.
    fn skip_to_token(&mut self) -> Option<u8> {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
        self.peek()
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek();
        self.ended |= byte.is_none();
        self.at += usize::from(byte.is_some());
        byte
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        self.next().filter(|byte| *byte == wanted).map(drop)
    }

    fn fault(&self) -> Fault {
        let read = self.text.get(..self.at).unwrap_or_default();
        let line = 1 + read.iter().filter(|byte| **byte == b'\n').count();
        let column = read.iter().rev().take_while(|byte| **byte != b'\n').count();
        Fault { ended: self.ended, line, column }
    }
}

/// `digits` times ten to that power: exact where both are small, as they are in documents (15 digits, 22 places), and to the
/// fifteenth digit beyond. Infinite where it is too large.
fn scaled(digits: u64, exponent: i32) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, as everywhere but in a few languages")]
    let mut number = digits as f64;
    let mut exponent = if digits == 0 { 0 } else { exponent };
    // What is to be divided by more than the largest power there is.
    while exponent < -308 && number > 0.0 {
        number /= 1e308;
        exponent += 308;
    }
    let (mut power, mut square, mut rest) = (1.0, 10.0, exponent.unsigned_abs());
    while rest > 0 {
        if rest % 2 == 1 {
            power *= square;
        }
        square *= square;
        rest /= 2;
    }
    if exponent < 0 { number / power } else { number * power }
}

#[cfg(test)]
mod tests;
