//! What the target wrote, made fit to be kept.

/// Text from the target, without what could steer a terminal: names go into recordings and logs, and the writers of
/// reports, which escape all that they are given, are not the only ones that print them.
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
