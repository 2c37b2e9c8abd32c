//! JSON: one object, an array that is written element by element, or one line each.

use serde::Serialize;

/// One value over many lines.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    let mut text =
        serde_json::to_string_pretty(value).expect("a report has no maps but those with string keys");
    text.push('\n');
    text
}

/// One value on one line.
pub(crate) fn line(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string(value).expect("a report has no maps but those with string keys");
    text.push('\n');
    text
}

/// One element of an array, with what stands before it.
pub(crate) fn element(value: &impl Serialize, first: bool) -> String {
    let before = if first { "[\n" } else { ",\n" };
    format!("{before}{}", pretty(value).trim_end())
}

/// The end of the array.
pub(crate) fn end(empty: bool) -> String {
    if empty { "[]\n".into() } else { "\n]\n".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_valid_however_many_it_has() {
        for count in 0..3 {
            let mut text: String = (0..count).map(|n| element(&n, n == 0)).collect();
            text.push_str(&end(count == 0));
            assert_eq!(serde_json::from_str::<Vec<u32>>(&text).unwrap().len(), count as usize);
        }
    }
}
