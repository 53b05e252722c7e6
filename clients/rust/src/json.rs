//! A JSON reader for descriptors: text of a stranger, at most 64 KiB of it. Small on purpose; for messages of your own
//! take serde_json, or this.

use std::iter::Peekable;
use std::str::CharIndices;

/// A JSON value. Of members with the same name in one object the last counts, as in JavaScript and Python.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    /// Whole numbers are exact up to 2^53.
    Number(f64),
    String(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Deeper nesting is refused: it would be the stack that ends.
const DEPTH_MAX: usize = 100;

impl Json {
    /// The value in `text`, which holds nothing else. The error says what is wrong at which byte.
    pub fn parse(text: &str) -> Result<Json, String> {
        let mut parser = Parser { text, rest: text.char_indices().peekable() };
        let value = parser.value(DEPTH_MAX)?;
        match parser.peek() {
            None => Ok(value),
            Some(_) => Err(parser.expected("the end")),
        }
    }

    /// An object's member; None where there is none, or this is no object.
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Json::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A whole number from 0 to 2^53.
    pub fn as_u64(&self) -> Option<u64> {
        let whole = |n: &f64| n.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(n);
        self.as_f64().filter(whole).map(|n| n as u64)
    }

    pub fn as_list(&self) -> Option<&[Json]> {
        match self {
            Json::List(values) => Some(values),
            _ => None,
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
}

impl<'a> Parser<'a> {
    /// The next character that is no space, not taken.
    fn peek(&mut self) -> Option<char> {
        while self.rest.next_if(|(_, c)| matches!(c, ' ' | '\n' | '\r' | '\t')).is_some() {}
        self.rest.peek().map(|(_, c)| *c)
    }

    fn take(&mut self, wanted: char) -> bool {
        self.peek() == Some(wanted) && self.rest.next().is_some()
    }

    fn offset(&mut self) -> usize {
        self.rest.peek().map_or(self.text.len(), |(at, _)| *at)
    }

    fn expected(&mut self, what: &str) -> String {
        let found = self.rest.peek().map_or("the end".to_string(), |(_, c)| format!("{:?}", c));
        format!("at byte {}: {} where {} should be", self.offset(), found, what)
    }

    fn value(&mut self, depth: usize) -> Result<Json, String> {
        if depth == 0 {
            return Err(format!("at byte {}: nested more than {} deep", self.offset(), DEPTH_MAX));
        }
        match self.peek() {
            Some('{') => self.object(depth - 1),
            Some('[') => self.list(depth - 1),
            Some('"') => self.string().map(Json::String),
            Some('-' | '0'..='9') => self.number(),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, String> {
        let mut members = Vec::new();
        self.take('{');
        if self.take('}') {
            return Ok(Json::Object(members));
        }
        loop {
            if self.peek() != Some('"') {
                return Err(self.expected("a member's name"));
            }
            let name = self.string()?;
            if !self.take(':') {
                return Err(self.expected("':'"));
            }
            members.push((name, self.value(depth)?));
            if self.take('}') {
                return Ok(Json::Object(members));
            }
            if !self.take(',') {
                return Err(self.expected("',' or '}'"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, String> {
        let mut values = Vec::new();
        self.take('[');
        if self.take(']') {
            return Ok(Json::List(values));
        }
        loop {
            values.push(self.value(depth)?);
            if self.take(']') {
                return Ok(Json::List(values));
            }
            if !self.take(',') {
                return Err(self.expected("',' or ']'"));
            }
        }
    }

    fn word(&mut self) -> Result<Json, String> {
        let words = [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))];
        let start = self.offset();
        while self.rest.next_if(|(_, c)| c.is_ascii_alphabetic()).is_some() {}
        let end = self.offset();
        let found = &self.text[start..end];
        let known = words.into_iter().find(|(word, _)| *word == found).map(|(_, value)| value);
        known.ok_or_else(|| format!("at byte {}: {:?} is no value", start, found))
    }

    fn digits(&mut self) -> bool {
        let mut any = false;
        while self.rest.next_if(|(_, c)| c.is_ascii_digit()).is_some() {
            any = true;
        }
        any
    }

    fn number(&mut self) -> Result<Json, String> {
        let start = self.offset();
        self.rest.next_if(|(_, c)| *c == '-');
        let leading_zero = self.rest.next_if(|(_, c)| *c == '0').is_some();
        let mut whole = leading_zero || self.digits();
        if self.rest.next_if(|(_, c)| *c == '.').is_some() {
            whole &= self.digits();
        }
        if self.rest.next_if(|(_, c)| matches!(c, 'e' | 'E')).is_some() {
            self.rest.next_if(|(_, c)| matches!(c, '+' | '-'));
            whole &= self.digits();
        }
        let end = self.offset();
        let text = &self.text[start..end];
        let number = if whole { text.parse().ok() } else { None };
        number.map(Json::Number).ok_or_else(|| format!("at byte {}: {:?} is no number", start, text))
    }

    fn string(&mut self) -> Result<String, String> {
        let mut out = String::new();
        self.take('"');
        loop {
            match self.rest.next() {
                Some((_, '"')) => return Ok(out),
                Some((_, '\\')) => out.push(self.escape()?),
                Some((_, c)) if c >= ' ' => out.push(c),
                Some((at, c)) => return Err(format!("at byte {}: {:?} has to be escaped in a string", at, c)),
                None => return Err(self.expected("the string's end")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        Ok(match self.rest.next() {
            Some((_, c @ ('"' | '\\' | '/'))) => c,
            Some((_, 'b')) => '\u{8}',
            Some((_, 'f')) => '\u{c}',
            Some((_, 'n')) => '\n',
            Some((_, 'r')) => '\r',
            Some((_, 't')) => '\t',
            Some((_, 'u')) => self.unicode()?,
            _ => return Err(self.expected("an escape")),
        })
    }

    /// The character behind `\u`: one unit, or a pair of surrogates. Half a pair, which some writers leave, is U+FFFD.
    fn unicode(&mut self) -> Result<char, String> {
        let unit = self.hex()?;
        if !(0xd800..0xdc00).contains(&unit) {
            return Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let ahead = self.rest.clone();
        if self.rest.next().map(|(_, c)| c) == Some('\\') && self.rest.next().map(|(_, c)| c) == Some('u') {
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                let point = 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
        self.rest = ahead;
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self) -> Result<u32, String> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.rest.next().and_then(|(_, c)| c.to_digit(16));
            unit = unit * 16 + digit.ok_or_else(|| self.expected("four hexadecimal digits"))?;
        }
        Ok(unit)
    }
}

/// `text` as a JSON string, quotes and all.
pub(crate) fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{}", c),
        c if c < ' ' => format!("\\u{:04x}", c as u32),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_json() {
        let text = r#" {"a": [1, -2.5e3, true, null], "b": {"c": "\u00e9\ud83d\ude00\n\ud800"}, "a": [7]} "#;
        let json = Json::parse(text).unwrap();
        assert_eq!(json.get("a"), Some(&Json::List(vec![Json::Number(7.0)])));
        assert_eq!(json.get("b").unwrap().get("c").unwrap().as_str(), Some("é😀\n\u{fffd}"));
        assert_eq!(Json::parse(&quoted("a\"\\\n\u{1}é")).unwrap().as_str(), Some("a\"\\\n\u{1}é"));
    }

    #[test]
    fn refuses_what_is_not() {
        for text in
            ["", "{", "[1,]", "{\"a\"}", "01", "1.", "-", "nul", "\"\u{1}\"", "\"\\x\"", "\"\\u12g4\"", "[1] 2", "{,}", "NaN", "+1", ".5"]
        {
            assert!(Json::parse(text).is_err(), "{:?} was read", text);
        }
        assert!(Json::parse(&"[".repeat(65536)).unwrap_err().contains("nested"));
        assert!(Json::parse(&"{\"a\":".repeat(10000)).unwrap_err().contains("nested"));
    }

    /// Any change of any byte gives a value or an error, never a panic nor a loop.
    #[test]
    fn bears_any_bytes() {
        let whole = br#"{"name":"x","dtype":[["t","<u8"],["xyz","<f4",[3]]],"rate":29.97e0,"s":"\u00e9\ud83d\ude00"}"#;
        let alphabet = b"{}[]\",:\\u0123456789eE+-.\x00 \xc3";
        let mut state = 1u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize % below
        };
        let mut read = 0;
        for _ in 0..200_000 {
            let mut bytes = whole.to_vec();
            for _ in 0..1 + next(4) {
                let at = next(bytes.len());
                match next(3) {
                    0 => bytes[at] = alphabet[next(alphabet.len())],
                    1 => bytes.truncate(at.max(1)),
                    _ => drop(bytes.remove(at.min(bytes.len() - 1))),
                }
                if bytes.is_empty() {
                    break;
                }
            }
            read += std::str::from_utf8(&bytes).map_or(false, |text| Json::parse(text).is_ok()) as u32;
        }
        assert!(read > 1000, "only {} were JSON still", read);
    }
}
