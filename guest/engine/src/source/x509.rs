//! A client certificate: the identity is shown in the TLS handshake, and no token is sent (developers.openai.com, "X.509
//! workload identity").
//!
//! The API asks for the certificate as well as for the token: whoever calls it has to present it again.
//!
//! The host presents it. Neither the private key nor the certificate ever gets here; what is read here are their names.

use alloc::boxed::Box;
use alloc::string::String;

use crate::fields::Fields;
use crate::io::Io;
use crate::plan::{ClientCertificate, Plan};
use crate::source::{Entry, Fetch, Parsed, Source};
use crate::subject_token::SubjectToken;
use crate::token_type::TokenType;
use crate::variables::Variables;

pub(super) const ENTRY: Entry =
    Entry { name: "x509", settings: &["certificate_file", "private_key_file"], read: X509::read };

struct X509 {
    /// PEM, the certificate first, then those that lead to the root.
    certificate_file: String,
    /// PEM.
    private_key_file: String,
}

impl X509 {
    fn read(fields: &mut Fields<'_>, _: &Variables, _: Option<&'static str>) -> Parsed {
        Ok(Box::new(Self {
            certificate_file: fields.required_text("certificate_file")?,
            private_key_file: fields.required_text("private_key_file")?,
        }))
    }
}

impl Source for X509 {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn token_type(&self) -> TokenType {
        TokenType::X509
    }

    fn describe(&self, plan: &mut Plan) {
        plan.set_if("source.certificate_file", Some(&self.certificate_file));
        plan.set_if("source.private_key_file", Some(&self.private_key_file));
        plan.requirements.client_certificate = Some(ClientCertificate {
            certificate_file: self.certificate_file.clone(),
            private_key_file: self.private_key_file.clone(),
        });
    }

    fn token<'a>(&'a self, _: &'a Io) -> Fetch<'a> {
        Box::pin(async { Ok(SubjectToken::in_the_handshake()) })
    }
}
