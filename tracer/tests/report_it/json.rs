//! The JSON report, its keys, its schema.
