//! A store by its URL, with the usual variables of the environment.

use crate::error::{Error, Result};
use crate::remote::Remote;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::{ClientOptions, ObjectStore, ObjectStoreScheme, RetryConfig};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// A part of a file on a slow line; [`crate::Retries`] has the last word.
const REQUEST: Duration = Duration::from_secs(120);

impl Remote {
    /// The store and prefix of a URL:
    ///
    /// | URL | what | settings from |
    /// |---|---|---|
    /// | `s3://bucket/prefix` | S3 and what speaks its protocol | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ENDPOINT_URL`, … |
    /// | `file:///folder` | a folder, which is created | |
    /// | `gs://bucket/prefix` | Google Cloud Storage (feature `gcp`) | `GOOGLE_…` |
    /// | `az://container/prefix` | Azure (feature `azure`) | `AZURE_…` |
    ///
    /// An `AWS_ENDPOINT_URL` that begins with `http://` is used without TLS.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the URL or a setting is none.
    pub fn from_url(url: &str) -> Result<Self> {
        let invalid = |problem: String| Error::Invalid(format!("{url:?}: {problem}"));
        let parsed = Url::parse(url)
            .map_err(|error| invalid(format!("{error}; give s3://bucket/prefix or file:///folder")))?;
        let (scheme, prefix) =
            ObjectStoreScheme::parse(&parsed).map_err(|error| invalid(error.to_string()))?;
        let build = |error: object_store::Error| invalid(error.to_string());
        let store: Arc<dyn ObjectStore> = match scheme {
            ObjectStoreScheme::AmazonS3 => Arc::new(s3(url)?.build().map_err(build)?),
            ObjectStoreScheme::Local => {
                let folder = parsed.to_file_path().map_err(|()| invalid("no path of a folder".to_owned()))?;
                std::fs::create_dir_all(&folder).map_err(|error| invalid(error.to_string()))?;
                let store = LocalFileSystem::new_with_prefix(folder).map_err(build)?;
                return Self::new(Arc::new(store), "");
            }
            #[cfg(feature = "gcp")]
            ObjectStoreScheme::GoogleCloudStorage => {
                let builder = object_store::gcp::GoogleCloudStorageBuilder::from_env().with_url(url);
                Arc::new(
                    builder.with_retry(once_more()).with_client_options(client()).build().map_err(build)?,
                )
            }
            #[cfg(feature = "azure")]
            ObjectStoreScheme::MicrosoftAzure => {
                let builder = object_store::azure::MicrosoftAzureBuilder::from_env().with_url(url);
                Arc::new(
                    builder.with_retry(once_more()).with_client_options(client()).build().map_err(build)?,
                )
            }
            _ => return Err(invalid("no store of this kind was built in; give s3:// or file://".to_owned())),
        };
        Self::new(store, prefix.as_ref())
    }
}

fn s3(url: &str) -> Result<AmazonS3Builder> {
    use object_store::aws::AmazonS3ConfigKey::{AccessKeyId, Endpoint, Region, SecretAccessKey, Token};
    let builder = AmazonS3Builder::from_env().with_url(url).with_retry(once_more());
    // The client panics at what it cannot put into a request.
    for (key, name) in [
        (AccessKeyId, "AWS_ACCESS_KEY_ID"),
        (SecretAccessKey, "AWS_SECRET_ACCESS_KEY"),
        (Token, "AWS_SESSION_TOKEN"),
        (Region, "AWS_REGION"),
    ] {
        let value = builder.get_config_value(&key).unwrap_or_default();
        if value.chars().any(|char| char.is_whitespace() || char.is_control()) {
            let problem = "has white space or a line break in it; set it again without";
            return Err(Error::Invalid(format!("{name} {problem}")));
        }
    }
    let endpoint = builder.get_config_value(&Endpoint);
    if let Some(endpoint) = &endpoint {
        let parsed = Url::parse(endpoint).ok();
        let is_http = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        if !parsed.as_ref().is_some_and(is_http) {
            let expected = "expected http://host:port or https://host";
            return Err(Error::Invalid(format!("AWS_ENDPOINT_URL is {endpoint:?}, {expected}")));
        }
    }
    let plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
    Ok(builder.with_client_options(client().with_allow_http(plain)))
}

fn client() -> ClientOptions {
    ClientOptions::new().with_timeout(REQUEST)
}

/// [`crate::Retries`] decides on the rest.
fn once_more() -> RetryConfig {
    RetryConfig { max_retries: 1, ..RetryConfig::default() }
}
