//! One test for each hole that the protocol closes, call by call.
