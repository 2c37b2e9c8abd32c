//! The rows of the knowledge, once: the build script reads them from `knowledge/` into these types and prints them, and
//! the library holds what it printed as static tables of the same types.

use rdprobe_report::{Change, ClaimJudgement, Effect, Phase, Stage, Where};

use super::form::{List, One, Sign, Text};

rows! {
    /// What is known of one code.
    pub struct Entry {
        /// The code.
        pub id: Text,
        /// In a line.
        pub title: Text,
        /// Paragraphs, separated by blank lines.
        pub explain: Text,
        /// Likeliest first.
        pub causes: List<Text>,
        /// What clients show.
        pub client_errors: List<KnownClientError>,
        /// Specifications and articles.
        pub sources: List<Text>,
        /// Remedies, the safe ones first.
        pub fixes: List<KnownFix> = (rename = "fix", default),
    }

    /// What a client shows for a code.
    pub struct KnownClientError {
        /// `mstsc`.
        pub client: Text,
        /// `0x904`.
        pub code: Text,
        /// `0x7`.
        pub extended_code: Option<Text>,
        /// What the code stands for.
        pub name: Text,
    }

    /// A remedy of a code or of a cause.
    pub struct KnownFix {
        /// Stable within the cause; empty in a code.
        pub id: Text = (default),
        /// In a line.
        pub title: Text,
        /// Where it is done.
        pub place: One<Where> = (rename = "where"),
        /// What else it does.
        pub effect: One<Effect>,
        /// Servers for which it holds; all of the cause's where it is empty.
        pub server: List<Text> = (default),
        /// Tags of clients and surroundings that it is for, and that bring it forward.
        pub fits: List<Text> = (default),
        /// Signs without which it is for another host.
        pub when: List<List<Sign>> = (default),
        /// Step by step.
        pub steps: List<Text> = (default),
        /// What the commands are typed into.
        pub shell: Text = (default),
        /// Whole lines; `{host}`, `{port}`, `{address}` and `{computer}` stand for this host's.
        pub commands: List<Text> = (default),
        /// Where it is documented.
        pub source: Text = (default),
    }

    /// Where the cause lay for people whose host was healthy from outside.
    pub struct Layer {
        /// Stable id.
        pub id: Text,
        /// Share of the cases, 0 to 1.
        pub share: f64,
        /// In a line.
        pub title: Text,
        /// Why to look there.
        pub why: Text,
        /// The question that decides.
        pub question: Text,
        /// What to do.
        pub check: Text,
    }

    /// One thing that can be wrong.
    pub struct Cause {
        /// Stable id.
        pub id: Text,
        /// In a line.
        pub title: Text,
        /// Where it lies: `network`, `account`, `client`.
        pub layer: Text,
        /// The phase that it stops; none where it stops none that a direct probe goes through.
        pub phase: Option<One<Phase>>,
        /// Whom it stops.
        pub scope: One<Scope>,
        /// How far its user gets.
        pub stages: List<One<Stage>>,
        /// Weight among all causes before anything is known.
        pub prior: f64,
        /// Families of symptoms under which it shows.
        pub families: List<Text> = (default),
        /// Tags of client or surroundings without at least one of which it is unlikely.
        pub needs: List<Text> = (default),
        /// Clients and surroundings that hardly ever have it.
        pub never: List<Text> = (default),
        /// Tags that make it likelier.
        pub fits: List<Text> = (default),
        /// Servers that can have it; every one where it is empty.
        pub server: List<Text> = (default),
        /// Changes after which it comes.
        pub since: List<One<Change>> = (default),
        /// It comes and goes, so one good look does not exclude it.
        pub intermittent: bool = (default),
        /// What shows it on the wire.
        pub shows: Text,
        /// What excludes it.
        pub excludes: Text = (default),
        /// The one question that separates it from the others.
        pub question: Text,
        /// How to find out.
        pub check: Text,
        /// What proves, excludes and suggests it.
        pub judge: Signs,
        /// What mends it, the best first.
        pub fixes: List<KnownFix> = (rename = "fix", default),
        /// Where this was read.
        pub sources: List<Text>,
    }

    /// The signs of a cause: of several lists one is enough, and those of one list hold together.
    pub struct Signs {
        /// They prove it.
        pub confirmed_by: List<List<Sign>> = (default),
        /// They exclude it.
        pub ruled_out_by: List<List<Sign>> = (default),
        /// They make it likelier.
        pub hinted_by: List<List<Sign>> = (default),
        /// They go with it and with much else.
        pub fits_with: List<List<Sign>> = (default),
        /// Why it can never be seen, where that is so.
        pub hidden: Option<Text>,
    }

    /// A fault of one version that another one mends.
    pub struct Regression {
        /// Stable id.
        pub id: Text,
        /// What is seen since which version.
        pub title: Text,
        /// Builds that the host's NTLM challenge claims; every one where it is empty.
        pub builds: List<u32> = (default),
        /// Tags of which one is named by the user: the client, or surroundings.
        pub tags: List<Text> = (default),
        /// Families of symptoms.
        pub families: List<Text>,
        /// What mends it.
        pub mends: Text,
        /// Where this was read.
        pub source: Text,
    }

    /// A public statement, judged.
    pub struct Claim {
        /// Stable id.
        pub id: Text,
        /// What is said.
        pub text: Text,
        /// Whether it holds.
        pub judgement: One<ClaimJudgement>,
        /// Why.
        pub why: Text,
        /// The symptoms of which it is said, by id or family.
        pub codes: List<Text>,
        /// Where this was read.
        pub sources: List<Text>,
    }

    /// A remedy that is recommended in public.
    pub struct Remedy {
        /// Stable id.
        pub id: Text,
        /// In a line.
        pub title: Text,
        /// What else it does.
        pub effect: One<Effect>,
        /// When it helps.
        pub when: Text,
        /// Why, and what is better.
        pub why: Text,
        /// The causes that it is for.
        pub causes: List<Text>,
        /// Where this was read.
        pub sources: List<Text>,
    }

    /// A code or a sentence that a user can hold.
    pub struct Symptom {
        /// Stable id.
        pub id: Text,
        /// Whose words these are.
        pub kind: One<SymptomKind>,
        /// In a line.
        pub title: Text,
        /// Numbers.
        pub codes: List<u32> = (default),
        /// Second numbers without which it is another symptom.
        pub extended: List<u32> = (default),
        /// Names of constants and events.
        pub names: List<Text> = (default),
        /// Sentences and log lines, matched loosely.
        pub phrases: List<Text> = (default),
        /// What it means.
        pub meaning: Text,
        /// What it is taken for and is not.
        pub is_not: Option<Text>,
        /// The families of symptoms to which it belongs.
        pub families: List<Text> = (default),
        /// How far the user got, where it says so.
        pub stage: Option<One<Stage>>,
        /// Tags that it implies: the client or the server that prints it.
        pub implies: List<Text> = (default),
        /// The causes that it is known to have, likeliest first.
        pub causes: List<Text> = (default),
        /// It says no more than that it fails: client, server and surroundings weigh more than its causes.
        pub vague: bool = (default),
        /// Where this was read; that of its file where it names none.
        pub source: Text = (default),
    }

    /// A tag and the words that stand for it.
    pub struct Tag {
        /// Stable id.
        pub id: Text,
        /// What it says something of.
        pub kind: One<TagKind>,
        /// In words.
        pub title: Text = (default),
        /// Tags that it implies: what embeds mstsc's control is of mstsc's kind.
        pub implies: List<Text> = (default),
        /// Words and sequences of words, in lower case.
        pub words: List<Text>,
        /// The hello profile nearest to a client.
        pub profile: Option<Text>,
        /// The version below which a client is old.
        pub old_below: Option<Text>,
        /// Where this was read.
        pub source: Text = (default),
    }

    /// A client, or the library that others embed. What was read nowhere is absent.
    pub struct Client {
        /// Stable id.
        pub id: Text,
        /// In a few words.
        pub title: Text,
        /// Which builds this speaks of.
        pub versions: Option<Text>,
        /// Where it runs.
        pub platforms: List<Text> = (default),
        /// Its tag in `words.toml`.
        pub tag: Text,
        /// What people call it, in lower case.
        pub names: List<Text>,
        /// The first version of those that share its names.
        pub since: Option<Text>,
        /// The first version that is another row's.
        pub below: Option<Text>,
        /// Tags of clients for whom it stands where they have no row of their own.
        pub stands_for: List<Text> = (default),
        /// Whose code it runs, the usual first.
        pub embeds: List<Text> = (default),
        /// The hello profile that is its own.
        pub profile: Option<Text>,
        /// The profile that is nearest where none is its own or of what it embeds.
        pub nearest: Option<Text>,
        /// Least TLS version by default.
        pub tls_min: Option<Text>,
        /// Highest; `library` is that of its TLS library.
        pub tls_max: Option<Text>,
        /// Whose TLS it is.
        pub tls_library: Option<Text>,
        /// OpenSSL's security level by default.
        pub seclevel: Option<u8>,
        /// How that is changed.
        pub seclevel_option: Option<Text>,
        /// Whether it uses NLA.
        pub nla: Option<One<NlaUse>>,
        /// How that is switched.
        pub nla_option: Option<Text>,
        /// What its Connection Request offers by default.
        pub offers: Option<Text>,
        /// How the security layer is chosen.
        pub security_option: Option<Text>,
        /// What it does about a certificate that is not trusted.
        pub certificate: Option<One<CertificateDemand>>,
        /// How that is changed.
        pub certificate_option: Option<Text>,
        /// How the port is given.
        pub port_option: Option<Text>,
        /// In FIPS mode.
        pub fips: Option<Text>,
        /// What else decides whether it gets in.
        pub notes: List<Text> = (default),
        /// Where each of these was read.
        pub sources: List<ClientSource>,
    }

    /// Where facts of a client were read.
    pub struct ClientSource {
        /// `owner/repository@commit path`, or an address.
        pub source: Text,
        /// Names of fields; `*` is all of them.
        pub fields: List<Text>,
    }
}

words! {
    /// Whether a client uses NLA.
    pub enum NlaUse {
        /// And nothing else.
        Always,
        /// Unless it is switched off.
        DefaultOn,
        /// Only where it is switched on.
        DefaultOff,
        /// It has none.
        Never,
    }

    /// What a client does about a certificate that the system does not trust.
    pub enum CertificateDemand {
        /// It does not connect.
        Refuses,
        /// It asks the user.
        Asks,
        /// It connects.
        Ignores,
        /// It takes the first that it sees, and minds a change.
        FirstUse,
    }

    /// Whom a cause stops.
    pub enum Scope {
        /// Everyone who connects to this host.
        Host,
        /// Everyone on the same way.
        Path,
        /// This client or device.
        Client,
        /// This account.
        Account,
    }

    /// What a tag says something of.
    pub enum TagKind {
        /// The client.
        Client,
        /// The server.
        Server,
        /// Where they stand.
        Environment,
        /// How far the user gets.
        Stage,
        /// What changed.
        Since,
        /// Whether others connect.
        Others,
        /// What is seen, for words that no symptom has: `sees-` and a family.
        Sees,
    }

    /// Whose numbers and words a symptom is written in.
    pub enum SymptomKind {
        /// mstsc's disconnect reason.
        MstscDisconnect,
        /// mstsc's extended disconnect reason.
        MstscExtended,
        /// Set Error Info PDU.
        ErrorInfo,
        /// Status Info PDU.
        StatusInfo,
        /// Licensing error message.
        Licensing,
        /// RDP_NEG_FAILURE.
        Negotiation,
        /// NTSTATUS.
        Ntstatus,
        /// HRESULT of SSPI or of a client.
        Hresult,
        /// RD Gateway.
        Gateway,
        /// FreeRDP's last error.
        FreerdpError,
        /// Exit status of xfreerdp.
        FreerdpExit,
        /// Guacamole's status.
        Guacamole,
        /// Status of HTTP.
        Http,
        /// Windows event.
        WindowsEvent,
        /// Kerberos error.
        Kerberos,
        /// Line of a log or a terminal.
        Log,
        /// Sentence of a dialog.
        Dialog,
        /// What a person sees happen.
        Behaviour,
        /// Words of a scanner, a proxy or another tool.
        Tool,
    }
}
