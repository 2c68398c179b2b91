//! The parameter of sign hashes.

use super::meta::Estimator;
use lucerne_codec::{Error, FieldInfo, Result};

/// Names the estimator of a field's sign hashes; true leaves the choice to the format.
pub const PARAM: &str = "sign_hash";

/// The estimator that a field names.
pub(super) fn estimator(field: &FieldInfo) -> Result<Estimator> {
    match field.params.get(PARAM) {
        None => Ok(Estimator::default()),
        Some(value) if *value == true => Ok(Estimator::default()),
        Some(value) => {
            let named = Estimator::ALL.into_iter().find(|estimator| value == estimator.name());
            let names = Estimator::ALL.map(Estimator::name).join(", ");
            named.ok_or_else(|| {
                Error::Invalid(format!(
                    "field {:?}: parameter {PARAM:?} is {value}, expected true, false or one of {names}",
                    field.name
                ))
            })
        }
    }
}
