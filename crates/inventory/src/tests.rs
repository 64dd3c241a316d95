#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

use fedward_engine::{Deployment, Input, Options as Reading, Role, Survey};
use fedward_kit::text::Glob;
use fedward_outcome::Outcome;
use fedward_report::{Gate, Tool};
use serde_json::{Value, json};

use crate::model::{AccountState, Inventory, Power};
use crate::{Filter, Options, dot, human, json, mermaid, schema, take};

const CLIENT: &str = "6f1d2c3b-4a59-4e68-9b07-1c2d3e4f5a6b";

/// Files by name; those whose name begins with `context/` are only looked at.
fn survey(files: &[(&str, &str)]) -> (Survey<'static>, Outcome) {
    let input = |(name, text): &(&str, &str)| Input {
        name: (*name).to_owned(),
        bytes: text.as_bytes().to_vec(),
        named: true,
        role: if name.starts_with("context/") { Role::Context } else { Role::Judged },
    };
    Survey::new(files.iter().map(input).collect(), &Reading { threads: 1, ..Reading::default() })
}

fn of(files: &[(&str, &str)]) -> Inventory {
    take(&survey(files).0, &[])
}

/// The tree, without what stands below it.
fn tree(inventory: &Inventory) -> String {
    let mut out = Vec::new();
    human(inventory, &Outcome::default(), &Gate::default(), &Options { quiet: true, ..Options::default() }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn account(namespace: &str, name: &str, annotation: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {name}, namespace: {namespace}, annotations: {{{annotation}}}}}\n"
    )
}

fn azure(namespace: &str, name: &str) -> String {
    account(namespace, name, &format!("azure.workload.identity/client-id: {CLIENT}"))
}

fn deployment(namespace: &str, name: &str, account: &str) -> String {
    format!(
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{template: {{spec: {{serviceAccountName: {account}, containers: []}}}}}}\n"
    )
}

fn credential(name: &str, owner: &str, namespace: &str, account: &str) -> String {
    format!(
        "---\napiVersion: managedidentity.azure.com/v1api20230131\nkind: FederatedIdentityCredential\nmetadata: {{name: {name}, namespace: azure}}\nspec: {{owner: {{name: {owner}}}, issuer: 'https://oidc.clusters.example/blue', subject: 'system:serviceaccount:{namespace}:{account}', audiences: ['api://AzureADTokenExchange']}}\n"
    )
}

fn binding(kind: &str, name: &str, role: &str, subject: &str) -> String {
    format!(
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\nroleRef: {{apiGroup: rbac.authorization.k8s.io, {role}}}\nsubjects: [{{{subject}}}]\n"
    )
}

const ORDERS: &str = "kind: ServiceAccount, name: orders, namespace: shop";

#[test]
fn credentials_accounts_and_workloads_of_an_identity_stand_together() {
    let text =
        [azure("shop", "orders"), deployment("shop", "orders", "orders"), credential("orders-blue", "orders", "shop", "orders")].concat();
    let want = format!(
        "\
Azure identity {CLIENT} (orders, by the account that its credentials let in): 1 workload uses it
├─ federated credential orders-blue lets in system:serviceaccount:shop:orders  all.yaml:13
│  └─ with tokens of https://oidc.clusters.example/blue
└─ service account shop/orders  all.yaml:4
   └─ Deployment shop/orders  all.yaml:8

"
    );
    assert_eq!(tree(&of(&[("all.yaml", &text)])), want);
}

#[test]
fn an_identity_is_what_its_status_says() {
    let made = |status: &str| {
        format!(
            "---\napiVersion: managedidentity.azure.com/v1api20230131\nkind: UserAssignedIdentity\nmetadata: {{name: orders, namespace: azure}}\nspec: {{operatorSpec: {{configMaps: {{principalId: {{name: ids, key: principal}}}}}}}}\nstatus: {{{status}}}\n"
        )
    };
    let other = "0e5a8b46-1c7d-4f92-a3e8-6b9d2f4c7a58";
    let rest = [azure("shop", "orders"), credential("orders", "orders", "shop", "orders")].concat();
    // The status is certain, and the account names another identity.
    let inventory = of(&[("all.yaml", &format!("{rest}{}", made(&format!("clientId: {other}"))))]);
    let told: Vec<_> =
        inventory.identities.iter().map(|one| (one.id.as_deref().unwrap(), one.credentials.len(), one.declared.len())).collect();
    assert_eq!(told, [(other, 1, 1), (CLIENT, 0, 0)]);
    let both = inventory.identities.iter().all(|one| one.accounts == [0]);
    assert!(both, "the account names the one, and the credential of the other lets it in");
    let inventory = of(&[("all.yaml", &format!("{rest}{}", made("")))]);
    assert_eq!(inventory.identities.len(), 1);
    assert_eq!(serde_json::to_value(inventory.identities[0].id_from).unwrap(), json!("credentials"));
}

#[test]
fn two_identities_that_one_client_id_may_mean_are_kept_apart() {
    let text = [
        azure("shop", "orders"),
        azure("shop", "invoices"),
        credential("a", "orders", "shop", "orders"),
        credential("b", "invoices", "shop", "invoices"),
    ]
    .concat();
    let inventory = of(&[("all.yaml", &text)]);
    let told: Vec<_> = inventory.identities.iter().map(|one| (one.id.is_some(), one.name.as_deref(), one.accounts.len())).collect();
    assert_eq!(told, [(true, None, 2), (false, Some("invoices"), 1), (false, Some("orders"), 1)]);
    assert!(inventory.identities[1].not_known[0].starts_with("its client id"));
}

#[test]
fn what_is_not_among_the_files_is_said() {
    let text = [deployment("shop", "orders", "orders"), credential("orders", "orders", "shop", "orders")].concat();
    let inventory = of(&[("all.yaml", &text)]);
    assert_eq!((inventory.accounts[0].state, inventory.accounts[0].users.len()), (AccountState::Absent, 1));
    assert!(tree(&inventory).contains("service account shop/orders (not among the files)\n"));
    // Nothing leads to an account that no file speaks of.
    assert!(of(&[("all.yaml", &deployment("shop", "orders", "orders"))]).identities.is_empty());
    // A template decides.
    let text = [azure("shop", "orders"), deployment("shop", "reports", "'{{ account }}'")].concat();
    let unknown = of(&[("all.yaml", &text)]).workloads_without_known_account;
    assert_eq!(unknown.iter().map(|user| user.object.title()).collect::<Vec<_>>(), ["Deployment shop/reports"]);
}

#[test]
fn an_id_that_nobody_filled_in_is_no_identity_of_several() {
    let mark = "azure.workload.identity/client-id: '<client-id>'";
    let inventory = of(&[("all.yaml", &[account("shop", "orders", mark), account("shop", "invoices", mark)].concat())]);
    assert_eq!(inventory.identities.iter().map(|one| (one.id.clone(), one.accounts.len())).collect::<Vec<_>>(), [(None, 1), (None, 1)]);
    assert!(inventory.identities[0].not_known[0].contains("still to be filled in"));
}

#[test]
fn the_nearest_copy_of_an_account_is_meant() {
    let copy = |client: &str| account("shop", "orders", &format!("azure.workload.identity/client-id: {client}"));
    let (one, two) = (CLIENT, "0e5a8b46-1c7d-4f92-a3e8-6b9d2f4c7a58");
    let inventory = of(&[
        ("blue/account.yaml", &copy(one)),
        ("blue/app.yaml", &deployment("shop", "orders", "orders")),
        ("green/account.yaml", &copy(two)),
        ("green/app.yaml", &deployment("shop", "orders", "orders")),
        ("other/app.yaml", &deployment("shop", "reports", "orders")),
    ]);
    let users = |at: usize| inventory.accounts[at].users.iter().map(|user| user.location.file.as_str()).collect::<Vec<_>>();
    let states: Vec<_> = inventory.accounts.iter().map(|account| account.state).collect();
    assert_eq!(states, [AccountState::Declared, AccountState::Declared, AccountState::Ambiguous]);
    assert_eq!([users(0), users(1), users(2)], [["blue/app.yaml"], ["green/app.yaml"], ["other/app.yaml"]]);
    // Which of them the third means is not known: it counts for neither, and both say so.
    for identity in &inventory.identities {
        assert_eq!((identity.workloads, identity.accounts.len()), (1, 2));
        assert!(identity.not_known[0].contains("several that differ"));
    }
}

#[test]
fn sharing_is_counted_as_the_rules_count_it() {
    let hook =
        deployment("shop", "migrate", "orders").replace("namespace: shop}", "namespace: shop, annotations: {helm.sh/hook: pre-install}}");
    let store = "---\napiVersion: external-secrets.io/v1\nkind: SecretStore\nmetadata: {name: vault, namespace: shop}\nspec: {provider: {azurekv: {serviceAccountRef: {name: orders}}}}\n";
    let one = [azure("shop", "orders"), deployment("shop", "orders", "orders"), hook, store.to_owned()].concat();
    let inventory = of(&[("all.yaml", &one), ("copy.yaml", &deployment("shop", "orders", "orders"))]);
    assert_eq!((inventory.identities[0].workloads, inventory.identities[0].shared), (1, false));
    assert_eq!(inventory.accounts[0].users.len(), 4);
    assert!(tree(&inventory).contains("SecretStore shop/vault, which has tokens of it issued to itself"));
    let two = [one, deployment("shop", "reports", "orders")].concat();
    assert!(of(&[("all.yaml", &two)]).identities[0].shared);
    let argo =
        [azure("argocd", "argocd"), deployment("argocd", "argocd-server", "argocd"), deployment("argocd", "argocd-repo-server", "argocd")]
            .concat();
    let inventory = of(&[("all.yaml", &argo)]);
    assert!(!inventory.identities[0].shared && tree(&inventory).contains("1 workload uses it (the parts of Argo CD count as one)"));
}

#[test]
fn identities_of_every_cloud() {
    let aws = "eks.amazonaws.com/role-arn: 'arn:aws:iam::111122223333:role/teams/orders'";
    let role = "---\napiVersion: iam.services.k8s.aws/v1alpha1\nkind: Role\nmetadata: {name: orders, namespace: aws}\nspec:\n  name: orders\n  assumeRolePolicyDocument: |\n    {\"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"sts:AssumeRoleWithWebIdentity\", \"Principal\": {\"Federated\": \"arn:aws:iam::111122223333:oidc-provider/oidc.clusters.example/blue\"},\n      \"Condition\": {\"StringEquals\": {\"oidc.clusters.example/blue:sub\": \"system:serviceaccount:shop:orders\"}}}]}\n";
    let association = "---\napiVersion: eks.services.k8s.aws/v1alpha1\nkind: PodIdentityAssociation\nmetadata: {name: invoices, namespace: aws}\nspec: {namespace: shop, serviceAccount: invoices, roleARN: 'arn:aws:iam::111122223333:role/invoices'}\n";
    let google = account("shop", "reports", "iam.gke.io/gcp-service-account: reports@sample-project.iam.gserviceaccount.com");
    let direct = account("shop", "direct", "iam.gke.io/return-principal-id-as-email: 'true'");
    let sso = account("argo", "people", "workflows.argoproj.io/rbac-rule: \"'ops' in groups\"");
    let text = [&account("shop", "orders", aws), role, association, &google, &direct, &sso].map(str::to_owned).concat();
    let want = "\
AWS role arn:aws:iam::111122223333:role/invoices: no workload uses it
├─ pod identity association invoices lets in shop/invoices  all.yaml:17
├─ service account shop/invoices (not among the files)
│  └─ no workload among the files runs as it
└─ not known: what one of its service accounts says: it is not among the files

AWS role arn:aws:iam::111122223333:role/teams/orders (orders): no workload uses it
├─ Role aws/orders  all.yaml:8
├─ trust policy orders lets in system:serviceaccount:shop:orders  all.yaml:8
│  └─ with tokens of oidc.clusters.example/blue
└─ service account shop/orders  all.yaml:4
   └─ no workload among the files runs as it

Google service account reports@sample-project.iam.gserviceaccount.com: no workload uses it
└─ service account shop/reports  all.yaml:22
   └─ no workload among the files runs as it

Google service account subject/ns/shop/sa/direct: no workload uses it
└─ service account shop/direct  all.yaml:26
   └─ no workload among the files runs as it

people through Argo's single sign-on 'ops' in groups: no workload uses it
└─ service account argo/people  all.yaml:30
   └─ no workload among the files runs as it

";
    assert_eq!(tree(&of(&[("all.yaml", &text)])), want);
    // A pattern is whom a role lets in, and no account of that name.
    let pattern = role.replace("StringEquals", "StringLike").replace("serviceaccount:shop:orders", "serviceaccount:shop:*");
    let want = "\
AWS role arn:aws:iam::111122223333:role/teams/orders (orders): no workload uses it
├─ Role aws/orders  all.yaml:8
├─ trust policy orders lets in system:serviceaccount:shop:*  all.yaml:8
│  └─ with tokens of oidc.clusters.example/blue
└─ service account shop/orders  all.yaml:4
   └─ no workload among the files runs as it

";
    assert_eq!(tree(&of(&[("all.yaml", &[account("shop", "orders", aws), pattern].concat())])), want);
}

#[test]
fn bindings_say_what_an_account_may_do() {
    let role = "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reader, namespace: shop}\nrules: [{verbs: [get, list], apiGroups: [''], resources: [secrets]}]\n";
    let grown = "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: grown}\naggregationRule: {clusterRoleSelectors: [{matchLabels: {grow: 'yes'}}]}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: part, labels: {grow: 'yes'}}\nrules: [{verbs: ['*'], apiGroups: ['*'], resources: ['*']}]\n";
    let text = [
        azure("shop", "orders").as_str(),
        role,
        grown,
        &binding("RoleBinding", "reads", "kind: Role, name: reader", ORDERS),
        &binding("ClusterRoleBinding", "grows", "kind: ClusterRole, name: grown", ORDERS),
        &binding(
            "ClusterRoleBinding",
            "views",
            "kind: ClusterRole, name: view",
            "kind: Group, apiGroup: rbac.authorization.k8s.io, name: 'system:serviceaccounts:shop'",
        ),
        &binding(
            "ClusterRoleBinding",
            "gone",
            "kind: ClusterRole, name: gone",
            "kind: User, apiGroup: rbac.authorization.k8s.io, name: 'system:serviceaccount:shop:orders'",
        ),
        &binding(
            "ClusterRoleBinding",
            "others",
            "kind: ClusterRole, name: cluster-admin",
            "kind: ServiceAccount, name: other, namespace: shop",
        ),
    ]
    .map(str::to_owned)
    .concat();
    let inventory = of(&[("all.yaml", &text)]);
    let account = &inventory.accounts[0];
    let told: Vec<_> = account
        .bindings
        .iter()
        .map(|binding| {
            (binding.object.name.as_str(), inventory.roles[binding.role].name.as_str(), binding.in_namespace.as_deref(), binding.power)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("gone", "gone", None, Power::NotKnown),
            ("grows", "grown", None, Power::ClusterAdmin),
            ("reads", "reader", Some("shop"), Power::Dangerous),
            ("views", "view", None, Power::Plain),
        ]
    );
    assert_eq!(account.power, Power::ClusterAdmin);
    let shown = tree(&inventory);
    for line in [
        "├─ may in the whole cluster: ClusterRole gone, which is not among the files, by ClusterRoleBinding gone  all.yaml:",
        "│  └─ it leads further: may do everything with every resource\n",
        "├─ may in namespace shop: Role shop/reader, by RoleBinding shop/reads  all.yaml:",
        "└─ may in the whole cluster, as group system:serviceaccounts:shop: ClusterRole view, which every cluster has, by ClusterRoleBinding views",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
}

#[test]
fn azure_roles_are_those_of_the_identity_that_is_known_to_have_them() {
    let assigned = |name: &str, principal: &str| {
        format!(
            "---\napiVersion: authorization.azure.com/v1api20220401\nkind: RoleAssignment\nmetadata: {{name: {name}, namespace: azure}}\nspec: {{owner: {{armId: /subscriptions/s/registries/r}}, {principal}, roleDefinitionReference: {{wellKnownName: AcrPush}}}}\n"
        )
    };
    let identity = "---\napiVersion: managedidentity.azure.com/v1api20230131\nkind: UserAssignedIdentity\nmetadata: {name: orders, namespace: azure}\nspec: {operatorSpec: {configMaps: {principalId: {name: ids, key: principal}}}}\nstatus: {principalId: 3C96905B-bca2-4336-9133-122c181ee7b6}\n";
    let text = [
        identity.to_owned(),
        assigned("by-config", "principalIdFromConfig: {name: ids, key: principal}"),
        assigned("by-id", "principalId: 3c96905b-bca2-4336-9133-122c181ee7b6"),
        assigned("of-another", "principalId: a7c3f2d8-6b14-4e95-8d07-2f5e9c1b3a60"),
    ]
    .concat();
    let inventory = of(&[("all.yaml", &text)]);
    let names = |all: &[crate::model::Assignment]| all.iter().map(|one| one.object.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&inventory.identities[0].assignments), ["by-config", "by-id"]);
    assert_eq!(names(&inventory.unattached_assignments), ["of-another"]);
    assert_eq!(inventory.unattached_assignments[0].principal.as_deref(), Some("a7c3f2d8-6b14-4e95-8d07-2f5e9c1b3a60"));
}

#[test]
fn what_is_only_looked_at_is_no_inventory_of_its_own() {
    let context =
        [azure("shop", "orders"), account("shop", "other", "azure.workload.identity/client-id: 0e5a8b46-1c7d-4f92-a3e8-6b9d2f4c7a58")]
            .concat();
    let inventory = of(&[("context/accounts.yaml", &context), ("app.yaml", &deployment("shop", "orders", "orders"))]);
    assert_eq!(inventory.identities.iter().map(|one| one.id.as_deref()).collect::<Vec<_>>(), [Some(CLIENT)]);
}

#[test]
fn settings_federate_accounts() {
    let (survey, _) = survey(&[("all.yaml", &[account("shop", "orders", "a: b"), deployment("shop", "orders", "orders")].concat())]);
    assert!(take(&survey, &[]).identities.is_empty());
    let inventory = take(&survey, &[Glob::new("shop/*")]);
    assert_eq!((inventory.identities[0].id.as_deref(), inventory.identities[0].workloads), (None, 1));
}

#[test]
fn filters_leave_whole_identities() {
    let other = account("ops", "ops", "azure.workload.identity/client-id: 0e5a8b46-1c7d-4f92-a3e8-6b9d2f4c7a58");
    let text = [
        other,
        azure("shop", "orders"),
        deployment("shop", "orders", "orders"),
        deployment("shop", "reports", "orders"),
        binding("RoleBinding", "reads", "kind: ClusterRole, name: view", ORDERS),
        binding("RoleBinding", "edits", "kind: ClusterRole, name: edit", "kind: ServiceAccount, name: ops, namespace: ops"),
    ]
    .concat();
    let globs = |text: &str| vec![Glob::new(text)];
    for filter in [
        Filter { identities: globs("6f1d*"), ..Filter::default() },
        Filter { namespaces: globs("sh*"), ..Filter::default() },
        Filter { shared: true, ..Filter::default() },
    ] {
        let inventory = filter.apply(of(&[("all.yaml", &text)]));
        assert_eq!(inventory.identities.iter().map(|one| one.id.as_deref()).collect::<Vec<_>>(), [Some(CLIENT)], "{filter:?}");
        assert_eq!((inventory.identities[0].accounts.as_slice(), inventory.accounts.len()), (&[0][..], 1));
        assert_eq!(inventory.roles.iter().map(|role| role.name.as_str()).collect::<Vec<_>>(), ["view"]);
        assert_eq!(inventory.accounts[0].bindings[0].role, 0);
    }
    let nothing = Filter { shared: true, namespaces: globs("ops"), ..Filter::default() };
    assert!(nothing.apply(of(&[("all.yaml", &text)])).identities.is_empty());
}

/// Names that would leave their quotes, or move a cursor, in any of the forms.
const HOSTILE: &str = "a\\\"]:::x --> i9\\u001b[31m<b>|;%%\\n\\u202e#quot;{}()`&lt;";

fn hostile() -> Inventory {
    let object = |fields: &str| format!("---\n{fields}\n");
    let text = [
        object(&format!("{{\"apiVersion\": \"v1\", \"kind\": \"ServiceAccount\", \"metadata\": {{\"name\": \"{HOSTILE}\", \"namespace\": \"{HOSTILE}\", \"annotations\": {{\"azure.workload.identity/client-id\": \"{HOSTILE}\"}}}}}}")),
        object(&format!("{{\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\", \"metadata\": {{\"name\": \"{HOSTILE}\", \"namespace\": \"{HOSTILE}\"}}, \"spec\": {{\"template\": {{\"spec\": {{\"serviceAccountName\": \"{HOSTILE}\"}}}}}}}}")),
        object(&format!("{{\"apiVersion\": \"rbac.authorization.k8s.io/v1\", \"kind\": \"ClusterRoleBinding\", \"metadata\": {{\"name\": \"{HOSTILE}\"}}, \"roleRef\": {{\"kind\": \"ClusterRole\", \"name\": \"{HOSTILE}\"}}, \"subjects\": [{{\"kind\": \"ServiceAccount\", \"name\": \"{HOSTILE}\", \"namespace\": \"{HOSTILE}\"}}]}}")),
    ]
    .concat();
    let inventory = of(&[("a\"b]\u{1b}[31m\n.yaml", &text)]);
    assert_eq!((inventory.identities.len(), inventory.accounts[0].users.len(), inventory.accounts[0].bindings.len()), (1, 1, 1));
    inventory
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn hostile_names_stay_in_their_places() {
    let inventory = hostile();
    let outcome = Outcome::default();
    let tool = Tool { name: "fedward", version: "0", home: None };
    let of_people =
        written(|out| human(&inventory, &outcome, &Gate::default(), &Options { color: false, ..Options::default() }, out).unwrap());
    let of_json = written(|out| json(&inventory, &outcome, &tool, out).unwrap());
    let of_mermaid = written(|out| mermaid(&inventory, out).unwrap());
    let of_dot = written(|out| dot(&inventory, out).unwrap());
    for text in [&of_people, &of_json, &of_mermaid, &of_dot] {
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']), "{text}");
    }
    assert_eq!(of_json.lines().count(), 1);
    let back: Value = serde_json::from_str(&of_json).unwrap();
    let name: String = serde_json::from_str(&format!("\"{HOSTILE}\"")).unwrap();
    assert_eq!(back["accounts"][0]["name"], name.as_str());
    // Every line of a picture is of one of the forms that we write.
    let inner = |text: &str| text.chars().all(|letter| letter.is_alphanumeric() || " ./_:,()+=@-#;<>…".contains(letter));
    for line in of_mermaid.lines().skip(1).take_while(|line| !line.contains("classDef")) {
        let (Some(start), Some(end)) = (line.find('"'), line.rfind('"')) else {
            assert!(line.chars().all(|letter| letter.is_ascii_alphanumeric() || " ->".contains(letter)), "{line}");
            continue;
        };
        assert!(inner(&line[start + 1..end].replace("<br/>", " ")), "{line}");
        let ends = line[end..].starts_with("\"]:::") || line[end..].starts_with("\"| ");
        assert!(ends && !line[start + 1..end].replace("<br/>", "").contains(['<', '>']), "{line}");
    }
    for line in of_dot.lines().skip(3).filter(|line| line.contains("label=")) {
        // Outside of quotes no text of a name is left.
        let mut rest = line.replace("\\\\", "").replace("\\\"", "");
        while let Some(start) = rest.find('"') {
            let end = start + 1 + rest[start + 1..].find('"').expect("quotes are closed");
            rest.replace_range(start..=end, "");
        }
        assert!(rest.chars().all(|letter| letter.is_ascii_alphanumeric() || " ->[]=,;".contains(letter)), "{line}");
    }
}

#[test]
fn pictures_are_bounded_and_say_what_they_leave_out() {
    let many: String = (0..600)
        .map(|at| account("shop", &format!("a{at}"), &format!("azure.workload.identity/client-id: {at:08x}-1111-4111-8111-111111111111")))
        .collect();
    let inventory = of(&[("all.yaml", &many)]);
    assert_eq!(inventory.identities.len(), 600);
    let picture = written(|out| mermaid(&inventory, out).unwrap());
    assert!(picture.contains("more, which JSON has"), "{picture}");
    // What Mermaid draws where nobody sets it up: fewer than 50,000 characters, not more than 500 arrows.
    let long = "x".repeat(240);
    let wide: String = (0..60)
        .map(|at| {
            let bound = |role: usize| {
                binding(
                    "ClusterRoleBinding",
                    &format!("b{at}-{role}"),
                    &format!("kind: ClusterRole, name: r{role}"),
                    &format!("kind: ServiceAccount, name: '{long}{at}', namespace: shop"),
                )
            };
            [azure("shop", &format!("'{long}{at}'")), (0..20).map(bound).collect()].concat()
        })
        .collect();
    let wide = of(&[("all.yaml", &wide)]);
    for (inventory, boxes) in [(&inventory, 200), (&wide, 50)] {
        let picture = written(|out| mermaid(inventory, out).unwrap());
        let (drawn, arrows): (Vec<&str>, Vec<&str>) =
            picture.lines().filter(|line| !line.contains("classDef")).skip(1).partition(|line| !line.contains(" -->"));
        assert!(picture.len() < 50_000 && arrows.len() <= 499 && picture.contains("more, which JSON has"), "{}", picture.len());
        assert!(drawn.len() > boxes, "{} boxes in {} characters", drawn.len(), picture.len());
        let ids: std::collections::HashSet<&str> = drawn.iter().map(|line| line.trim().split('[').next().unwrap()).collect();
        for arrow in arrows {
            let ends = [arrow.trim().split(' ').next().unwrap(), arrow.rsplit(' ').next().unwrap()];
            assert!(ends.iter().all(|end| ids.contains(end)), "{arrow}");
        }
        let dotted = written(|out| dot(inventory, out).unwrap());
        assert!(dotted.lines().count() < 1_000 && dotted.contains("more, which JSON has"), "{}", dotted.lines().count());
    }
    let users: String = (0..50).map(|at| deployment("shop", &format!("d{at}"), "orders")).collect();
    let inventory = of(&[("all.yaml", &[azure("shop", "orders"), users].concat())]);
    assert!(tree(&inventory).contains("(+30 more; --verbose lists them)"));
    assert!(written(|out| dot(&inventory, out).unwrap()).contains("(+38 more)"));
}

#[test]
fn the_order_of_files_does_not_matter() {
    let files = [
        ("a.yaml", azure("shop", "orders")),
        ("b.yaml", deployment("shop", "orders", "orders")),
        ("c.yaml", credential("orders", "orders", "shop", "orders")),
        ("d.yaml", credential("reports", "reports", "shop", "reports")),
        ("e.yaml", binding("RoleBinding", "reads", "kind: ClusterRole, name: view", ORDERS)),
    ];
    let mut files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let first = of(&files);
    files.reverse();
    assert_eq!(first, of(&files));
}

#[test]
fn no_secret_is_shown() {
    let issuer = credential("orders", "orders", "shop", "orders").replace("https://oidc", "https://user:pa55word@oidc");
    let secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nstringData: {password: pa55word\n";
    let (survey, outcome) = survey(&[("all.yaml", &[azure("shop", "orders"), issuer].concat()), ("broken.yaml", secret)]);
    let inventory = take(&survey, &[]);
    assert_eq!(outcome.findings.len(), 1);
    let tool = Tool { name: "fedward", version: "0", home: None };
    for text in [
        written(|out| human(&inventory, &outcome, &Gate::default(), &Options { verbose: true, ..Options::default() }, out).unwrap()),
        written(|out| json(&inventory, &outcome, &tool, out).unwrap()),
        written(|out| mermaid(&inventory, out).unwrap()),
    ] {
        assert!(!text.contains("pa55word"), "{text}");
    }
}

#[test]
fn the_json_is_what_its_schema_says() {
    let checked = jsonschema::validator_for(&schema()).unwrap();
    let tool = Tool { name: "fedward", version: "0", home: None };
    let text = [
        azure("shop", "orders"),
        credential("orders", "orders", "shop", "orders"),
        binding("RoleBinding", "r", "kind: ClusterRole, name: edit", ORDERS),
    ]
    .concat();
    let broken = ("broken.yaml", "apiVersion: v1\nkind: Pod\n a: [\n");
    for files in [vec![("all.yaml", text.as_str()), broken], vec![]] {
        let (survey, outcome) = survey(&files);
        let document = written(|out| json(&take(&survey, &[]), &outcome, &tool, out).unwrap());
        let document: Value = serde_json::from_str(&document).unwrap();
        let errors: Vec<String> = checked.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(document["summary"]["problems"], files.len() / 2);
    }
    let mut hostile: Value = serde_json::from_str(&written(|out| json(&hostile(), &Outcome::default(), &tool, out).unwrap())).unwrap();
    assert!(checked.is_valid(&hostile));
    hostile["identities"][0]["cloud"] = "moon".into();
    assert!(!checked.is_valid(&hostile));
}

/// Bindings of a group that are not listed give their rights all the same.
#[test]
fn power_is_that_of_all_bindings_of_a_group() {
    let group = "kind: Group, name: 'system:serviceaccounts'";
    let mut text = azure("shop", "orders");
    for number in 0..30 {
        text.push_str(&binding("ClusterRoleBinding", &format!("view-{number:02}"), "kind: ClusterRole, name: view", group));
    }
    assert_eq!(of(&[("all.yaml", &text)]).accounts[0].power, Power::Plain);
    text.push_str(&binding("ClusterRoleBinding", "z", "kind: ClusterRole, name: cluster-admin", group));
    let inventory = of(&[("all.yaml", &text)]);
    let account = &inventory.accounts[0];
    assert_eq!((account.power, account.bindings.len(), account.bindings_more), (Power::ClusterAdmin, 20, 11));
}

/// eksctl makes the account, the role and its trust policy, or an association.
#[test]
fn accounts_of_eksctl_have_roles() {
    let config = "---\napiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: blue}\niam:\n  serviceAccounts:\n    - metadata: {name: orders, namespace: shop}\n    - metadata: {name: reports, namespace: shop}\n      attachRoleARN: 'arn:aws:iam::111122223333:role/reports'\n  podIdentityAssociations:\n    - {namespace: shop, serviceAccountName: invoices, roleARN: 'arn:aws:iam::111122223333:role/invoices'}\n    - {namespace: shop, serviceAccountName: carts}\n";
    let want = "\
AWS role arn:aws:iam::111122223333:role/invoices: no workload uses it
├─ pod identity association blue lets in shop/invoices  all.yaml:11
├─ service account shop/invoices (not among the files)
│  └─ no workload among the files runs as it
└─ not known: what one of its service accounts says: it is not among the files

AWS role arn:aws:iam::111122223333:role/reports: no workload uses it
├─ trust policy blue lets in system:serviceaccount:shop:reports  all.yaml:8
├─ service account shop/reports (not among the files)
│  └─ no workload among the files runs as it
└─ not known: what one of its service accounts says: it is not among the files
";
    let all = tree(&of(&[("all.yaml", config)]));
    assert!(all.contains(want), "{all}");
    let unknown: Vec<&str> = all.lines().filter(|line| line.starts_with("AWS role") && !line.contains("arn:")).collect();
    assert_eq!(unknown.len(), 2, "{all}");
    for entry in ["trust policy blue lets in system:serviceaccount:shop:orders  all.yaml:7", "lets in shop/carts  all.yaml:12"] {
        assert!(all.contains(entry), "{entry}: {all}");
    }
    // An account that names the role which eksctl made for it has one identity, and so has one that does not.
    let arn = "eks.amazonaws.com/role-arn: 'arn:aws:iam::111122223333:role/orders'";
    for (mark, id) in [(arn, Some("arn:aws:iam::111122223333:role/orders")), ("x: y", None)] {
        let inventory = of(&[("all.yaml", &[config.to_owned(), account("shop", "orders", mark)].concat())]);
        let of_orders = |identity: &&crate::model::Identity| identity.accounts.iter().any(|at| inventory.accounts[*at].name == "orders");
        let found: Vec<_> = inventory.identities.iter().filter(of_orders).map(|one| (one.id.as_deref(), one.credentials.len())).collect();
        assert_eq!(found, [(id, 1)]);
    }
}

/// Beyond what is compared it is said that there may be more, and whether there are several is right all the same.
#[test]
fn what_is_not_counted_is_said() {
    let argo =
        [azure("argocd", "argocd"), deployment("argocd", "argocd-server", "argocd"), deployment("argocd", "argocd-repo-server", "argocd")];
    let two = [azure("shop", "orders"), azure("shop", "reports"), deployment("shop", "a", "orders"), deployment("shop", "b", "reports")];
    for (text, workloads, shared, may_be_more) in [(argo.concat(), 1, false, false), (two.concat(), 2, true, false)] {
        let (survey, _) = survey(&[("all.yaml", &text)]);
        for most in [usize::MAX, 0] {
            let inventory = crate::take_within(&survey, &[], most);
            let identity = &inventory.identities[0];
            assert_eq!((identity.workloads, identity.shared), (workloads, shared), "{most}");
            assert_eq!(identity.not_known.iter().any(|text| text.contains("at least")), may_be_more, "{most}");
        }
    }
    let more = [two.concat(), deployment("shop", "c", "orders"), deployment("shop", "d", "orders")].concat();
    let inventory = crate::take_within(&survey(&[("all.yaml", &more)]).0, &[], 0);
    assert_eq!(inventory.identities[0].workloads, 3);
    assert!(tree(&inventory).contains("how many workloads use it: at least 3"), "{}", tree(&inventory));
}

/// A role that names every account is looked at once, not once for each.
#[test]
fn one_role_for_all_accounts_takes_no_square_of_them() {
    const ACCOUNTS: usize = 8_000;
    let subjects: Vec<String> = (0..ACCOUNTS).map(|number| format!("system:serviceaccount:shop:account-{number}")).collect();
    let document = json!({"Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.clusters.example/blue"},
        "Condition": {"StringEquals": {"oidc.clusters.example/blue:sub": subjects}},
    }]});
    let role = json!({
        "apiVersion": "iam.services.k8s.aws/v1alpha1", "kind": "Role", "metadata": {"name": "all", "namespace": "aws"},
        "spec": {"name": "all", "assumeRolePolicyDocument": document.to_string()},
    });
    let mut text = format!("{role}\n");
    for number in 0..ACCOUNTS {
        text.push_str(&format!("---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: account-{number}, namespace: shop}}\n"));
    }
    let (survey, _) = survey(&[("all.yaml", &text)]);
    let start = std::time::Instant::now();
    let inventory = take(&survey, &[]);
    assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!((inventory.identities.len(), inventory.identities[0].accounts.len()), (1, ACCOUNTS));
}

/// Files that are deployed: by the cluster that each goes to, or nowhere.
fn deployed(files: &[(&str, &str, &str)]) -> Inventory {
    let mut deployments = Vec::new();
    let input = |(cluster, name, text): &(&str, &str, &str)| {
        let role = if cluster.is_empty() {
            Role::Judged
        } else {
            deployments.push(Deployment {
                cluster: (*cluster).to_owned(),
                name: (*name).to_owned(),
                namespace: String::new(),
                is_judged: true,
                is_whole: true,
            });
            Role::Deployed(deployments.len() - 1)
        };
        Input { name: (*name).to_owned(), bytes: text.as_bytes().to_vec(), named: true, role }
    };
    let inputs = files.iter().map(input).collect();
    take(&Survey::new(inputs, &Reading { threads: 1, deployments, ..Reading::default() }).0, &[])
}

#[test]
fn what_is_deployed_to_another_cluster_is_something_else() {
    let other = "0e5a8b46-1c7d-4f92-a3e8-6b9d2f4c7a58";
    let app = |client: &str| {
        [account("shop", "orders", &format!("azure.workload.identity/client-id: {client}")), deployment("shop", "orders", "orders")]
            .concat()
    };
    // The credentials stand beside all clusters, and are seen from each.
    let credentials = credential("orders", "orders", "shop", "orders");
    let inventory =
        deployed(&[("blue", "blue.yaml", &app(CLIENT)), ("green", "green.yaml", &app(CLIENT)), ("", "cloud.yaml", &credentials)]);
    let want = format!(
        "\
Azure identity {CLIENT} (orders, by the account that its credentials let in): 1 workload uses it
├─ federated credential orders lets in system:serviceaccount:shop:orders  cloud.yaml:4
│  └─ with tokens of https://oidc.clusters.example/blue
├─ service account shop/orders in blue  blue.yaml:4
│  └─ Deployment shop/orders  blue.yaml:8
├─ service account shop/orders in green  green.yaml:4
│  └─ Deployment shop/orders  green.yaml:8
└─ not known: of which cluster the account is that a credential lets in: no file says whose issuer it names

"
    );
    assert_eq!(tree(&inventory), want);
    assert_eq!(inventory.identities[0].credentials[0].account, None);
    let inventory = deployed(&[("blue", "blue.yaml", &app(CLIENT)), ("", "cloud.yaml", &credentials)]);
    assert_eq!(inventory.identities[0].credentials[0].account, Some(0), "there is no other");
    assert_eq!(inventory.identities[0].not_known, [""; 0]);
    // What is missing in one cluster is not what is missing in another.
    let alone = [deployment("shop", "orders", "orders"), credential("orders", "orders", "shop", "orders")].concat();
    let inventory = deployed(&[("blue", "blue.yaml", &alone), ("green", "green.yaml", &app(other))]);
    let told: Vec<_> = inventory.accounts.iter().map(|one| (one.cluster.as_str(), one.state, one.users.len())).collect();
    assert_eq!(told, [("blue", AccountState::Absent, 1), ("green", AccountState::Declared, 1)]);
}

#[test]
fn objects_of_one_name_in_two_clusters_make_two_identities() {
    let made = |client: &str| {
        format!(
            "---\napiVersion: managedidentity.azure.com/v1api20230131\nkind: UserAssignedIdentity\nmetadata: {{name: orders, namespace: azure}}\nstatus: {{clientId: {client}}}\n{}",
            credential("orders", "orders", "shop", "orders")
        )
    };
    let other = "0e5a8b46-1c7d-4f92-a3e8-6b9d2f4c7a58";
    let inventory = deployed(&[("blue", "blue.yaml", &made(CLIENT)), ("green", "green.yaml", &made(other))]);
    let told: Vec<_> = inventory.identities.iter().map(|one| (one.id.as_deref().unwrap(), one.credentials.len())).collect();
    assert_eq!(told, [(other, 1), (CLIENT, 1)]);
}

#[test]
fn roles_are_filled_in_each_cluster_alone() {
    let bound = binding("ClusterRoleBinding", "orders", "kind: ClusterRole, name: gathered", ORDERS);
    let gathered = "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: gathered}\naggregationRule: {clusterRoleSelectors: [{matchLabels: {to: gathered}}]}\n";
    let part = |verb: &str| {
        format!(
            "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: part, labels: {{to: gathered}}}}\nrules: [{{apiGroups: [''], resources: [pods], verbs: [{verb}]}}]\n"
        )
    };
    let all = |verb: &str| [azure("shop", "orders").as_str(), &bound, gathered, &part(verb)].concat();
    let inventory = deployed(&[("blue", "blue.yaml", &all("get")), ("green", "green.yaml", &all("list"))]);
    let verbs: Vec<_> = inventory
        .accounts
        .iter()
        .map(|one| &inventory.roles[one.bindings[0].role].rules)
        .map(|rules| rules.iter().map(|rule| rule.verbs.concat()).collect::<Vec<_>>())
        .collect();
    assert_eq!(verbs, [["get"], ["list"]]);
}
