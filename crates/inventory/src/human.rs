//! For people: a tree for each identity, then what went wrong with reading, then a summary.

use std::collections::HashSet;
use std::io::{self, BufWriter, Write};

use anstyle::{AnsiColor, Effects, Style};
use fedward_kit::index::is_argo_cd;
use fedward_outcome::Outcome;
use fedward_report::{Gate, Verdict, printable};

use crate::Options;
use crate::model::{
    Account, AccountState, Assignment, Binding, Credential, IdFrom, Identity, Inventory, Place, Power, Role, RoleState, User,
};

/// Lines of one list of a tree that are written, unless all are wanted. JSON has all of them.
const MAX_LINES: usize = 20;
/// Rules of a role that are written where all are wanted.
const MAX_RULES: usize = 20;

const BOLD: Style = Style::new().effects(Effects::BOLD);
const DIM: Style = Style::new().effects(Effects::DIMMED);
const GRAVE: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
const WARNING: Style = AnsiColor::Yellow.on_default();
const UNKNOWN: Style = AnsiColor::Cyan.on_default();

/// Writes the inventory for people: of each identity what makes it, what leads to it, who uses it and what they may do, each with its place.
/// After them comes what is wrong with what was read, then, unless [`Options::quiet`] is set, notes and a summary.
///
/// # Errors
/// Those of the writer.
pub fn human(inventory: &Inventory, outcome: &Outcome, gate: &Gate, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { out: BufWriter::new(out), inventory, options, many_clusters: inventory.has_clusters() };
    for identity in &inventory.identities {
        page.identity(identity)?;
    }
    fedward_report::problems(outcome, gate, options, &mut page.out)?;
    if let Some(why) = gate.why(outcome).filter(|_| gate.verdict(outcome) == Verdict::NotJudged) {
        writeln!(page.out, "error: {why}\n")?;
    }
    if !options.quiet {
        page.not_known()?;
        page.summary(outcome)?;
        fedward_report::skipped(outcome, options, &mut page.out)?;
    }
    page.out.flush()
}

struct Page<'a> {
    out: BufWriter<&'a mut dyn Write>,
    inventory: &'a Inventory,
    options: &'a Options,
    /// Whether accounts are told apart by their clusters.
    many_clusters: bool,
}

/// A line of a tree, and what stands below it.
#[derive(PartialEq, Eq)]
struct Branch {
    text: String,
    below: Vec<Branch>,
}

impl Branch {
    fn leaf(text: String) -> Self {
        Branch { text, below: Vec::new() }
    }
}

impl Page<'_> {
    fn identity(&mut self, identity: &Identity) -> io::Result<()> {
        let mut branches: Vec<Branch> = Vec::new();
        for declared in &identity.declared {
            branches.push(Branch::leaf(format!("{}{}", printable(&declared.object.title()), self.at(&declared.location))));
        }
        let credentials = self.list(&identity.credentials, |page, credential| page.credential(credential));
        branches.extend(credentials);
        let accounts: Vec<&Account> = identity.accounts.iter().filter_map(|at| self.inventory.accounts.get(*at)).collect();
        branches.extend(self.list(&accounts, |page, account| page.account(account)));
        let assignments = self.list(&identity.assignments, |page, assignment| Branch::leaf(page.assignment(assignment)));
        branches.extend(assignments);
        branches
            .extend(identity.not_known.iter().map(|what| Branch::leaf(self.styled(UNKNOWN, &format!("not known: {}", printable(what))))));
        let title = self.title(identity);
        writeln!(self.out, "{title}")?;
        self.tree(&branches, "")?;
        writeln!(self.out)
    }

    /// What an identity is called, and how many use it.
    fn title(&self, identity: &Identity) -> String {
        let name = identity.name.as_deref().map(printable);
        let what = match (identity.id.as_deref().map(printable), name) {
            (Some(id), Some(name)) => {
                let why = if identity.id_from == Some(IdFrom::Credentials) { ", by the account that its credentials let in" } else { "" };
                format!("{id} ({name}{why})")
            }
            (Some(id), None) => id.into_owned(),
            (None, Some(name)) => name.into_owned(),
            (None, None) => "that is not known".to_owned(),
        };
        let users = identity.accounts.iter().filter_map(|at| self.inventory.accounts.get(*at)).flat_map(|account| &account.users);
        let of_argo_cd = users.filter(|user| user.counted && is_argo_cd(&user.object.name)).take(2).count();
        let used = match identity.workloads {
            0 => "no workload uses it".to_owned(),
            1 if of_argo_cd > 1 => "1 workload uses it (the parts of Argo CD count as one)".to_owned(),
            1 => "1 workload uses it".to_owned(),
            more => self.styled(WARNING, &format!("shared by {more} workloads")),
        };
        format!("{}: {used}", self.styled(BOLD, &format!("{} {what}", identity.cloud.title())))
    }

    fn credential(&self, credential: &Credential) -> Branch {
        let whom = credential.subject.as_deref().map_or("somebody who is not known".into(), printable);
        let title = credential.kind.title();
        let text = format!("{title} {} lets in {whom}{}", printable(&credential.object.name), self.at(&credential.location));
        let issuer = credential.issuer.as_deref().map(|issuer| Branch::leaf(format!("with tokens of {}", printable(issuer))));
        Branch { text, below: issuer.into_iter().collect() }
    }

    fn account(&self, account: &Account) -> Branch {
        let title = match (account.namespace.as_str(), account.name.as_str()) {
            (_, "") => "whose name is not known".to_owned(),
            (namespace, name) => printable(&format!("{namespace}/{name}")).into_owned(),
        };
        let state = match account.state {
            AccountState::Declared => String::new(),
            AccountState::Own => " (the workload makes it)".to_owned(),
            AccountState::Absent => self.styled(UNKNOWN, " (not among the files)"),
            AccountState::Ambiguous => self.styled(UNKNOWN, " (several copies that differ: not known which)"),
        };
        let draft = if account.draft { " (before its patches)" } else { "" };
        let place = account.location.as_ref().map(|place| self.at(place)).unwrap_or_default();
        let cluster =
            if self.many_clusters && !account.cluster.is_empty() { format!(" in {}", printable(&account.cluster)) } else { String::new() };
        let mut below = self.list(&account.users, |page, user| Branch::leaf(page.user(user)));
        below.extend(self.list(&account.bindings, |page, binding| page.binding(binding)));
        if account.bindings_more > 0 {
            below.push(Branch::leaf(format!("(+{} more bindings of its groups)", account.bindings_more)));
        }
        if account.users.is_empty() {
            below.insert(0, Branch::leaf(self.styled(UNKNOWN, "no workload among the files runs as it")));
        }
        Branch { text: format!("service account {}{cluster}{state}{draft}{place}", self.styled(BOLD, &title)), below }
    }

    fn user(&self, user: &User) -> String {
        let mut text = printable(&user.object.title()).into_owned();
        // That the pod of a Deployment is its template needs no saying.
        let is_plain = user.pods.len() == 1 && matches!(user.pods.first().map(String::as_str), Some("pod template" | "pod"));
        if user.without_pods {
            text.push_str(", which has tokens of it issued to itself");
        } else if !is_plain && !user.pods.is_empty() {
            let more = if user.pods_more > 0 { format!(" and {} more", user.pods_more) } else { String::new() };
            text.push_str(&format!(", {}{more}", printable(&user.pods.join(", "))));
        }
        if user.draft {
            text.push_str(" (before its patches)");
        }
        text + &self.at(&user.location)
    }

    fn binding(&self, binding: &Binding) -> Branch {
        let Some(role) = self.inventory.roles.get(binding.role) else { return Branch::leaf(String::new()) };
        let place = match &binding.in_namespace {
            None => "in the whole cluster".to_owned(),
            Some(namespace) => format!("in namespace {}", printable(namespace)),
        };
        let named = if role.namespace.is_empty() { role.name.clone() } else { format!("{}/{}", role.namespace, role.name) };
        let state = match role.state {
            RoleState::Declared => "",
            RoleState::BuiltIn => ", which every cluster has",
            RoleState::Absent => ", which is not among the files",
            RoleState::Ambiguous => ", of which several copies differ",
        };
        let power = match binding.power {
            Power::Plain | Power::Indirect => Style::new(),
            Power::NotKnown => UNKNOWN,
            Power::Dangerous => WARNING,
            Power::ClusterAdmin => GRAVE,
        };
        let group = binding.group.as_deref().map(|group| format!(", as group {}", printable(group))).unwrap_or_default();
        let what = self.styled(power, &format!("{} {}{state}", role.kind, printable(&named)));
        let by = printable(&binding.object.title()).into_owned();
        let text = format!("may {place}{group}: {what}, by {by}{}", self.at(&binding.location));
        Branch { text, below: self.role(role, binding.in_namespace.is_none(), power) }
    }

    /// What a role comes to; with [`Options::verbose`] its rules.
    fn role(&self, role: &Role, is_wide: bool, power: Style) -> Vec<Branch> {
        let rights = if is_wide { &role.in_cluster } else { &role.in_namespace };
        let mut below = Vec::new();
        if !rights.may.is_empty() {
            below.push(Branch::leaf(self.styled(power, &format!("it leads further: may {}", rights.may.join(", ")))));
        }
        if self.options.verbose {
            if let Some(place) = &role.location {
                below.push(Branch::leaf(format!("the role{}", self.at(place))));
            }
            below.extend(role.rules.iter().take(MAX_RULES).map(|rule| Branch::leaf(printable(&summary(rule)).into_owned())));
            let more = role.rules.len().saturating_sub(MAX_RULES) + role.rules_more;
            if more > 0 {
                below.push(Branch::leaf(format!("(+{more} more rules)")));
            }
            if !role.certain && !matches!(role.state, RoleState::Absent | RoleState::Ambiguous) {
                below.push(Branch::leaf(self.styled(UNKNOWN, "not known: whether these are all of its rules")));
            }
        }
        below
    }

    fn assignment(&self, assignment: &Assignment) -> String {
        let scope = assignment.scope.as_deref().map_or("a scope that is not known".into(), printable);
        let condition = if assignment.conditional { ", within a condition" } else { "" };
        let whose = assignment.principal.as_deref().map(|principal| format!(", of {}", printable(principal))).unwrap_or_default();
        let role = self.styled(BOLD, &printable(&assignment.role));
        format!("role in Azure: {role} on {scope}{condition}{whose}{}", self.at(&assignment.location))
    }

    /// Branches for the elements of a list, and one for those that are left out.
    fn list<T>(&self, all: &[T], branch: impl Fn(&Self, &T) -> Branch) -> Vec<Branch> {
        let most = if self.options.verbose { usize::MAX } else { MAX_LINES };
        // What is deployed to several clusters stands in one place.
        let mut rest = all.len();
        let mut branches: Vec<Branch> = Vec::new();
        for one in all {
            let branch = branch(self, one);
            if branches.last() != Some(&branch) {
                if branches.len() == most {
                    break;
                }
                branches.push(branch);
            }
            rest -= 1;
        }
        if rest > 0 {
            branches.push(Branch::leaf(format!("(+{rest} more; --verbose lists them)")));
        }
        branches
    }

    fn tree(&mut self, branches: &[Branch], indent: &str) -> io::Result<()> {
        for (index, branch) in branches.iter().enumerate() {
            let is_last = index + 1 == branches.len();
            writeln!(self.out, "{indent}{} {}", if is_last { "└─" } else { "├─" }, branch.text)?;
            self.tree(&branch.below, &format!("{indent}{}  ", if is_last { " " } else { "│" }))?;
        }
        Ok(())
    }

    /// What nobody can tell whose it is.
    fn not_known(&mut self) -> io::Result<()> {
        let Inventory { unattached_assignments: assignments, workloads_without_known_account: workloads, .. } = self.inventory;
        if !assignments.is_empty() {
            let title = "roles in Azure of which it is not known whose they are:";
            writeln!(self.out, "{}", self.styled(UNKNOWN, title))?;
            let lines = self.list(assignments, |page, assignment| Branch::leaf(page.assignment(assignment)));
            self.tree(&lines, "")?;
            writeln!(self.out)?;
        }
        if !workloads.is_empty() {
            let title = "workloads of which it is not known which service account they have:";
            writeln!(self.out, "{}", self.styled(UNKNOWN, title))?;
            let lines = self.list(workloads, |page, user| Branch::leaf(page.user(user)));
            self.tree(&lines, "")?;
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn summary(&mut self, outcome: &Outcome) -> io::Result<()> {
        let Inventory { identities, accounts, .. } = self.inventory;
        let shared = identities.iter().filter(|identity| identity.shared).count();
        let users: HashSet<_> = accounts.iter().flat_map(|account| &account.users).map(|user| (&user.object, &user.location)).collect();
        write!(self.out, "{}", count(identities.len(), "identity", "identities"))?;
        if shared > 0 {
            write!(self.out, " ({shared} shared)")?;
        }
        writeln!(
            self.out,
            ", {}, {}",
            count(accounts.len(), "service account", "service accounts"),
            count(users.len(), "object that uses them", "objects that use them")
        )?;
        write!(self.out, "{}, {}", count(outcome.files, "file", "files"), count(outcome.objects, "object", "objects"))?;
        if !outcome.unread.is_empty() {
            write!(self.out, ", {} could not be read", outcome.unread.len())?;
        }
        writeln!(self.out)
    }

    fn at(&self, place: &Place) -> String {
        let file = printable(&place.file);
        let text = if place.near { file.into_owned() } else { format!("{file}:{}", place.line) };
        format!("  {}", self.styled(DIM, &text))
    }

    fn styled(&self, style: Style, text: &str) -> String {
        if self.options.color && style != Style::new() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// A rule of a role in a line.
fn summary(rule: &fedward_rbac::Rule) -> String {
    let list = |texts: &[String]| texts.join(", ");
    if rule.resources.is_empty() {
        return format!("{}: {}", list(&rule.verbs), list(&rule.non_resource_urls));
    }
    let groups: Vec<&str> = rule.api_groups.iter().map(|group| if group.is_empty() { "core" } else { group }).collect();
    let names = if rule.resource_names.is_empty() { String::new() } else { format!(" named {}", list(&rule.resource_names)) };
    format!("{}: {} ({}){names}", list(&rule.verbs), list(&rule.resources), groups.join(", "))
}

fn count(number: usize, one: &str, several: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {several}") }
}
