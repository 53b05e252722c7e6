//! NumPy's typestr (`"<f4"`) and descr list (`[["x", "<f4", [3]]]`), and the values that a frame's fields hold.

use crate::json::Json;
use crate::layout::{DIMENSIONS_MAX, FIELDS_BYTES_MAX};

const ITEM_BYTES_MAX: u64 = 1 << 31;

/// A typestr: order `<`, `>` or `|`, a kind such as `u`, `i`, `f`, and the item's size in bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Type {
    pub order: char,
    pub kind: char,
    pub bytes: u64,
}

impl Type {
    /// None where it is no typestr that a ring may have.
    pub fn parse(text: &str) -> Option<Type> {
        let mut rest = text.chars();
        let order = rest.next().filter(|c| "<>|=".contains(*c))?;
        let kind = rest.next().filter(|c| "biufcSVUmM".contains(*c))?;
        let digits = rest.as_str().split('[').next()?;
        let size: u64 = digits.bytes().all(|c| c.is_ascii_digit()).then(|| digits.parse().ok())??;
        let bytes = if kind == 'U' { size * 4 } else { size };
        (0 < bytes && bytes < ITEM_BYTES_MAX).then_some(Type { order: if order == '=' { '<' } else { order }, kind, bytes })
    }
}

/// A shape: at most 8 entries of 32 bits.
pub(crate) fn shape_of(value: &Json) -> Option<Vec<u32>> {
    let entries = value.as_list().filter(|entries| entries.len() <= DIMENSIONS_MAX as usize)?;
    entries.iter().map(|entry| u32::try_from(entry.as_u64()?).ok()).collect()
}

/// Items of a shape; None where they are more than 64 bits can count. A 0 anywhere makes it 0.
pub(crate) fn items_of(shape: &[u32]) -> Option<u64> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1u64, |items, entry| items.checked_mul(*entry as u64))
}

/// Bytes of one item of a dtype, which may be a record; None where we do not understand it.
pub(crate) fn item_bytes(dtype: &Json) -> Option<u64> {
    if let Json::String(text) = dtype {
        return Type::parse(text).map(|found| found.bytes);
    }
    let members = dtype.as_list().filter(|members| !members.is_empty())?;
    let mut total = 0u64;
    for member in members {
        let (member, shape) = match member.as_list()? {
            [Json::String(_), member] => (member, Vec::new()),
            [Json::String(_), member, shape] => (member, shape_of(shape)?),
            _ => return None,
        };
        let items = items_of(&shape).filter(|items| *items > 0)?;
        total = total.checked_add(item_bytes(member)?.checked_mul(items)?).filter(|bytes| *bytes < ITEM_BYTES_MAX)?;
    }
    Some(total)
}

/// What a field of a frame holds: one number where its shape has no entries, else all of them in C order.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Unsigned(Vec<u64>),
    Signed(Vec<i64>),
    Float(Vec<f64>),
    /// A type that is none of these.
    Raw(Vec<u8>),
}

impl Value {
    /// The first number as a whole one; None where it is none, or negative.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Value::Unsigned(numbers) => numbers.first().copied(),
            Value::Signed(numbers) => numbers.first().and_then(|n| u64::try_from(*n).ok()),
            _ => None,
        }
    }

    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Unsigned(numbers) => numbers.first().map(|n| *n as f64),
            Value::Signed(numbers) => numbers.first().map(|n| *n as f64),
            Value::Float(numbers) => numbers.first().copied(),
            Value::Raw(_) => None,
        }
    }
}

/// One entry of the descriptor's `fields`: where its value lies in the metadata area.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub name: String,
    pub offset: usize,
    pub end: usize,
    item: Type,
}

impl Field {
    /// None where the entry is damaged or of a later version: the other fields can still be read.
    pub fn parse(entry: &Json) -> Option<Field> {
        let item = Type::parse(entry.get("dtype")?.as_str()?)?;
        let shape = entry.get("shape").map_or(Some(Vec::new()), shape_of)?;
        let offset = entry.get("offset")?.as_u64()?;
        let end = offset.checked_add(items_of(&shape)?.checked_mul(item.bytes)?)?;
        if end > FIELDS_BYTES_MAX as u64 {
            return None;
        }
        Some(Field { name: entry.get("name")?.as_str()?.to_string(), offset: offset as usize, end: end as usize, item })
    }

    /// `area` has at least `end` bytes.
    pub fn read(&self, area: &[u8]) -> Value {
        let bytes = &area[self.offset..self.end];
        let size = self.item.bytes as usize;
        let items = bytes.chunks_exact(size).map(|item| self.widened(item));
        match (self.item.kind, size) {
            ('u' | 'b', 1 | 2 | 4 | 8) => Value::Unsigned(items.map(u64::from_le_bytes).collect()),
            ('i', 1 | 2 | 4 | 8) => {
                let unused = 64 - 8 * size as u32; // moves the sign up, then down again with its copies
                Value::Signed(items.map(|item| i64::from_le_bytes(item) << unused >> unused).collect())
            }
            ('f', 4) => Value::Float(items.map(|item| f32::from_bits(u64::from_le_bytes(item) as u32) as f64).collect()),
            ('f', 8) => Value::Float(items.map(f64::from_le_bytes).collect()),
            _ => Value::Raw(bytes.to_vec()),
        }
    }

    /// The item's first 8 bytes in little-endian order, zeros behind them.
    fn widened(&self, item: &[u8]) -> [u8; 8] {
        let mut out = [0; 8];
        for (i, byte) in item.iter().take(8).enumerate() {
            out[if self.item.order == '>' { item.len().min(8) - 1 - i } else { i }] = *byte;
        }
        out
    }
}
