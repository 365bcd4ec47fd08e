//! What a verdict leaves open that somebody outside could answer.
//!
//! Judging asks nobody. It writes down what it would have needed: the status of a certificate whose path reaches a trust
//! anchor, the issuer of a certificate that nobody at hand has issued. Whoever may ask the network does so and judges
//! again; whoever may not ignores the questions.
//!
//! *Invariant:* a status is asked for on a path that reaches a trust anchor alone (attack 36), and only where the
//! policy lets OCSP answer and nothing at hand has answered.

use crate::pki::Certificate;
use std::cell::RefCell;

/// Most questions of one kind that one verdict raises: a path has eight certificates, a message several signers.
const MAX_QUESTIONS: usize = 32;

/// The status of a certificate, as its issuer's responder would know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusQuestion {
    /// Whose status.
    pub certificate: Certificate,
    /// Who issued it.
    pub issuer: Certificate,
}

/// The questions of one verdict, in the order in which they came up, each once.
#[derive(Debug, Default)]
pub struct OpenQuestions {
    statuses: RefCell<Vec<StatusQuestion>>,
    orphans: RefCell<Vec<Certificate>>,
}

impl OpenQuestions {
    pub(super) fn ask_status(&self, certificate: &Certificate, issuer: &Certificate) {
        let question = StatusQuestion { certificate: certificate.clone(), issuer: issuer.clone() };
        add(&mut self.statuses.borrow_mut(), question);
    }

    pub(super) fn ask_issuer(&self, certificate: &Certificate) {
        add(&mut self.orphans.borrow_mut(), certificate.clone());
    }

    /// The certificates whose status is not known.
    pub fn statuses(&self) -> Vec<StatusQuestion> {
        self.statuses.borrow().clone()
    }

    /// The certificates that nobody at hand has issued.
    pub fn orphans(&self) -> Vec<Certificate> {
        self.orphans.borrow().clone()
    }
}

fn add<T: PartialEq>(questions: &mut Vec<T>, question: T) {
    if questions.len() < MAX_QUESTIONS && !questions.contains(&question) {
        questions.push(question);
    }
}
