//! The account of a run, and how often it may be used.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;
use zeroize::Zeroizing;

use super::kdc::Kdc;

/// How the account proves itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Package {
    /// NTLM, as it is; inside SPNEGO where the host takes nothing else.
    Ntlm,
    /// Kerberos inside SPNEGO, and nothing else.
    Kerberos,
    /// Kerberos where it can work, else NTLM; the report says which and why. A Kerberos that fails is a finding: it
    /// is not followed by NTLM.
    #[default]
    Negotiate,
}

/// An account, shared by all targets of a run. The password leaves it inside the protocol alone, and `Debug` hides
/// it.
///
/// Until one host has accepted the account it is tried on one host at a time, and the first refusal stops it for
/// every further target: a wrong password must not lock an account by being tried all over a farm.
pub struct Account {
    user: String,
    domain: String,
    password: Zeroizing<String>,
    package: Package,
    kdc: Option<Kdc>,
    authorization: bool,
    turn: Arc<tokio::sync::Mutex<()>>,
    standing: Mutex<Standing>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    Untried,
    Accepted,
    /// It must not be used again, and why.
    Stopped(String),
}

impl Account {
    /// An account by name, `user`, `DOMAIN\user` or `user@realm`, and password.
    pub fn new(user: &str, password: Zeroizing<String>) -> Self {
        let (domain, user) = user.split_once('\\').unwrap_or(("", user));
        Self {
            user: user.to_owned(),
            domain: domain.to_owned(),
            password,
            package: Package::default(),
            kdc: None,
            authorization: false,
            turn: Arc::default(),
            standing: Mutex::new(Standing::Untried),
        }
    }

    /// The domain, or Kerberos' realm. It takes the place of one in the name.
    pub fn domain(mut self, domain: &str) -> Self {
        self.domain = domain.to_owned();
        self
    }

    /// How the account proves itself.
    pub fn package(mut self, package: Package) -> Self {
        self.package = package;
        self
    }

    /// Where Kerberos asks; nothing is looked up.
    pub fn kdc(mut self, kdc: Option<Kdc>) -> Self {
        self.kdc = kdc;
        self
    }

    /// Delegates the password once it is proven, for the Early User Authorization Result.
    pub fn authorization(mut self, wanted: bool) -> Self {
        self.authorization = wanted;
        self
    }

    /// `DOMAIN\user`, `user@realm` or `user`; never a secret.
    pub fn name(&self) -> String {
        if self.domain.is_empty() { self.user.clone() } else { format!("{}\\{}", self.domain, self.user) }
    }

    /// Whether it was refused, or got no answer, and is not tried again.
    pub fn is_stopped(&self) -> bool {
        matches!(&*self.standing(), Standing::Stopped(_))
    }

    pub(super) fn user(&self) -> &str {
        &self.user
    }

    pub(super) fn domain_name(&self) -> &str {
        &self.domain
    }

    pub(super) fn password(&self) -> &Zeroizing<String> {
        &self.password
    }

    pub(super) fn wanted_package(&self) -> Package {
        self.package
    }

    pub(super) fn key_distribution_centre(&self) -> Option<&Kdc> {
        self.kdc.as_ref()
    }

    pub(super) fn wants_authorization(&self) -> bool {
        self.authorization
    }

    /// The realm, as far as it is known: the domain, or what follows the `@`.
    pub(super) fn realm(&self) -> Option<&str> {
        match (self.domain.as_str(), self.user.rsplit_once('@')) {
            ("", Some((_, realm))) => Some(realm),
            ("", None) => None,
            (domain, _) => Some(domain),
        }
    }

    /// Waits until the account may be tried.
    ///
    /// # Errors
    /// Why it may not be.
    pub(super) async fn turn(self: &Arc<Self>) -> Result<Turn, String> {
        let guard = Arc::clone(&self.turn).lock_owned().await;
        let guard = match &*self.standing() {
            Standing::Untried => Some(guard),
            Standing::Accepted => None,
            Standing::Stopped(why) => return Err(why.clone()),
        };
        Ok(Turn { account: Arc::clone(self), _alone: guard, spent: false, accepted: false })
    }

    fn standing(&self) -> std::sync::MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("name", &self.name())
            .field("password", &"hidden")
            .field("package", &self.package)
            .field("kdc", &self.kdc)
            .field("authorization", &self.authorization)
            .finish_non_exhaustive()
    }
}

/// The right to one authentication. Where it ends without an acceptance after it was spent, however it ends, the
/// account is stopped.
#[derive(Debug)]
pub(crate) struct Turn {
    account: Arc<Account>,
    /// Held by the first; none once the account was accepted somewhere.
    _alone: Option<OwnedMutexGuard<()>>,
    spent: bool,
    accepted: bool,
}

impl Turn {
    pub(super) fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Is called before the proof goes out.
    ///
    /// # Errors
    /// Where the account was stopped in the meantime: the proof must not go out.
    pub(super) fn spend(&mut self) -> Result<(), String> {
        if let Standing::Stopped(why) = &*self.account.standing() {
            return Err(why.clone());
        }
        self.spent = true;
        Ok(())
    }

    /// The host, or the KDC, took the proof.
    pub(super) fn accepted(&mut self) {
        self.accepted = true;
        let mut standing = self.account.standing();
        if *standing == Standing::Untried {
            *standing = Standing::Accepted;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.spent && !self.accepted {
            let why = format!(
                "{} was refused, or got no answer, on another target, and is not tried again in this run",
                self.account.name()
            );
            *self.account.standing() = Standing::Stopped(why);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn account() -> Arc<Account> {
        Arc::new(Account::new("CORP\\alice", Zeroizing::new("Passw0rd!".to_owned())))
    }

    async fn waits(account: &Arc<Account>) -> bool {
        timeout(Duration::from_millis(20), account.turn()).await.is_err()
    }

    #[tokio::test]
    async fn only_one_tries_until_one_was_accepted() {
        let account = account();
        let mut first = account.turn().await.unwrap();
        assert!(waits(&account).await);
        first.spend().unwrap();
        first.accepted();
        drop(first);
        let _second = account.turn().await.unwrap();
        assert!(!waits(&account).await);
    }

    #[tokio::test]
    async fn a_refusal_stops_it_everywhere() {
        let account = account();
        let mut first = account.turn().await.unwrap();
        first.spend().unwrap();
        drop(first);
        assert!(account.turn().await.unwrap_err().contains("CORP\\alice was refused"));
    }

    #[tokio::test]
    async fn a_refusal_after_an_acceptance_stops_those_under_way() {
        let account = account();
        let mut first = account.turn().await.unwrap();
        first.spend().unwrap();
        first.accepted();
        drop(first);
        let mut second = account.turn().await.unwrap();
        let mut third = account.turn().await.unwrap();
        second.spend().unwrap();
        drop(second);
        assert!(third.spend().is_err());
        assert!(account.turn().await.is_err());
    }

    #[tokio::test]
    async fn one_that_sent_nothing_leaves_the_turn_to_the_next() {
        let account = account();
        drop(account.turn().await.unwrap());
        assert!(account.turn().await.is_ok());
    }

    #[test]
    fn debug_hides_the_password() {
        let text = format!("{:?}", account());
        assert!(text.contains("CORP\\\\alice") && !text.contains("Passw0rd"), "{text}");
    }

    #[test]
    fn names_are_split() {
        let of = |name: &str| {
            let account = Account::new(name, Zeroizing::default());
            (account.name(), account.realm().map(str::to_owned))
        };
        assert_eq!(of("alice"), ("alice".into(), None));
        assert_eq!(of("CORP\\alice"), ("CORP\\alice".into(), Some("CORP".into())));
        assert_eq!(of("alice@corp.example"), ("alice@corp.example".into(), Some("corp.example".into())));
        let domain = Account::new("alice", Zeroizing::default()).domain("CORP");
        assert_eq!(domain.name(), "CORP\\alice");
    }
}
