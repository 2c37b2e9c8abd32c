//! What the rows of the knowledge are made of here: static texts and slices. The build script, which reads them, has
//! the same names for what it owns (`build/form.rs`).

pub(super) use super::sign::Sign;

/// A text.
pub(super) type Text = &'static str;
/// Several.
pub(super) type List<T> = &'static [T];
/// A word of a fixed vocabulary.
pub(super) type One<T> = T;

/// Rows of tables. What stands behind a field in brackets is how it is read.
macro_rules! rows {
    ($($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$doc:meta])* pub $field:ident: $type:ty $(= ($($read:tt)*))?,)*
    })*) => {
        $($(#[$meta])* #[derive(Debug)] pub struct $name { $($(#[$doc])* pub $field: $type,)* })*
    };
}

/// Fixed vocabularies.
macro_rules! words {
    ($($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident,)* })*) => {
        $($(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* })*
    };
}
