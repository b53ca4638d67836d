//! IAM roles for service accounts: a Kubernetes token is traded for the keys of a role by STS's
//! `AssumeRoleWithWebIdentity`, the one call that needs no signature (STS API reference).

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use crate::error::{Code, Error, field};
use crate::io::Io;
use crate::plan::Plan;
use crate::source::token_file;
use crate::variables::Variables;

use super::credentials::{half, text};
use super::keys::Keys;
use super::sts::Sts;

/// EKS sets it in pods whose service account is annotated with a role.
pub(super) const TOKEN_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";

/// Appears in the role session's name, and so in CloudTrail.
const DEFAULT_SESSION: &str = "keyless";

/// A role and the file that proves who may have it.
pub(super) struct WebIdentity {
    token_file: String,
    role: String,
    session: String,
}

impl WebIdentity {
    pub(super) fn read(variables: &Variables) -> Result<Option<Self>, Error> {
        const ROLE: &str = "AWS_ROLE_ARN";
        const SESSION: &str = "AWS_ROLE_SESSION_NAME";
        let (token_file, role, session) =
            (text(variables, TOKEN_FILE), text(variables, ROLE), text(variables, SESSION));
        // A role alone is somebody else's setting: the SDKs look at the file only.
        let Some(token_file) = token_file else { return Ok(None) };
        let role = role.ok_or_else(|| half(TOKEN_FILE, ROLE))?;
        if !role.starts_with("arn:") || !role.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(field(Code::FieldValue, ROLE, "is not the ARN of a role; write `arn:aws:iam::...`"));
        }
        let session = session.unwrap_or_else(|| DEFAULT_SESSION.to_owned());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
        if !(2..=64).contains(&session.len()) || !session.bytes().all(plain) {
            return Err(field(
                Code::FieldValue,
                SESSION,
                "is not a name of 2 to 64 letters, digits and `_+=,.@-`, which is what STS takes",
            ));
        }
        Ok(Some(Self { token_file, role, session }))
    }

    pub(super) fn describe(&self, plan: &mut Plan) {
        plan.needs_file(&self.token_file);
    }

    pub(super) async fn keys(&self, io: &Io, sts: &Sts) -> Result<Keys, Error> {
        let token = token_file::read(io, &self.token_file, None).await?;
        sts.assume_role_with_web_identity(io, &self.role, &self.session, token.expose()).await
    }
}
