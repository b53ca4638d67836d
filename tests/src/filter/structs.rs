//! JSON as `google.protobuf.Struct`, as Envoy hands a configuration over that was written as YAML
//! (protobuf.dev, "Encoding"; `google/protobuf/struct.proto`).

use serde_json::{Map, Value};

/// A `Struct`: `map<string, Value> fields = 1`
pub(super) fn object(map: &Map<String, Value>) -> Vec<u8> {
    let entry = |(name, content): (&String, &Value)| {
        let entry = [bytes(1, name.as_bytes()), bytes(2, &value(content))].concat();
        bytes(1, &entry)
    };
    map.iter().flat_map(entry).collect()
}

/// The `Struct` of one field that holds another.
pub(super) fn field(name: &str, inner: &[u8]) -> Vec<u8> {
    bytes(1, &[bytes(1, name.as_bytes()), bytes(2, &bytes(5, inner))].concat())
}

fn value(content: &Value) -> Vec<u8> {
    match content {
        Value::Null => number(1, 0),
        Value::Number(number) => {
            let double = number.as_f64().expect("a double").to_le_bytes();
            [varint((2 << 3) | 1), double.to_vec()].concat()
        }
        Value::String(text) => bytes(3, text.as_bytes()),
        Value::Bool(flag) => number(4, u64::from(*flag)),
        Value::Object(map) => bytes(5, &object(map)),
        // `ListValue`: `repeated Value values = 1`
        Value::Array(items) => {
            let items: Vec<u8> = items.iter().flat_map(|item| bytes(1, &value(item))).collect();
            bytes(6, &items)
        }
    }
}

fn number(field: u64, number: u64) -> Vec<u8> {
    [varint(field << 3), varint(number)].concat()
}

fn bytes(field: u64, bytes: &[u8]) -> Vec<u8> {
    [varint((field << 3) | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let seven = u8::try_from(number & 0x7f).unwrap();
        number >>= 7;
        if number == 0 {
            out.push(seven);
            return out;
        }
        out.push(seven | 0x80);
    }
}

/// The bytes of `protoc --encode=google.protobuf.Struct` for these.
#[test]
fn a_struct_is_written_as_others_write_it() {
    let json = serde_json::json!({"a": [true, null, "é"], "n": 1.5});
    let expected =
        b"\x0a\x15\x0a\x01a\x12\x10\x32\x0e\x0a\x02\x20\x01\x0a\x02\x08\x00\x0a\x04\x1a\x02\xc3\xa9\
                     \x0a\x0e\x0a\x01n\x12\x09\x11\0\0\0\0\0\0\xf8\x3f";
    assert_eq!(object(json.as_object().unwrap()), expected);
}
