//! What the target wrote, made fit to be shown.

/// Text from the target, without what could steer a terminal.
#[must_use]
pub(crate) fn printable(text: &str) -> String {
    let visible = |c: char| {
        if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    text.chars().map(visible).collect()
}
