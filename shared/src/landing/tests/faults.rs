//! A failure at every call, then the same records again.
