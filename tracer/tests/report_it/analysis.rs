//! What the analysis makes of a trace.
