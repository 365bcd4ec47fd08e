//! States of a licence and what may happen to it next (definition of ИС ГБД «Е-лицензирование»).
//!
//! *Invariant:* [`LicenceState::after`] is the only place where a state becomes another.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The states a licence has in the state register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LicenceState {
    /// Выданная / берілген.
    Issued,
    /// Переоформленная / қайта ресімделген: replaced by another licence and no longer in force.
    Reissued,
    /// Приостановленная / уақытша тоқтатылған.
    Suspended,
    /// Возобновленная / қайта басталған: in force again after a suspension.
    Resumed,
    /// Прекратившая действие / қолданысы тоқтатылған.
    Terminated,
}

/// What an authority does with a licence that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LicenceAction {
    /// Переоформление: a new licence takes its place.
    Reissue,
    /// Дубликат: the same content is sealed once more.
    Duplicate,
    /// Приостановление.
    Suspend,
    /// Возобновление.
    Resume,
    /// Прекращение действия.
    Terminate,
}

/// The state does not allow the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a licence that is {state} cannot be used for: {action}")]
pub struct TransitionRefused {
    /// The state the licence is in.
    pub state: LicenceState,
    /// What was asked for.
    pub action: LicenceAction,
}

impl LicenceState {
    /// Every state, in the order of the regulations.
    pub const ALL: [LicenceState; 5] = [
        LicenceState::Issued,
        LicenceState::Reissued,
        LicenceState::Suspended,
        LicenceState::Resumed,
        LicenceState::Terminated,
    ];

    /// The state after an action.
    ///
    /// A suspended licence can only be resumed or terminated. A reissued or terminated one never comes back.
    pub const fn after(self, action: LicenceAction) -> Result<LicenceState, TransitionRefused> {
        use LicenceAction::{Duplicate, Reissue, Resume, Suspend, Terminate};
        use LicenceState::{Issued, Reissued, Resumed, Suspended, Terminated};
        match (self, action) {
            (Issued | Resumed, Reissue) => Ok(Reissued),
            (Issued | Resumed, Duplicate) => Ok(self),
            (Issued | Resumed, Suspend) => Ok(Suspended),
            (Suspended, Resume) => Ok(Resumed),
            (Issued | Resumed | Suspended, Terminate) => Ok(Terminated),
            (state, action) => Err(TransitionRefused { state, action }),
        }
    }

    /// Whether the holder may act under the licence.
    pub const fn in_force(self) -> bool {
        matches!(self, LicenceState::Issued | LicenceState::Resumed)
    }

    /// The name used on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            LicenceState::Issued => "issued",
            LicenceState::Reissued => "reissued",
            LicenceState::Suspended => "suspended",
            LicenceState::Resumed => "resumed",
            LicenceState::Terminated => "terminated",
        }
    }

    /// The state with this name.
    pub fn from_name(name: &str) -> Option<LicenceState> {
        LicenceState::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl LicenceAction {
    /// Every action.
    pub const ALL: [LicenceAction; 5] = [
        LicenceAction::Reissue,
        LicenceAction::Duplicate,
        LicenceAction::Suspend,
        LicenceAction::Resume,
        LicenceAction::Terminate,
    ];

    /// The name used on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            LicenceAction::Reissue => "reissue",
            LicenceAction::Duplicate => "duplicate",
            LicenceAction::Suspend => "suspend",
            LicenceAction::Resume => "resume",
            LicenceAction::Terminate => "terminate",
        }
    }
}

impl fmt::Display for LicenceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for LicenceAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What has become of a registered request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RequestState {
    /// Verified, accepted, numbered; nothing is decided yet.
    Registered,
    /// A licence, permit or order was issued for it.
    Issued,
    /// A reasoned refusal was issued for it.
    Refused,
}

impl RequestState {
    /// The name used on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            RequestState::Registered => "registered",
            RequestState::Issued => "issued",
            RequestState::Refused => "refused",
        }
    }

    /// The state with this name.
    pub fn from_name(name: &str) -> Option<RequestState> {
        [RequestState::Registered, RequestState::Issued, RequestState::Refused]
            .into_iter()
            .find(|state| state.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_state_and_action() {
        // Rows: issued, reissued, suspended, resumed, terminated. Columns: reissue, duplicate, suspend, resume,
        // terminate. `-` is refused.
        let table = [
            ["reissued", "issued", "suspended", "-", "terminated"],
            ["-", "-", "-", "-", "-"],
            ["-", "-", "-", "resumed", "terminated"],
            ["reissued", "resumed", "suspended", "-", "terminated"],
            ["-", "-", "-", "-", "-"],
        ];
        for (state, row) in LicenceState::ALL.into_iter().zip(table) {
            for (action, wanted) in LicenceAction::ALL.into_iter().zip(row) {
                let found = state.after(action).map_or("-", LicenceState::as_str);
                assert_eq!(found, wanted, "{action} of a licence that is {state}");
            }
        }
    }

    #[test]
    fn names_are_the_ones_serde_writes() {
        for state in LicenceState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
            assert_eq!(LicenceState::from_name(state.as_str()), Some(state));
        }
        for action in LicenceAction::ALL {
            assert_eq!(serde_json::to_value(action).unwrap(), action.as_str());
        }
        for state in [RequestState::Registered, RequestState::Issued, RequestState::Refused] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
            assert_eq!(RequestState::from_name(state.as_str()), Some(state));
        }
    }
}
