//! The status of a certificate by revocation lists (RFC 5280 §6.3.3).
//!
//! *Invariant:* a list counts only after its scope was matched with a distribution point, its signer is authorised and
//! its signature verifies; a delta only on top of a complete list that it applies to.

use super::certificate::{MAX_NESTING, Nesting, Purpose, Validator};
use super::policy::DeltaLists;
use super::revocation::{Answer, Evidence, MAX_CLOCK_SKEW_SECONDS, Status};
use crate::crypto::Digest;
use crate::pki::crl::{CrlReason, CrlScope, RevocationList, RevokedEntry};
use crate::pki::extension::{
    DistributionPoint, DistributionPointName, GeneralName, KeyUsage, OnlyContains, ReasonFlags, id,
};
use crate::pki::public_key::signature_algorithm;
use crate::pki::{Certificate, Name};
use crate::report::RevocationSource;
use std::cell::RefCell;
use std::collections::HashMap;

/// Distribution points of a certificate that are looked at: national certificates have two.
const MAX_DISTRIBUTION_POINTS: usize = 32;

/// Signatures of lists that were verified for this verdict, by list and key.
#[derive(Default)]
pub(super) struct ListSignatures(RefCell<HashMap<(Digest, Digest), Result<(), String>>>);

/// Why no list could be used: the reason nearest to success is reported.
struct Trouble {
    rank: u8,
    status: Status,
}

impl Trouble {
    fn new(rank: u8, cause: impl Into<String>) -> Trouble {
        Trouble { rank, status: Status::Unavailable(cause.into()) }
    }
}

/// A distribution point of the certificate, or the one that §6.3.3 assumes where it has none.
enum Point<'a> {
    Given(DistributionPoint<'a>),
    /// "reasons and cRLIssuer are both omitted, and the distribution point name is the certificate issuer".
    Assumed,
}

impl Validator<'_> {
    /// What the lists at hand say about a certificate.
    pub(super) fn crl_answer(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        anchor: &Certificate,
        nesting: &Nesting,
    ) -> Answer {
        let given = certificate.crl_distribution_points();
        let given = given.iter().flat_map(|points| points.iter()).take(MAX_DISTRIBUTION_POINTS);
        let points = given.map(Point::Given).chain([Point::Assumed]);
        let mut trouble = Trouble::new(0, self.no_data("no revocation list of the issuer"));
        let mut covered = ReasonFlags::NONE;
        let mut evidence = None;
        // Highest number first: a list that a later one replaced must not speak before it, nor after it.
        let mut lists = self.lists.clone();
        lists.sort_by_key(|list| std::cmp::Reverse((list.scope().crl_number, list.scope().this_update)));
        let mut heard: Vec<&CrlScope> = Vec::new();
        for point in points {
            for list in &lists {
                let scope = list.scope();
                let reasons = match in_scope(&point, scope, certificate) {
                    Ok(reasons) => reasons,
                    Err(out) => {
                        keep_worst(&mut trouble, out);
                        continue;
                    }
                };
                if heard.iter().any(|newer| is_same_series(newer, scope) && covered.contains(reasons)) {
                    continue;
                }
                // (e) lets a list that adds no reason be. Numbers of different series do not compare, so a list of
                // another series is heard all the same: a revocation stands, whichever list proves it.
                match self.consult(*list, &lists, certificate, issuer, anchor, nesting) {
                    Ok(Answer { status: Status::Good, evidence: found }) => {
                        covered = covered.union(reasons);
                        evidence = evidence.or(found);
                        heard.push(scope);
                    }
                    Ok(answer) => return answer,
                    Err(found) => keep_worst(&mut trouble, found),
                }
            }
        }
        if covered.contains(ReasonFlags::ALL) {
            return Answer { status: Status::Good, evidence };
        }
        if covered != ReasonFlags::NONE {
            keep_worst(&mut trouble, Trouble::new(9, "the revocation lists do not cover every reason"));
        }
        Answer { status: trouble.status, evidence: None }
    }

    /// One complete list that is in scope, with the delta that applies to it.
    fn consult(
        &self,
        list: &dyn RevocationList,
        lists: &[&dyn RevocationList],
        certificate: &Certificate,
        issuer: &Certificate,
        anchor: &Certificate,
        nesting: &Nesting,
    ) -> Result<Answer, Trouble> {
        let scope = list.scope();
        if !scope.is_complete() {
            return Err(Trouble::new(3, "a delta list without its base"));
        }
        self.check_form(scope)?;
        let signer = self.authorise(list, certificate, issuer, anchor, nesting)?;

        // (c), (h), (i)
        let delta = match self.policy.revocation.deltas {
            DeltaLists::Ignored => None,
            DeltaLists::Used | DeltaLists::Required => self.applicable_delta(scope, lists, &signer),
        };
        let names_delta = certificate.freshest_crl().is_some() || scope.freshest_crl().is_some();
        let delta_is_required = certificate.is_critical(id::FRESHEST_CRL)
            || (self.policy.revocation.deltas == DeltaLists::Required && names_delta);
        let certificate_issuer = certificate.issuer();
        let in_list = |list: &dyn RevocationList| list.find(&certificate_issuer, certificate.serial_number());
        let revocation = |entry: RevokedEntry| Status::of_revocation(&entry, self.at, self.now);
        let (by, source) = match delta {
            Some(delta) => (delta.scope(), RevocationSource::DeltaCrl),
            None => (scope, RevocationSource::Crl),
        };
        let evidence = Some(Evidence {
            source,
            this_update: by.this_update,
            next_update: by.next_update,
            digest: by.digest.to_string(),
        });
        // (i), (j), (k): what the delta says comes first.
        let entry = match delta.and_then(in_list) {
            Some(entry) if entry.reason == Some(CrlReason::RemoveFromCrl) => None,
            Some(entry) => Some(entry),
            None => in_list(list),
        };
        // A listed serial stays revoked, however old the list is.
        if let Some(status) = entry.map(revocation).filter(|status| *status != Status::Good) {
            return Ok(Answer { status, evidence });
        }
        if delta.is_none() && delta_is_required {
            return Err(Trouble::new(7, "no delta list applies, and one is required"));
        }
        if !self.is_fresh(by) {
            return Err(Trouble { rank: 8, status: Status::Stale { next_update: by.next_update } });
        }
        // Attack 26: issuers drop expired certificates from their lists. One that names the certificate still speaks of it.
        let expired = certificate.not_after();
        if entry.is_none() && by.this_update > expired && by.expired_certs_on_crl.is_none_or(|since| since > expired) {
            return Err(Trouble::new(8, "the revocation list was issued after the certificate expired"));
        }
        Ok(Answer { status: Status::Good, evidence })
    }

    /// Whether a list is one that may be used at all (RFC 5280 §5.2, §5.3).
    fn check_form(&self, scope: &CrlScope) -> Result<(), Trouble> {
        if let Some(extension) = scope.unknown_critical.first() {
            return Err(Trouble::new(
                4,
                format!("the list has the critical extension {extension}, which is not known"),
            ));
        }
        if scope.has_unknown_critical_entries {
            return Err(Trouble::new(4, "an entry of the list has a critical extension that is not known"));
        }
        if !scope.signature_algorithms_agree {
            return Err(Trouble::new(4, "the list names two signature algorithms"));
        }
        if scope.this_update > self.now.plus_seconds(MAX_CLOCK_SKEW_SECONDS) {
            return Err(Trouble::new(5, "the revocation list is from the future"));
        }
        Ok(())
    }

    /// Whether a list still speaks for the validation time.
    fn is_fresh(&self, scope: &CrlScope) -> bool {
        let oldest = self.policy.revocation.maximum_crl_age_seconds.map(|age| self.at.plus_seconds(-i64::from(age)));
        let young = oldest.map(|oldest| scope.this_update >= oldest);
        match scope.next_update {
            Some(next_update) => self.at <= next_update && young.unwrap_or(true),
            // RFC 5280 §5.1.2.5 asks for nextUpdate; without it only the policy can say how long a list lives.
            None => young.unwrap_or(false),
        }
    }

    /// The newest delta that applies to a complete list, signed with the same key (RFC 5280 §5.2.4, §6.3.3 (c), (h)).
    fn applicable_delta<'l>(
        &self,
        complete: &CrlScope,
        lists: &[&'l dyn RevocationList],
        signer: &Certificate,
    ) -> Option<&'l dyn RevocationList> {
        let number = complete.crl_number?;
        let key_identifier = |scope: &CrlScope| {
            let identifier = scope.authority_key_identifier();
            identifier.map(|identifier| identifier.key_identifier.map(<[u8]>::to_vec))
        };
        lists.iter().copied().find(|delta| {
            let scope = delta.scope();
            let based = scope.base_crl_number.is_some_and(|base| base <= number);
            based
                && scope.crl_number.is_some_and(|own| number <= own)
                && scope.issuer() == complete.issuer()
                && scope.issuing_distribution_point_raw() == complete.issuing_distribution_point_raw()
                && key_identifier(scope) == key_identifier(complete)
                && scope.this_update >= complete.this_update
                && self.check_form(scope).is_ok()
                && self.is_fresh(scope)
                && self.verify_list(*delta, signer).is_ok()
        })
    }

    /// The certificate that may and does sign a list (RFC 5280 §6.3.3 (f) and (g)).
    fn authorise(
        &self,
        list: &dyn RevocationList,
        certificate: &Certificate,
        issuer: &Certificate,
        anchor: &Certificate,
        nesting: &Nesting,
    ) -> Result<Certificate, Trouble> {
        let name = list.scope().issuer();
        let mut trouble = Trouble::new(5, "no certificate of the list's signer is at hand");
        let may_sign = |signer: &Certificate| signer.key_usage().is_none_or(|usage| usage.contains(KeyUsage::CRL_SIGN));
        // The path's own certificates are validated with the path.
        for signer in [issuer, anchor].into_iter().filter(|signer| signer.subject() == name) {
            match self.verify_list(list, signer) {
                Ok(()) if may_sign(signer) => return Ok(signer.clone()),
                Ok(()) => keep_worst(&mut trouble, Trouble::new(7, "the list's signer may not sign lists")),
                Err(cause) => keep_worst(&mut trouble, Trouble::new(6, cause)),
            }
        }
        // The issuer of a list's signer may name that signer's own list for its status: then its path, which is being
        // validated, is all that vouches for it (PKITS 4.14.30).
        if nesting.anchor.is_some() && certificate.subject() == name && names_itself_crl_issuer(certificate) {
            match self.verify_list(list, certificate) {
                Ok(()) if may_sign(certificate) => return Ok(certificate.clone()),
                Ok(()) => keep_worst(&mut trouble, Trouble::new(7, "the list's signer may not sign lists")),
                Err(cause) => keep_worst(&mut trouble, Trouble::new(6, cause)),
            }
        }
        let mut nested = nesting.clone();
        nested.anchor = Some(anchor.clone());
        nested.in_question.push(*certificate.digest());
        for signer in self.builder.pool.iter().copied().filter(|signer| signer.subject() == name) {
            if nested.in_question.contains(signer.digest()) || signer == issuer || signer == anchor {
                continue;
            }
            if let Err(cause) = self.verify_list(list, signer) {
                keep_worst(&mut trouble, Trouble::new(6, cause));
                continue;
            }
            if name == certificate.issuer() && !self.is_of_same_house(signer, issuer) {
                keep_worst(&mut trouble, Trouble::new(7, "another authority has given the issuer's name to this key"));
                continue;
            }
            if nested.in_question.len() > MAX_NESTING {
                keep_worst(&mut trouble, Trouble::new(7, "the lists of the list's signers go too deep"));
                continue;
            }
            let judged = self.judge(signer, Purpose::CrlSigner, &nested);
            if judged.holds() {
                return Ok(signer.clone());
            }
            let revoked = judged.revocation.iter().flat_map(|status| &status.findings);
            let code = judged.findings.iter().chain(revoked).next().map_or("", |(_, reason)| reason.code());
            keep_worst(&mut trouble, Trouble::new(7, format!("the list's signer is not valid: {code}")));
        }
        Err(trouble)
    }

    /// Whether a key that has the issuer's name for its lists is one of the issuer's house: it comes from the issuer's
    /// key, the issuer's key comes from it (a key that was rolled over), or one authority issued both.
    ///
    /// RFC 5280 §6.3.3 (f) takes any path to the same trust anchor; but then every authority below an anchor could speak
    /// for every other by giving away its name (attack 25).
    fn is_of_same_house(&self, signer: &Certificate, issuer: &Certificate) -> bool {
        let comes_from = |one: &Certificate, other: &Certificate| {
            one.issuer() == other.subject() && self.builder.check_step(one, other).is_ok()
        };
        if comes_from(signer, issuer) || comes_from(issuer, signer) {
            return true;
        }
        let above = self.builder.anchors.iter().chain(self.builder.pool.iter().copied());
        above.into_iter().any(|above| comes_from(issuer, above) && comes_from(signer, above))
    }

    /// Whether a list's signature verifies under a certificate's key; remembered for the verdict.
    fn verify_list(&self, list: &dyn RevocationList, signer: &Certificate) -> Result<(), String> {
        let key = signer.public_key();
        let question = (list.scope().digest, *key.digest());
        if let Some(known) = self.list_signatures.0.borrow().get(&question) {
            return known.clone();
        }
        let verify = || {
            let algorithm = signature_algorithm(list.scope().signature_algorithm()).map_err(|e| e.to_string())?;
            let parsed = key.key().map_err(|e| e.to_string())?;
            self.builder.check_algorithm(&algorithm, parsed)?;
            if self.builder.cache.is_some_and(|cache| cache.is_known_good(&question.0, &question.1)) {
                return Ok(());
            }
            self.budgets.signatures.spend(1).map_err(|reason| reason.code().to_owned())?;
            list.verify_signature(key).map_err(|_| "the list's signature does not verify".to_owned())?;
            if let Some(cache) = self.builder.cache {
                cache.remember_good(&question.0, &question.1);
            }
            Ok(())
        };
        let result = verify();
        self.list_signatures.0.borrow_mut().insert(question, result.clone());
        result
    }
}

/// Whether a distribution point of a certificate says that its subject issues the list.
fn names_itself_crl_issuer(certificate: &Certificate) -> bool {
    let subject = certificate.subject();
    certificate
        .crl_distribution_points()
        .iter()
        .flat_map(|points| points.iter())
        .filter_map(|point| point.crl_issuer)
        .flat_map(|names| names.iter())
        .any(|name| name == GeneralName::Directory(subject))
}

/// Whether one list replaces another: one issuer, one key as far as they say, one scope.
fn is_same_series(one: &CrlScope, other: &CrlScope) -> bool {
    let key = |scope: &CrlScope| {
        let identifier = scope.authority_key_identifier();
        identifier.and_then(|identifier| identifier.key_identifier).map(<[u8]>::to_vec)
    };
    one.issuer() == other.issuer()
        && one.issuing_distribution_point_raw() == other.issuing_distribution_point_raw()
        && key(one) == key(other)
}

fn keep_worst(trouble: &mut Trouble, other: Trouble) {
    if other.rank > trouble.rank {
        *trouble = other;
    }
}

/// (b) and (d): whether a list is about the certificate through a distribution point, and for which reasons.
fn in_scope(point: &Point<'_>, scope: &CrlScope, certificate: &Certificate) -> Result<ReasonFlags, Trouble> {
    let out = |rank, cause| Err(Trouble::new(rank, cause));
    let idp = scope.issuing_distribution_point();
    let (name, reasons, crl_issuer) = match point {
        Point::Given(given) => (given.name, given.reasons, given.crl_issuer),
        Point::Assumed => (None, None, None),
    };
    // (b)(1)
    let directories = || {
        let names = crl_issuer.iter().flat_map(|names| names.iter());
        names.filter_map(|name| if let GeneralName::Directory(name) = name { Some(name) } else { None })
    };
    if crl_issuer.is_some() {
        if !directories().any(|name| name == scope.issuer()) {
            return out(1, "no revocation list of the issuer");
        }
        if !idp.is_some_and(|idp| idp.indirect_crl) {
            return out(2, "the list is not an indirect one");
        }
    } else if certificate.issuer() != scope.issuer() {
        return out(1, "no revocation list of the issuer");
    }
    let Some(idp) = idp else {
        return Ok(reasons.unwrap_or(ReasonFlags::ALL));
    };
    // (b)(2)(i)
    if let Some(idp_name) = idp.name {
        let scope_issuer = scope.issuer();
        let listed = names(&idp_name, &scope_issuer);
        let certificate_issuer = certificate.issuer();
        let wanted = match (point, name) {
            (Point::Assumed, _) => PointNames::one(&certificate_issuer),
            (Point::Given(_), Some(name)) => {
                let base = directories().next().unwrap_or(certificate_issuer);
                names(&name, &base)
            }
            (Point::Given(_), None) => PointNames::from(crl_issuer.iter().flat_map(|names| names.iter()).collect()),
        };
        if !listed.intersects(&wanted) {
            return out(2, "the list is for another distribution point");
        }
    }
    // (b)(2)(ii) to (iv)
    let is_ca = certificate.basic_constraints().is_some_and(|constraints| constraints.ca);
    let contains = match idp.only_contains {
        OnlyContains::All => true,
        OnlyContains::UserCertificates => !is_ca,
        OnlyContains::CaCertificates => is_ca,
        OnlyContains::AttributeCertificates => false,
    };
    if !contains {
        return out(2, "the list is about another kind of certificates");
    }
    // (d)
    let listed = idp.only_some_reasons.unwrap_or(ReasonFlags::ALL);
    Ok(listed.intersection(reasons.unwrap_or(ReasonFlags::ALL)))
}

/// The names of a distribution point, relative ones made whole.
struct PointNames<'a> {
    given: Vec<GeneralName<'a>>,
    relative: Option<Vec<u8>>,
}

impl<'a> PointNames<'a> {
    fn one(name: &Name<'a>) -> PointNames<'a> {
        PointNames::from(vec![GeneralName::Directory(*name)])
    }

    fn from(given: Vec<GeneralName<'a>>) -> PointNames<'a> {
        PointNames { given, relative: None }
    }

    fn all(&self) -> impl Iterator<Item = GeneralName<'_>> {
        let relative = self.relative.as_deref().and_then(|raw| Name::parse(raw).ok()).map(GeneralName::Directory);
        self.given.iter().copied().chain(relative)
    }

    fn intersects(&self, other: &PointNames<'_>) -> bool {
        self.all().any(|a| other.all().any(|b| same_name(&a, &b)))
    }
}

fn names<'a>(name: &DistributionPointName<'a>, issuer: &Name<'_>) -> PointNames<'a> {
    match name {
        DistributionPointName::Full(names) => PointNames::from(names.iter().collect()),
        DistributionPointName::RelativeToIssuer(rdn) => {
            PointNames { given: Vec::new(), relative: Some(issuer.child(rdn)) }
        }
    }
}

/// URIs are the same when they differ in the case of scheme and host alone (RFC 5280 §7.4).
fn same_name(a: &GeneralName<'_>, b: &GeneralName<'_>) -> bool {
    let (GeneralName::Uri(a), GeneralName::Uri(b)) = (a, b) else { return a == b };
    fn parts(uri: &str) -> (&str, &str) {
        let authority = uri.find("://").map_or(0, |at| at + 3);
        let end = uri.get(authority..).and_then(|rest| rest.find('/')).map_or(uri.len(), |at| authority + at);
        uri.split_at_checked(end).unwrap_or((uri, ""))
    }
    let ((host, path), (other_host, other_path)) = (parts(a), parts(b));
    host.eq_ignore_ascii_case(other_host) && path == other_path
}
