//! How much XML one document may be: every number with where it comes from.
//!
//! *Invariant:* with these, the time to parse and canonicalize grows linearly with the size of the document.

/// Elements open at once: the limit of the secure validation of Apache Santuario.
pub const MAX_DEPTH: usize = 100;
/// Attributes of one element, namespace declarations among them. Forms have tens.
pub const MAX_ATTRIBUTES: usize = 256;
/// Namespace declarations in force at one element. SOAP stacks declare fewer than 30.
pub const MAX_NAMESPACES_IN_SCOPE: usize = 512;
/// Bytes of one name. Generated schemas stay under 200.
pub const MAX_NAME: usize = 4096;
/// How many times its text the tree of a document may take: with the text itself a document stays within six times its
/// size. Dense tables take three; only empty elements with names of one letter, and nothing else, take more.
pub const MAX_TREE_FACTOR: usize = 5;
/// What the tree of any document may take, in bytes.
pub const SMALL_TREE: usize = 1 << 20;
/// References of one signature: the limit of the secure validation of Apache Santuario.
pub const MAX_REFERENCES: usize = 30;
/// Transforms of one reference: the limit of the secure validation of Apache Santuario.
pub const MAX_TRANSFORMS: usize = 5;
/// Prefixes in one `InclusiveNamespaces` list.
pub const MAX_INCLUSIVE_PREFIXES: usize = 64;
