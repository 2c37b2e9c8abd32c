//! HTML without a template engine: text is escaped where it is written, and nowhere else.

use std::fmt;

use crate::render::text::is_invisible;

/// A text of somebody else's, in an element or an attribute between quotes.
pub(super) struct Text<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' => f.write_str("\n")?,
                _ if c.is_control() || is_invisible(c) => f.write_str("\u{fffd}")?,
                c => fmt::Write::write_char(f, c)?,
            }
        }
        Ok(())
    }
}

/// A whole page; `body` is markup.
pub(super) fn page(title: &str, body: &str) -> String {
    let title = Text(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<link rel=\"stylesheet\" href=\"/style.css\">\n\
         </head>\n<body>\n{body}</body>\n</html>\n"
    )
}

/// The one style sheet.
pub(super) const STYLE: &str = "\
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; }
pre { font: 13px/1.4 ui-monospace, monospace; overflow-x: auto; }
.healthy { color: #16803c; }
.degraded { color: #a16207; }
.broken { color: #c02626; }
.inconclusive { color: #6b7280; }
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_turns_the_writing_round() {
        assert_eq!(Text("a\u{202e}b\x1b[1m\nc").to_string(), "a\u{fffd}b\u{fffd}[1m\nc");
    }

    #[test]
    fn markup_becomes_text() {
        let text = Text("<script>alert(\"a\" + 'b')</script>&").to_string();
        assert_eq!(text, "&lt;script&gt;alert(&quot;a&quot; + &#39;b&#39;)&lt;/script&gt;&amp;");
    }
}
