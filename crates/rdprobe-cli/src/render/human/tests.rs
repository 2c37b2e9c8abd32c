use super::*;
use crate::render::samples;

fn screen(width: usize) -> Screen {
    Screen { width, unicode: true, color: false }
}

macro_rules! shows {
    ($($name:ident),*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(report(&samples::$name(), Detail::Full, screen(80)));
        }
    )*};
}

shows!(healthy, expired, key_unusable, silent, prohibited, rdp_only);

#[test]
fn many() {
    let rows: Vec<Row> = samples::all().iter().map(Row::of).collect();
    let blocks: Vec<String> =
        samples::all().iter().map(|sample| report(sample, Detail::Brief, screen(80))).collect();
    insta::assert_snapshot!(format!("{}{}", blocks.join("\n"), table(&rows, screen(80))));
}

#[test]
fn no_line_is_wider_than_the_screen() {
    for width in [40, 60, 80, 100] {
        let rows: Vec<Row> = samples::all().iter().map(Row::of).collect();
        let mut texts: Vec<String> =
            samples::all().iter().map(|sample| report(sample, Detail::Full, screen(width))).collect();
        texts.push(table(&rows, screen(width)));
        // A command is never wrapped: it must survive copying.
        let all = samples::all();
        let commands: Vec<&str> = all
            .iter()
            .flat_map(|sample| &sample.verdict.next)
            .flat_map(|next| &next.commands)
            .map(String::as_str)
            .collect();
        for line in texts.iter().flat_map(|text| text.lines()) {
            assert!(line.chars().count() <= width || commands.contains(&line), "{width}: {line}");
            assert_eq!(line, line.trim_end());
        }
    }
}

#[test]
fn without_utf8_there_is_only_ascii() {
    let ascii = Screen { unicode: false, ..screen(80) };
    for sample in samples::all() {
        let text = report(&sample, Detail::Full, ascii);
        assert!(text.is_ascii(), "{:?}", text.chars().find(|c| !c.is_ascii()));
    }
}

#[test]
fn colours_change_nothing_but_colours() {
    let coloured = Screen { color: true, ..screen(80) };
    for sample in samples::all() {
        let text = report(&sample, Detail::Full, coloured);
        assert!(text.contains('\u{1b}'));
        let plain = anstream::adapter::strip_str(&text).to_string();
        let plain: Vec<&str> = plain.lines().map(str::trim_end).collect();
        let expected = report(&sample, Detail::Full, screen(80));
        assert_eq!(plain, expected.lines().collect::<Vec<_>>());
    }
}

#[test]
fn a_page_fits_on_a_screen() {
    for sample in samples::all() {
        let text = page(&sample, screen(80));
        assert!(text.lines().count() <= 36, "{text}");
        assert!(text.contains("What to do"), "{text}");
    }
}

macro_rules! fits {
    ($($name:ident $sample:ident),*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(page(&samples::$sample(), screen(80)));
        }
    )*};
}

fits!(page_healthy healthy, page_key_unusable key_unusable, page_silent silent);
