//! What a stream says about itself: the JSON beside the slots.

use crate::dtype::{item_bytes, shape_of, Field, Type};
use crate::error::{Error, Result};
use crate::json::Json;

/// The descriptor of one generation. A reader needs `dtype` and `shape`; the rest is there by [`Descriptor::get`].
#[derive(Debug, Clone)]
pub struct Descriptor {
    text: String,
    json: Json,
    shape: Option<Vec<u32>>,
    strides: Option<Vec<i64>>,
    dtype: Option<Type>,
    rate: Option<f64>,
    item_bytes: Option<u64>,
    fields: Vec<Field>,
}

impl Descriptor {
    pub(crate) fn parse(bytes: Vec<u8>, place: &str) -> Result<Descriptor> {
        let refuse = |why: String| Error::new(libc::EBADMSG, format!("{}: its descriptor is not a JSON object in UTF-8: {}", place, why));
        let text = String::from_utf8(bytes).map_err(|error| refuse(error.utf8_error().to_string()))?;
        let json = Json::parse(&text).map_err(refuse)?;
        if !matches!(json, Json::Object(_)) {
            return Err(refuse("it begins otherwise".into()));
        }
        let dtype = json.get("dtype");
        let shape = json.get("shape").and_then(shape_of);
        let strides = json.get("strides").and_then(strides_of).filter(|s| Some(s.len()) == shape.as_ref().map(Vec::len));
        let rate = json.get("rate").and_then(Json::as_f64).filter(|rate| (1e-9..1e9).contains(rate)); // five periods fit into 64 bits of ns
        let fields = json.get("fields").and_then(Json::as_list).unwrap_or_default();
        Ok(Descriptor {
            dtype: dtype.and_then(Json::as_str).and_then(Type::parse),
            item_bytes: dtype.and_then(item_bytes),
            fields: fields.iter().filter_map(Field::parse).collect(),
            shape,
            strides,
            rate,
            json,
            text,
        })
    }

    /// A member of the JSON object, such as `kind`, `dims`, `units`, `clock`.
    pub fn get(&self, member: &str) -> Option<&Json> {
        self.json.get(member)
    }

    /// The JSON as it stands in the ring.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The shape of frames that state none of their own; None where the descriptor has none that makes sense.
    pub fn shape(&self) -> Option<&[u32]> {
        self.shape.as_deref()
    }

    /// Bytes from one entry to the next in each dimension, where frames of the descriptor's shape do not lie in C order without gaps.
    pub fn strides(&self) -> Option<&[i64]> {
        self.strides.as_deref()
    }

    /// The type of an item; None for records and for what is no typestr.
    pub fn dtype(&self) -> Option<Type> {
        self.dtype
    }

    /// Bytes of one item, of a record too; None where the dtype makes no sense.
    pub fn item_bytes(&self) -> Option<u64> {
        self.item_bytes
    }

    /// Nominal frames per second.
    pub fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// Whether this is a stream of messages.
    pub fn is_message(&self) -> bool {
        self.get("kind").and_then(Json::as_str) == Some("message")
    }

    pub(crate) fn fields(&self) -> &[Field] {
        &self.fields
    }
}

fn strides_of(value: &Json) -> Option<Vec<i64>> {
    let whole = |n: &f64| n.fract() == 0.0 && n.abs() <= 9_007_199_254_740_992.0;
    value.as_list()?.iter().map(|entry| entry.as_f64().filter(whole).map(|n| n as i64)).collect()
}
