//! Algorithms behind one registry.
