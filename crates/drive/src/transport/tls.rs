//! TLS by rustls: whom simulated users trust, and what is told where they do not.

use std::error::Error;
use std::sync::{Arc, LazyLock};

use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Whose certificates are taken for the target's. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Trust(Arc<ClientConfig>);

/// Most targets speak plain HTTP: one configuration without any root does for all their users.
static NOBODY: LazyLock<Trust> = LazyLock::new(|| Trust::of(RootCertStore::empty()));

impl Trust {
    /// Nobody's: what plain HTTP needs.
    pub fn nobody() -> Self {
        NOBODY.clone()
    }

    /// Those that this system trusts.
    ///
    /// # Errors
    ///
    /// The system has none that can be read.
    pub fn system() -> Result<Self, String> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(found.certs);
        if added == 0 {
            let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
            return Err(format!("this system has no trusted certificates{why}"));
        }
        Ok(Self::of(roots))
    }

    /// Only what these authorities in PEM have signed.
    ///
    /// # Errors
    ///
    /// It holds no certificate, or one that cannot be read.
    pub fn only(pem: &[u8]) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| format!("not PEM: {error}"))?;
            roots.add(certificate).map_err(|error| format!("not a certificate: {error}"))?;
        }
        if roots.is_empty() {
            return Err("it holds no certificate in PEM".into());
        }
        Ok(Self::of(roots))
    }

    fn of(roots: RootCertStore) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        // The provider knows the versions that rustls calls safe: they are its own.
        let builder = builder.with_safe_default_protocol_versions();
        let builder = builder.expect("ring has the default versions");
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        // A session that goes on belongs to one user, and this configuration to all of them.
        config.resumption = Resumption::disabled();
        Self(Arc::new(config))
    }

    pub(super) fn config(&self) -> &Arc<ClientConfig> {
        &self.0
    }
}

impl Default for Trust {
    fn default() -> Self {
        Self::nobody()
    }
}

/// What is told where the cause is a certificate; none where it is something else.
pub(super) fn distrust(error: &(dyn Error + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(rustls::Error::InvalidCertificate(why)) = error.downcast_ref() {
            return Some(format!(
                "the server's certificate is not trusted ({why}); name its authority by `ca` in \
                 `[target]`"
            ));
        }
        // An I/O error hides what it carries from `source`.
        cause = match error.downcast_ref::<std::io::Error>() {
            Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_authority_is_told() {
        assert!(Trust::only(b"").expect_err("empty").contains("no certificate"));
        assert!(Trust::only(b"once upon a time").is_err());
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(Trust::only(broken.as_bytes()).expect_err("broken").contains("not a certificate"));
    }
}
