//! State into a buffer: knows no terminal.

mod answer;

mod curves;

mod details;

mod foot;

mod head;

mod help;

mod list;

mod paint;

mod space;

mod table;

mod frame;

pub use frame::{LEAST, draw};
