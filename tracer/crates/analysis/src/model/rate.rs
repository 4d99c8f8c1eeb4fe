//! A rate of growth, as the model says it. A part of [`crate::model::summary`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Growth in an hour: the median, and the quartiles around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rate {
    /// A quarter of the slopes are below this.
    pub low: u64,
    /// Half are.
    pub median: u64,
    /// Three quarters are.
    pub high: u64,
}
