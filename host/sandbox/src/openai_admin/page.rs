//! A list in pages, by `limit` and `after`.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::form::Form;
use crate::upstream::api_error::ApiError;

/// Where `limit` is absent.
const USUAL: usize = 20;
const LARGEST: usize = 100;

/// Which page is wanted.
pub(super) struct Page {
    limit: usize,
    after: Option<String>,
}

/// Something that is or was in a list. What has left it still marks a place in it.
pub(super) struct Item {
    pub(super) id: String,
    pub(super) shown: Option<Value>,
}

impl Page {
    pub(super) fn read(request: &Request<Bytes>) -> Result<Self, ApiError> {
        let query = Form::of_query(request.uri())
            .map_err(|reason| ApiError::bad_request(None, &format!("The query is malformed: {reason}.")))?;
        if let Some(unknown) = query.beyond(&["limit", "after"]) {
            let message = format!("Unknown parameter: '{unknown}'.");
            return Err(ApiError::bad_request(None, &message));
        }
        let limit = match query.get("limit").map(str::parse) {
            None => USUAL,
            Some(Ok(limit)) if (1..=LARGEST).contains(&limit) => limit,
            Some(_) => {
                let message = "Invalid 'limit': expected an integer from 1 to 100.";
                return Err(ApiError::bad_request(Some("limit"), message));
            }
        };
        Ok(Self { limit, after: query.get("after").map(str::to_owned) })
    }

    /// The page of a list.
    pub(super) fn of(&self, items: Vec<Item>) -> Result<Value, ApiError> {
        let skipped = match &self.after {
            None => 0,
            Some(after) => match items.iter().position(|item| item.id == *after) {
                Some(at) => at + 1,
                None => return Err(ApiError::bad_request(Some("after"), "No object has this id.")),
            },
        };
        let rest = items.into_iter().skip(skipped).filter_map(|item| item.shown);
        let mut data: Vec<Value> = rest.take(self.limit + 1).collect();
        let has_more = data.len() > self.limit;
        data.truncate(self.limit);
        let id = |object: Option<&Value>| object.and_then(|object| object.get("id")).cloned();
        Ok(json!({
            "object": "list",
            "first_id": id(data.first()),
            "last_id": id(data.last()),
            "has_more": has_more,
            "data": data,
        }))
    }
}
