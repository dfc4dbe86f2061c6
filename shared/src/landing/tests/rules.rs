//! What a caller may hand over, and what the item says.
