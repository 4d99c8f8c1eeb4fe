//! The recording file: what goes in comes out, and whatever else is in it is found out.

#![allow(clippy::unwrap_used, reason = "a test")]

mod bytes;
mod damage;
mod events;
mod events_of_6;
mod file;
mod format;
