//! `google.protobuf.Struct` as Envoy hands it over: in protobuf, where the configuration is written as YAML
//! (protobuf.dev, "Encoding"; `google/protobuf/struct.proto`).

use alloc::string::String;
use alloc::vec::Vec;

use keyless_engine::json::{Map, Value};

/// Deeper is no configuration.
const DEPTH: u32 = 32;

/// The object that a `Struct` stands for.
pub(crate) fn object(bytes: &[u8]) -> Option<Map> {
    object_within(bytes, DEPTH)
}

fn object_within(bytes: &[u8], depth: u32) -> Option<Map> {
    let depth = depth.checked_sub(1)?;
    let mut map = Map::new();
    // `map<string, Value> fields = 1`
    for entry in fields(bytes)? {
        let (1, Content::Bytes(entry)) = entry else { return None };
        let (mut name, mut value) = (String::new(), Value::Null);
        for part in fields(entry)? {
            match part {
                (1, Content::Bytes(text)) => name = str::from_utf8(text).ok()?.into(),
                (2, Content::Bytes(bytes)) => value = value_within(bytes, depth)?,
                _ => return None,
            }
        }
        map.insert(name, value);
    }
    Some(map)
}

/// `Value`: of what is there, the last counts.
fn value_within(bytes: &[u8], depth: u32) -> Option<Value> {
    let mut value = Value::Null;
    for field in fields(bytes)? {
        value = match field {
            (1, Content::Number(_)) => Value::Null,
            (2, Content::Eight(number)) => Value::Number(f64::from_le_bytes(number)),
            (3, Content::Bytes(text)) => Value::String(str::from_utf8(text).ok()?.into()),
            (4, Content::Number(flag)) => Value::Bool(flag != 0),
            (5, Content::Bytes(bytes)) => Value::Object(object_within(bytes, depth)?),
            (6, Content::Bytes(bytes)) => Value::Array(list_within(bytes, depth)?),
            _ => return None,
        };
    }
    Some(value)
}

/// `ListValue`: `repeated Value values = 1`
fn list_within(bytes: &[u8], depth: u32) -> Option<Vec<Value>> {
    let depth = depth.checked_sub(1)?;
    fields(bytes)?
        .into_iter()
        .map(|field| match field {
            (1, Content::Bytes(bytes)) => value_within(bytes, depth),
            _ => None,
        })
        .collect()
}

/// What a field holds, by its wire type.
enum Content<'a> {
    Number(u64),
    Eight([u8; 8]),
    Bytes(&'a [u8]),
}

/// The fields of a message, with their numbers.
fn fields(mut rest: &[u8]) -> Option<Vec<(u64, Content<'_>)>> {
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let tag = varint(&mut rest)?;
        let content = match tag & 7 {
            0 => Content::Number(varint(&mut rest)?),
            1 => {
                let (eight, after) = rest.split_first_chunk()?;
                rest = after;
                Content::Eight(*eight)
            }
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let (bytes, after) = rest.split_at_checked(length)?;
                rest = after;
                Content::Bytes(bytes)
            }
            _ => return None,
        };
        fields.push((tag >> 3, content));
    }
    Some(fields)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
