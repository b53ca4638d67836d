//! The protocol's spelling of any value of the WIT: its own names in its own order, bytes as base64, no whitespace.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use wasmtime::component::{Type, Val};
use wasmtime::error::Context as _;
use wasmtime::{Result, bail};

/// Appends a value of this type.
///
/// # Errors
/// A type that the contract does not use.
pub fn write(out: &mut String, value: &Val, ty: &Type) -> Result<()> {
    match (value, ty) {
        (Val::Bool(flag), _) => out.push_str(&flag.to_string()),
        (Val::U8(number), _) => out.push_str(&number.to_string()),
        (Val::U16(number), _) => out.push_str(&number.to_string()),
        (Val::U32(number), _) => out.push_str(&number.to_string()),
        (Val::U64(number), _) => out.push_str(&number.to_string()),
        (Val::String(text) | Val::Enum(text), _) => out.push_str(&quoted(text)),
        (Val::List(items), Type::List(list)) if list.ty() == Type::U8 => {
            let bytes: Vec<u8> = items
                .iter()
                .filter_map(|item| if let Val::U8(byte) = item { Some(*byte) } else { None })
                .collect();
            out.push_str(&quoted(&STANDARD.encode(bytes)));
        }
        (Val::List(items), Type::List(list)) => {
            let ty = list.ty();
            sequence(out, ['[', ']'], items, |out, item| write(out, item, &ty))?;
        }
        (Val::Tuple(items), Type::Tuple(tuple)) => {
            let types: Vec<_> = tuple.types().collect();
            sequence(out, ['[', ']'], items.iter().zip(types), |out, (item, ty)| write(out, item, &ty))?;
        }
        (Val::Record(fields), Type::Record(record)) => {
            let types: Vec<_> = record.fields().map(|field| field.ty).collect();
            sequence(out, ['{', '}'], fields.iter().zip(types), |out, ((name, value), ty)| {
                out.push_str(&quoted(name));
                out.push(':');
                write(out, value, &ty)
            })?;
        }
        (Val::Option(None), _) => out.push_str("null"),
        (Val::Option(Some(value)), Type::Option(option)) => write(out, value, &option.ty())?,
        (Val::Variant(name, payload), Type::Variant(variant)) => {
            let ty = variant.cases().find(|case| case.name == name).and_then(|case| case.ty);
            match (payload, ty) {
                (Some(payload), Some(ty)) => case(out, name, Some((payload, ty)))?,
                _ => out.push_str(&quoted(name)),
            }
        }
        (Val::Result(Ok(value)), Type::Result(result)) => case(out, "ok", value.as_deref().zip(result.ok()))?,
        (Val::Result(Err(value)), Type::Result(result)) => {
            case(out, "err", value.as_deref().zip(result.err()))?;
        }
        _ => bail!("a value of a type that the contract does not use"),
    }
    Ok(())
}

/// Reads a value of this type.
///
/// # Errors
/// What was expected.
pub fn read(value: &Value, ty: &Type) -> Result<Val> {
    let number = || value.as_u64().context("a number is expected");
    let text = || value.as_str().context("a text is expected").map(str::to_owned);
    Ok(match ty {
        Type::U8 => Val::U8(number()?.try_into()?),
        Type::U16 => Val::U16(number()?.try_into()?),
        Type::U32 => Val::U32(number()?.try_into()?),
        Type::U64 => Val::U64(number()?),
        Type::String => Val::String(text()?),
        Type::Enum(_) => Val::Enum(text()?),
        Type::List(list) if list.ty() == Type::U8 => {
            Val::List(STANDARD.decode(text()?)?.into_iter().map(Val::U8).collect())
        }
        Type::List(list) => {
            let items = value.as_array().context("a list is expected")?;
            Val::List(items.iter().map(|item| read(item, &list.ty())).collect::<Result<_>>()?)
        }
        Type::Tuple(tuple) => {
            let items = value.as_array().filter(|items| items.len() == tuple.types().len());
            let items = items.context("a list of as many members as the tuple has is expected")?;
            Val::Tuple(
                items.iter().zip(tuple.types()).map(|(item, ty)| read(item, &ty)).collect::<Result<_>>()?,
            )
        }
        Type::Record(record) => {
            let field = |name: &str, ty| {
                let value = value.get(name).with_context(|| format!("`{name}` is missing"))?;
                Ok((name.to_owned(), read(value, &ty)?))
            };
            Val::Record(record.fields().map(|known| field(known.name, known.ty)).collect::<Result<_>>()?)
        }
        Type::Option(_) if value.is_null() => Val::Option(None),
        Type::Option(option) => Val::Option(Some(Box::new(read(value, &option.ty())?))),
        Type::Variant(variant) => {
            let (name, payload) = chosen(value)?;
            let known = variant.cases().find(|case| case.name == name).context("an unknown case")?;
            let payload = known.ty.map(|ty| read(payload, &ty).map(Box::new)).transpose()?;
            Val::Variant(name.to_owned(), payload)
        }
        Type::Result(result) => {
            let (name, payload) = chosen(value)?;
            let read = |ty: Option<Type>| ty.map(|ty| read(payload, &ty).map(Box::new)).transpose();
            Val::Result(if name == "ok" { Ok(read(result.ok())?) } else { Err(read(result.err())?) })
        }
        _ => bail!("a type that the contract does not use"),
    })
}

/// As `JSON.stringify` does it.
#[must_use]
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// `"case"`, or `{"case":payload}`.
fn chosen(value: &Value) -> Result<(&str, &Value)> {
    match value {
        Value::String(name) => Ok((name, &Value::Null)),
        Value::Object(one) if one.len() == 1 => {
            one.iter().next().map(|(name, payload)| (name.as_str(), payload)).context("a case is expected")
        }
        _ => bail!("a case is expected: a text, or an object of one member"),
    }
}

fn case(out: &mut String, name: &str, payload: Option<(&Val, Type)>) -> Result<()> {
    out.push('{');
    out.push_str(&quoted(name));
    out.push(':');
    match payload {
        Some((value, ty)) => write(out, value, &ty)?,
        None => out.push_str("null"),
    }
    out.push('}');
    Ok(())
}

fn sequence<T>(
    out: &mut String,
    [open, close]: [char; 2],
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(&mut String, T) -> Result<()>,
) -> Result<()> {
    out.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        each(out, item)?;
    }
    out.push(close);
    Ok(())
}
