//! Bytes of a change file → its rows, one format a file.
