//! Bearer tokens: who may call the service, and how they are kept.

use crate::report::Time;
use std::{fmt, str::FromStr};

/// What a caller may do. Duties are parted: no role includes another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A portal that hands requests in.
    Portal,
    /// An officer of the licensing authority, who issues licences.
    Officer,
    /// An auditor, who looks and changes nothing.
    Auditor,
    /// An operator of the service.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: &'static [Role] = &[Role::Portal, Role::Officer, Role::Auditor, Role::Admin];

    /// The name on the wire and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Portal => "portal",
            Role::Officer => "officer",
            Role::Auditor => "auditor",
            Role::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// There is no such role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is one of portal, officer, auditor, admin")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Role, UnknownRole> {
        Role::ALL.iter().copied().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

/// What is kept of a token: never the token itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// The public part, by which a token is found, logged and revoked.
    pub id: String,
    /// Who holds it, in the operator's words.
    pub holder: String,
    /// What the holder may do.
    pub role: Role,
    /// SHA-256 of the whole token.
    pub digest: [u8; 32],
    /// When it was made.
    pub created: Time,
    /// When it stops to count.
    pub expires: Time,
    /// When it was revoked.
    pub revoked: Option<Time>,
}

/// The store of tokens failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the store of tokens failed: {0}")]
pub struct TokenStoreError(pub String);

/// Where tokens are kept.
pub trait TokenStore: Send + Sync {
    /// Keeps a new token.
    fn insert(&self, record: &TokenRecord) -> Result<(), TokenStoreError>;
    /// The token of that id.
    fn find(&self, id: &str) -> Result<Option<TokenRecord>, TokenStoreError>;
    /// Every token, oldest first.
    fn list(&self) -> Result<Vec<TokenRecord>, TokenStoreError>;
    /// Revokes a token; `false` where there is none of that id. A token once revoked keeps its time.
    fn revoke(&self, id: &str, at: Time) -> Result<bool, TokenStoreError>;
}
