//! What a new stream is to be.

use crate::dtype::{item_bytes, items_of, Field};
use crate::error::{Error, Result};
use crate::json::{quoted, Json};
use crate::layout::{DIMENSIONS_MAX, FIELDS_BYTES_MAX, SLOTS_MAX, SLOTS_MIN};
use crate::reference::{can_refer, REFERENCE_FIELDS};

const MESSAGE_BYTES: u64 = 16384;
const PAYLOAD_BYTES_MAX: u64 = 1 << 40;

/// A stream's kind, type and shape, and whatever else of the descriptor is known.
///
/// ```
/// use streamem::Spec;
/// let camera = Spec::new("video", "|u1", &[720, 1280, 3]).member("rate", "30").field("exposure", "<u8", &[], Some("ns"));
/// let boxes = Spec::messages("json").capacity(65536);
/// ```
#[derive(Debug, Clone)]
pub struct Spec {
    kind: String,
    dtype: String,
    shape: Vec<u32>,
    members: Vec<(String, String)>,
    fields: Vec<String>,
    slots: Option<u32>,
    capacity: Option<u64>,
    pub(crate) prefix: Option<String>,
    pub(crate) group: Option<u32>,
}

/// A spec that was checked, and what follows from it.
#[derive(Clone)]
pub(crate) struct Plan {
    /// The descriptor's members, without the braces.
    pub members: String,
    pub shape: Vec<u32>,
    pub item_bytes: u64,
    pub slot_count: u32,
    pub payload_capacity: u64,
    pub fields_capacity: u32,
    pub can_refer: bool,
    pub is_message: bool,
}

impl Spec {
    /// `kind`: `video`, `depth`, `audio`, `imu`, `pose` or `tensor`. `dtype`: NumPy's typestr, such as `|u1` or `<f4`, or for
    /// records the JSON of its descr, such as `[["t", "<u8"], ["xyz", "<f4", [3]]]`. `shape`: in C order.
    pub fn new(kind: &str, dtype: &str, shape: &[u32]) -> Spec {
        let dtype = if dtype.starts_with('[') { dtype.to_string() } else { quoted(dtype) };
        let (members, fields, shape) = (Vec::new(), Vec::new(), shape.to_vec());
        Spec { kind: kind.into(), dtype, shape, members, fields, slots: None, capacity: None, prefix: None, group: None }
    }

    /// Messages of any length up to the capacity, which is 16384 bytes unless [`Spec::capacity`] says otherwise. `encoding`:
    /// `json`, `utf8` or `msgpack`. Each can say which frame it was computed from.
    pub fn messages(encoding: &str) -> Spec {
        Spec::new("message", "|u1", &[]).member("encoding", &quoted(encoding)).referring()
    }

    /// Frames can say which frame they were computed from, as messages can: a mask, for instance. Before other fields.
    pub fn referring(self) -> Spec {
        REFERENCE_FIELDS.iter().fold(self, |spec, own| spec.field(own.name, own.dtype, own.shape, own.unit))
    }

    /// Any other member of the descriptor: its name, and its value as JSON.
    pub fn member(mut self, name: &str, json: &str) -> Spec {
        self.members.push((name.to_string(), json.to_string()));
        self
    }

    /// One more value in each frame's metadata area, behind those before it, at a multiple of 8 bytes.
    pub fn field(mut self, name: &str, dtype: &str, shape: &[u32], unit: Option<&str>) -> Spec {
        let offset = self.fields_end();
        let unit = unit.map_or_else(String::new, |unit| format!(",\"unit\":{}", quoted(unit)));
        let (name, dtype) = (quoted(name), quoted(dtype));
        self.fields.push(format!("{{\"name\":{},\"dtype\":{},\"shape\":{:?},\"offset\":{}{}}}", name, dtype, shape, offset, unit));
        self
    }

    /// Slots of the ring: 8 for video, depth and tensor, 64 for audio, 256 for imu, pose and message, unless said here.
    pub fn slots(mut self, slots: u32) -> Spec {
        self.slots = Some(slots);
        self
    }

    /// Bytes of the largest frame; what dtype and shape need, unless said here.
    pub fn capacity(mut self, bytes: u64) -> Spec {
        self.capacity = Some(bytes);
        self
    }

    /// Of the stream's name in /dev/shm; the environment's `STREAMEM_PREFIX`, else `streamem`, unless said here.
    pub fn prefix(mut self, prefix: &str) -> Spec {
        self.prefix = Some(prefix.to_string());
        self
    }

    /// The id of a group that may read too.
    pub fn group(mut self, group: u32) -> Spec {
        self.group = Some(group);
        self
    }

    fn read_fields(&self) -> Vec<Option<Field>> {
        self.fields.iter().map(|text| Field::parse(&Json::parse(text).ok()?)).collect()
    }

    /// Behind the last field, rounded up to 8.
    fn fields_end(&self) -> usize {
        let ends = self.read_fields().into_iter().flatten().map(|field| field.end);
        (ends.max().unwrap_or(0) + 7) & !7
    }

    pub(crate) fn plan(&self, stream: &str) -> Result<Plan> {
        let refuse = |words: String| Error::new(libc::EINVAL, format!("stream \"{}\": {}", stream, words));
        let check = |holds: bool, words: &dyn Fn() -> String| if holds { Ok(()) } else { Err(refuse(words())) };
        let kinds = ["video", "depth", "audio", "imu", "pose", "message", "tensor"];
        check(kinds.contains(&&self.kind[..]), &|| format!("kind {:?}, allowed are {}", self.kind, kinds.join(", ")))?;
        let is_message = self.kind == "message";
        let item = Json::parse(&self.dtype).ok().as_ref().and_then(item_bytes);
        let item =
            item.ok_or_else(|| refuse(format!("dtype {}, allowed are typestrs such as |u1, <u2, <f4, and records of them", self.dtype)))?;
        check(self.shape.len() <= DIMENSIONS_MAX as usize, &|| format!("{} dimensions, at most 8 are allowed", self.shape.len()))?;
        let needed = if is_message { Some(MESSAGE_BYTES) } else { items_of(&self.shape).and_then(|items| items.checked_mul(item)) };
        let capacity = self.capacity.or(needed).unwrap_or(u64::MAX);
        check((1..=PAYLOAD_BYTES_MAX).contains(&capacity), &|| format!("a capacity of {} bytes, allowed are 1 byte to 1 TiB", capacity))?;
        let slots = self.slots.unwrap_or(match &self.kind[..] {
            "audio" => 64,
            "imu" | "pose" | "message" => 256,
            _ => 8,
        });
        check((SLOTS_MIN..=SLOTS_MAX).contains(&slots), &|| format!("slots is {}, allowed are {} to {}", slots, SLOTS_MIN, SLOTS_MAX))?;
        let fields: Option<Vec<Field>> = self.read_fields().into_iter().collect();
        let fields =
            fields.ok_or_else(|| refuse(format!("fields have a typestr, a shape, and together {} bytes at most", FIELDS_BYTES_MAX)))?;
        let shape = if is_message { vec![capacity.min(u32::MAX as u64) as u32] } else { self.shape.clone() };
        let members = self.descriptor_members(&shape);
        Json::parse(&format!("{{{}}}", members)).map_err(|why| refuse(format!("its descriptor {{{}}} is not JSON: {}", members, why)))?;
        Ok(Plan {
            members,
            shape,
            item_bytes: item,
            slot_count: slots,
            payload_capacity: capacity,
            fields_capacity: self.fields_end() as u32,
            can_refer: can_refer(&fields),
            is_message,
        })
    }

    fn descriptor_members(&self, shape: &[u32]) -> String {
        let mut members = format!("\"kind\":{},\"dtype\":{},\"shape\":{:?}", quoted(&self.kind), self.dtype, shape);
        if !self.members.iter().any(|(name, _)| name == "clock") {
            members += r#","clock":{"name":"CLOCK_MONOTONIC","unit":"ns","epoch":"boot","method":"local"}"#;
        }
        for (name, value) in &self.members {
            members += &format!(",{}:{}", quoted(name), value);
        }
        if !self.fields.is_empty() {
            members += &format!(",\"fields\":[{}]", self.fields.join(","));
        }
        members
    }
}
