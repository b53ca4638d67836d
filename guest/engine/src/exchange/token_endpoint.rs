//! Where a vendor's token endpoint is.

use crate::error::Error;
use crate::fields::Fields;
use crate::plan::Plan;
use crate::url::WebUrl;

/// What the document says, else the vendor's own. The API's base URL never moves it: no gateway before the API gets to see
/// the identity token.
pub(super) struct TokenEndpoint {
    set: Option<WebUrl>,
    default: &'static str,
}

impl TokenEndpoint {
    /// `token_endpoint`: https, or http to loopback.
    pub(super) fn read(fields: &mut Fields<'_>, default: &'static str) -> Result<Self, Error> {
        Ok(Self { set: fields.private_url("token_endpoint")?, default })
    }

    /// Another one where the document names none.
    pub(super) fn by_default(&mut self, default: &'static str) {
        self.default = default;
    }

    pub(super) fn as_str(&self) -> &str {
        self.set.as_ref().map_or(self.default, WebUrl::as_str)
    }

    pub(super) fn describe(&self, plan: &mut Plan) {
        plan.set_or("exchange.token_endpoint", self.set.as_ref().map(WebUrl::as_str), self.default);
        plan.needs_endpoint("POST", self.as_str());
    }
}
