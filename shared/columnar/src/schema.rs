//! The types of columns across files.
