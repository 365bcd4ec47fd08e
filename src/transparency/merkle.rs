//! The Merkle tree of RFC 6962 §2.1: hashes, roots, proofs.
//!
//! The tree is reached through [`Nodes`], which knows the roots of perfect subtrees: node `(height, index)` covers the
//! leaves `index << height .. (index + 1) << height`. Every root and every proof is made of at most two such nodes for
//! each level of the tree.

use crate::crypto::DigestAlgorithm;

/// A SHA-256 hash of the tree.
pub type Hash = [u8; 32];

/// RFC 6962 §2.1: `SHA-256(0x00 || entry)`.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    sha256(&[&[0], entry])
}

/// RFC 6962 §2.1: `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// The root of a tree without entries: `SHA-256()`.
pub fn empty_root() -> Hash {
    sha256(&[])
}

pub(crate) fn sha256(parts: &[&[u8]]) -> Hash {
    let mut hasher = DigestAlgorithm::Sha256.hasher();
    for part in parts {
        hasher.update(part);
    }
    // SHA-256 gives 32 octets; zeros would not verify anywhere.
    hasher.finish().as_bytes().try_into().unwrap_or([0; 32])
}

/// Gives the roots of perfect subtrees.
pub trait Nodes {
    /// Why a node cannot be given.
    type Error;

    /// The root over the leaves `index << height .. (index + 1) << height`, all of which are in the tree.
    ///
    /// # Errors
    /// The node cannot be read.
    fn node(&self, height: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// The root over hashes of neighbouring subtrees of the same height; their number is a power of two.
pub fn perfect_root(hashes: &[Hash]) -> Option<Hash> {
    match hashes {
        [one] => Some(*one),
        hashes if hashes.len().is_power_of_two() => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            Some(node_hash(&perfect_root(left)?, &perfect_root(right)?))
        }
        _ => None,
    }
}

/// MTH: the root of the first `size` entries.
///
/// # Errors
/// A node cannot be read.
pub fn root<N: Nodes>(nodes: &N, size: u64) -> Result<Hash, N::Error> {
    if size == 0 { Ok(empty_root()) } else { subtree(nodes, 0, size) }
}

/// `PATH(m, D[n])`: what proves the entry `index` (from 0) under the root of `size` entries. Empty where there is nothing
/// to prove: `index` is not below `size`.
///
/// # Errors
/// A node cannot be read.
pub fn inclusion_proof<N: Nodes>(nodes: &N, index: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    let (mut start, mut count) = (0, if index < size { size } else { 0 });
    while count > 1 {
        let left = split(count);
        if index - start < left {
            proof.push(subtree(nodes, start + left, count - left)?);
            count = left;
        } else {
            proof.push(subtree(nodes, start, left)?);
            start += left;
            count -= left;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// `PROOF(m, D[n])`: what proves that the tree of `new` entries begins with the tree of `old` entries. Empty where there is
/// nothing to prove: `old` is 0 or not below `new`.
///
/// # Errors
/// A node cannot be read.
pub fn consistency_proof<N: Nodes>(nodes: &N, old: u64, new: u64) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    if old == 0 || old >= new {
        return Ok(proof);
    }
    // SUBPROOF(m, D[n], b): `whole` is b, true while D[0:m] is a subtree that the verifier has.
    let (mut start, mut count, mut whole) = (0, new, true);
    while old - start != count {
        let left = split(count);
        if old - start <= left {
            proof.push(subtree(nodes, start + left, count - left)?);
            count = left;
        } else {
            proof.push(subtree(nodes, start, left)?);
            start += left;
            count -= left;
            whole = false;
        }
    }
    if !whole {
        proof.push(subtree(nodes, start, count)?);
    }
    proof.reverse();
    Ok(proof)
}

/// RFC 9162 §2.1.3.2: whether a proof leads from an entry's leaf hash to the root of `size` entries.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut fn_, mut sn, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if sn == 0 {
            return false;
        }
        if fn_ & 1 == 1 || fn_ == sn {
            hash = node_hash(sibling, &hash);
            while fn_ & 1 == 0 && fn_ != 0 {
                fn_ >>= 1;
                sn >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        fn_ >>= 1;
        sn >>= 1;
    }
    sn == 0 && hash == *root
}

/// RFC 9162 §2.1.4.2: whether a proof shows that the tree of `new` entries begins with that of `old` entries.
///
/// Any tree begins with the empty one.
pub fn verify_consistency(old: u64, old_root: &Hash, new: u64, new_root: &Hash, proof: &[Hash]) -> bool {
    if old > new {
        return false;
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == empty_root();
    }
    let (mut fn_, mut sn) = (old - 1, new - 1);
    while fn_ & 1 == 1 {
        fn_ >>= 1;
        sn >>= 1;
    }
    // Where `old` is a power of two, its root is the first node of the path.
    let (first, rest) = match (old.is_power_of_two(), proof.split_first()) {
        (true, _) => (*old_root, proof),
        (false, Some((first, rest))) => (*first, rest),
        (false, None) => return false,
    };
    let (mut from_old, mut from_new) = (first, first);
    for node in rest {
        if sn == 0 {
            return false;
        }
        if fn_ & 1 == 1 || fn_ == sn {
            from_old = node_hash(node, &from_old);
            from_new = node_hash(node, &from_new);
            while fn_ & 1 == 0 && fn_ != 0 {
                fn_ >>= 1;
                sn >>= 1;
            }
        } else {
            from_new = node_hash(&from_new, node);
        }
        fn_ >>= 1;
        sn >>= 1;
    }
    sn == 0 && from_old == *old_root && from_new == *new_root
}

/// The largest power of two below `count`, which is at least 2.
fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// MTH(D[start:start + count]); `start` is a multiple of the power of two that is at least `count`.
fn subtree<N: Nodes>(nodes: &N, start: u64, count: u64) -> Result<Hash, N::Error> {
    if count.is_power_of_two() {
        let height = count.trailing_zeros();
        return nodes.node(height, start >> height);
    }
    let left = split(count);
    Ok(node_hash(&subtree(nodes, start, left)?, &subtree(nodes, start + left, count - left)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    /// Leaf hashes, everything above computed each time.
    struct Leaves(Vec<Hash>);

    impl Nodes for Leaves {
        type Error = Infallible;

        fn node(&self, height: u32, index: u64) -> Result<Hash, Infallible> {
            let start = usize::try_from(index << height).unwrap();
            Ok(perfect_root(&self.0[start..start + (1 << height)]).unwrap())
        }
    }

    fn leaves(count: u64) -> (Vec<Vec<u8>>, Leaves) {
        let entries: Vec<Vec<u8>> = (0..count).map(|n| format!("entry {n}").into_bytes()).collect();
        let hashes = entries.iter().map(|entry| leaf_hash(entry)).collect();
        (entries, Leaves(hashes))
    }

    /// Hashes as the other implementation stores them.
    #[derive(Default)]
    struct Peer(Vec<tlog_tiles::Hash>);

    impl tlog_tiles::HashReader for Peer {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
            Ok(indexes.iter().map(|index| self.0[usize::try_from(*index).unwrap()]).collect())
        }
    }

    #[test]
    fn roots_and_proofs_are_those_of_another_implementation() {
        const SIZE: u64 = 70;
        let (entries, tree) = leaves(SIZE);
        let mut peer = Peer::default();
        let plain = |proof: Vec<tlog_tiles::Hash>| proof.iter().map(|hash| hash.0).collect::<Vec<Hash>>();
        for size in 1..=SIZE {
            let last = &entries[usize::try_from(size).unwrap() - 1];
            let added = tlog_tiles::stored_hashes(size - 1, last, &peer).unwrap();
            peer.0.extend(added);
            let root = root(&tree, size).unwrap();
            assert_eq!(root, tlog_tiles::tree_hash(size, &peer).unwrap().0, "root of {size}");
            for index in 0..size {
                let proof = inclusion_proof(&tree, index, size).unwrap();
                let theirs = tlog_tiles::prove_record(size, index, &peer).unwrap();
                assert_eq!(proof, plain(theirs), "inclusion of {index} in {size}");
                assert!(verify_inclusion(&tree.0[usize::try_from(index).unwrap()], index, size, &proof, &root));
            }
            for old in 1..size {
                let proof = consistency_proof(&tree, old, size).unwrap();
                let theirs = tlog_tiles::prove_tree(size, old, &peer).unwrap();
                assert_eq!(proof, plain(theirs), "consistency of {old} with {size}");
                let old_root = super::root(&tree, old).unwrap();
                assert!(verify_consistency(old, &old_root, size, &root, &proof), "{old} in {size}");
            }
        }
    }

    #[test]
    fn an_empty_tree_begins_every_tree_and_has_the_hash_of_nothing() {
        let (_, tree) = leaves(3);
        let root = root(&tree, 3).unwrap();
        assert_eq!(super::root(&tree, 0).unwrap(), empty_root());
        assert!(verify_consistency(0, &empty_root(), 3, &root, &[]));
        assert!(!verify_consistency(0, &root, 3, &root, &[]));
        assert!(!verify_inclusion(&tree.0[0], 0, 0, &[], &empty_root()));
    }

    proptest! {
        #[test]
        fn a_changed_proof_proves_nothing(size in 2_u64..300, at in any::<u64>(), hit in any::<u64>(), bit in 0_u8..8) {
            let (_, tree) = leaves(size);
            let index = at % size;
            let root = root(&tree, size).unwrap();
            let leaf = tree.0[usize::try_from(index).unwrap()];
            let mut proof = inclusion_proof(&tree, index, size).unwrap();
            prop_assert!(verify_inclusion(&leaf, index, size, &proof, &root));
            prop_assert!(!verify_inclusion(&leaf, index ^ 1, size, &proof, &root));
            prop_assert!(!verify_inclusion(&leaf, index, size, &proof[1..], &root));
            let hit = usize::try_from(hit).unwrap() % (proof.len() * 32);
            proof[hit / 32][hit % 32] ^= 1 << bit;
            prop_assert!(!verify_inclusion(&leaf, index, size, &proof, &root));

            let old = 1 + at % (size - 1);
            let old_root = super::root(&tree, old).unwrap();
            let mut proof = consistency_proof(&tree, old, size).unwrap();
            prop_assert!(verify_consistency(old, &old_root, size, &root, &proof));
            prop_assert!(!verify_consistency(old, &root, size, &old_root, &proof));
            let hit = hit % (proof.len() * 32);
            proof[hit / 32][hit % 32] ^= 1 << bit;
            prop_assert!(!verify_consistency(old, &old_root, size, &root, &proof));
        }
    }
}
