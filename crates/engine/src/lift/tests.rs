//! What whole documents become. What rules say of them is in `fixtures/rules`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::Arc;

use fedward_manifest::{Document, Limits, Source, Span, parse, split};
use serde_json::{Value, json};

use super::{Lifted, Made, lift, terraform};

struct Found {
    source: Arc<Source>,
    made: Made,
}

fn read(text: &str) -> (Arc<Source>, Document) {
    let source = Arc::new(Source::from_text("shop.json", text.to_owned()).unwrap());
    let limits = Limits::default();
    let document = parse(&source, split(&source, &limits).chunks[0], &limits).document.unwrap();
    (source, document)
}

fn lifted(text: &str) -> Found {
    let (source, document) = read(text);
    match lift(&document, "shop", &Limits::default()) {
        Lifted::Objects(made) => Found { source, made },
        Lifted::NotUnderstood(why) => panic!("not understood: {why}"),
        Lifted::No => panic!("not recognised"),
    }
}

fn refused(text: &str) -> String {
    match lift(&read(text).1, "shop", &Limits::default()) {
        Lifted::NotUnderstood(why) => why,
        Lifted::Objects(_) => panic!("understood"),
        Lifted::No => panic!("not recognised"),
    }
}

impl Found {
    /// Kind, name and `spec` of every object.
    fn objects(&self) -> Vec<(String, String, Value)> {
        let all = self.made.documents.iter().map(|document| {
            let mut json = Vec::new();
            document.root().write_json(&mut json);
            let mut object: Value = serde_json::from_slice(&json).unwrap();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&object["kind"]), text(&object["metadata"]["name"]), object["spec"].take())
        });
        all.collect()
    }

    fn specs(&self) -> Vec<Value> {
        self.objects().into_iter().map(|(.., spec)| spec).collect()
    }

    /// The text of the file at a place in the `spec` of an object.
    fn at(&self, number: usize, pointer: &str) -> &str {
        let document = &self.made.documents[number];
        let pointer = format!("/spec{pointer}");
        let lookup = document.root().pointer(&pointer);
        assert!(lookup.is_exact(), "{pointer}");
        self.source.slice(lookup.node.span())
    }
}

/// A template with these resources, variables and parameters.
fn template(resources: &Value, variables: &Value, parameters: &Value) -> String {
    let schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";
    json!({ "$schema": schema, "parameters": parameters, "variables": variables, "resources": resources }).to_string()
}

fn credential(name: &str, more: Value) -> Value {
    let mut resource = json!({
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials", "name": name, "properties": { "subject": name },
    });
    resource.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    resource
}

#[test]
fn resources_of_every_form_are_found() {
    let resources = json!({
        "identity": {
            "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "name": "shop", "location": "[variables('place')]",
            "resources": [{ "type": "federatedIdentityCredentials", "name": "inside", "properties": {} }],
        },
        "one": credential("shop/one", json!({})),
        "there": credential("shop/there", json!({ "existing": true })),
        "off": credential("shop/off", json!({ "condition": false })),
        "maybe": credential("shop/maybe", json!({ "condition": "[parameters('maybe')]" })),
        "module": {
            "type": "Microsoft.Resources/deployments", "name": "module",
            "properties": {
                "expressionEvaluationOptions": { "scope": "inner" },
                "parameters": { "identity": { "value": "[variables('other')]" } },
                "template": {
                    "parameters": { "identity": { "type": "string" } },
                    "resources": [credential("[format('{0}/{1}', parameters('identity'), 'two')]", json!({}))],
                },
            },
        },
        "elsewhere": {
            "type": "Microsoft.Resources/deployments", "name": "elsewhere", "resourceGroup": "[parameters('group')]",
            "properties": { "template": { "resources": [credential("shop/three", json!({}))] } },
        },
    });
    let found = lifted(&template(&resources, &json!({ "place": "malaysiasouth", "other": "till" }), &json!({})));
    let names: Vec<_> = found
        .objects()
        .into_iter()
        .map(|(kind, name, spec)| {
            assert_eq!(kind, "FederatedCredential");
            (name, spec["name"].as_str().unwrap().to_owned(), spec["parent"].as_str().unwrap_or("-").to_owned(), spec["region"].is_string())
        })
        .collect();
    let want = [
        ("shop/inside", "inside", "shop", true),
        ("shop/one", "one", "shop", true),
        // Whether the identity has it is decided elsewhere.
        ("shop/maybe", "maybe", "-", true),
        ("till/two", "two", "till", false),
        ("shop/three", "three", "[identity('shop.json:0', '(0:parameters('group'))/', shop)]", false),
    ];
    let want: Vec<_> = want.map(|(name, own, parent, region)| (name.to_owned(), own.to_owned(), parent.to_owned(), region)).into();
    // Resources are in the order of the document, which `json!` sorts by their names.
    let sorted = |mut all: Vec<_>| {
        all.sort();
        all
    };
    assert_eq!(sorted(names), sorted(want));
}

#[test]
fn expressions_are_followed_to_what_is_written() {
    let resources = json!([credential(
        "[format('{0}/{1}', parameters('identity'), variables('names')[0])]",
        json!({ "properties": {
            "issuer": "[variables('cluster').issuer]",
            "subject": "[concat('system:serviceaccount:', variables('namespace'), ':till')]",
            "audiences": "[variables('audiences')]",
            "description": "[[till]",
            "claimsMatchingExpression": { "value": "[parameters('claims')]", "languageVersion": 1 },
        } })
    )]);
    let variables = json!({
        "names": ["till"], "cluster": { "issuer": "http://oidc.clusters.example" }, "namespace": "shop",
        "audiences": ["api://one", "[variables('last')]"], "last": "api://two",
    });
    let found = lifted(&template(&resources, &variables, &json!({ "identity": { "defaultValue": "shop" } })));
    let spec = json!({
        "name": "till", "parent": "[identity('shop.json:0', '', (0:parameters('identity')))]", "issuer": "http://oidc.clusters.example",
        "subject": "system:serviceaccount:shop:till", "audiences": ["api://one", "api://two"], "description": "[till]",
        "claimsMatchingExpression": { "value": "[parameters('claims')]", "languageVersion": 1 },
    });
    assert_eq!(found.specs(), [spec]);
    assert_eq!(found.at(0, "/issuer"), "\"http://oidc.clusters.example\"");
    assert_eq!(found.at(0, "/subject"), "\"[concat('system:serviceaccount:', variables('namespace'), ':till')]\"");
    assert_eq!(found.at(0, "/audiences/1"), "\"api://two\"");
    assert_eq!(found.at(0, "/claimsMatchingExpression/value"), "\"[parameters('claims')]\"");
}

#[test]
fn values_that_lead_to_themselves_end() {
    let resources =
        json!([credential("shop/till", json!({ "properties": { "audiences": "[variables('a')]", "issuer": "[variables('c')]" } }))]);
    let variables = json!({
        "a": ["[variables('a')]", "[variables('b')]"], "b": { "x": "[variables('a')]", "y": "[variables('a')]" }, "c": "[variables('c')]",
    });
    assert_eq!(lifted(&template(&resources, &variables, &json!({}))).made.documents.len(), 1);
}

/// The names beside which each credential may be made.
fn beside(resources: &Value) -> Vec<(String, Vec<String>)> {
    let found = lifted(&template(resources, &json!({ "identity": "shop" }), &json!({})));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = found.objects().into_iter().map(|(_, name, spec)| {
        let others = spec["beside"].as_array().into_iter().flatten().map(text);
        (name, others.chain(spec.get("parallel").map(|copy| format!("loop {}", text(copy)))).collect::<Vec<_>>())
    });
    all.filter(|(_, others)| !others.is_empty()).collect()
}

#[test]
fn what_no_dependency_orders_is_made_at_the_same_time() {
    let id = |name: &str| {
        format!("[resourceId('Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials', 'shop', '{name}')]")
    };
    let link = json!({ "type": "Microsoft.Storage/storageAccounts", "name": "link", "dependsOn": ["[concat('shop', '/a')]"] });
    let after = |name: &str, on: &str| credential(name, json!({ "dependsOn": [on] }));
    let none: Vec<(String, Vec<String>)> = Vec::new();
    let pair = |name: &str, others: &[&str]| vec![(name.to_owned(), others.iter().map(|other| (*other).to_owned()).collect::<Vec<_>>())];
    let (a, b) = (|| credential("shop/a", json!({})), || credential("shop/b", json!({})));
    for (resources, want) in [
        (json!([a(), b()]), pair("shop/b", &["shop/a"])),
        (json!([a(), credential("till/b", json!({}))]), none.clone()),
        (json!([a(), after("shop/b", &id("a"))]), none.clone()),
        (json!([after("shop/a", &id("B")), b()]), none.clone()),
        (json!([a(), link, after("shop/b", "[resourceId('Microsoft.Storage/storageAccounts', 'link')]")]), none.clone()),
        (
            json!([
                a(),
                after(
                    "shop/b",
                    "[concat('Microsoft.ManagedIdentity/userAssignedIdentities/', variables('identity'), '/federatedIdentityCredentials/a')]"
                )
            ]),
            none.clone(),
        ),
        (json!([a(), after("shop/b", "[variables('elsewhere')]")]), none.clone()),
        (json!([a(), after("shop/b", "shop/a"), after("shop/c", "shop/a")]), pair("shop/c", &["shop/b"])),
        (json!([a(), credential("shop/b", json!({ "condition": "[parameters('b')]" }))]), none.clone()),
        (json!({ "one": a(), "two": after("shop/b", "one") }), none.clone()),
        (json!({ "one": a(), "two": credential("[concat(variables('identity'), '/b')]", json!({})) }), pair("shop/b", &["shop/a"])),
        (
            json!([credential("[format('shop/{0}', copyIndex())]", json!({ "copy": { "name": "all", "count": 3 } }))]),
            pair("[format('shop/{0}', copyIndex())]", &["loop all"]),
        ),
        (
            json!([credential(
                "[format('shop/{0}', copyIndex())]",
                json!({ "copy": { "name": "all", "count": 3, "mode": "Serial", "batchSize": 2 } })
            )]),
            pair("[format('shop/{0}', copyIndex())]", &["loop all"]),
        ),
        (
            json!([
                credential("[format('shop/{0}', copyIndex())]", json!({ "copy": { "name": "all", "count": 3, "mode": "serial" } })),
                after("shop/b", "all")
            ]),
            none.clone(),
        ),
        (json!([credential("[format('shop/{0}', copyIndex())]", json!({ "copy": { "name": "all", "count": 1 } }))]), none.clone()),
        (
            json!([credential(
                "[format('{0}/a', variables('ids')[copyIndex()])]",
                json!({ "copy": { "name": "all", "count": "[length(variables('ids'))]" } })
            )]),
            none.clone(),
        ),
    ] {
        assert_eq!(beside(&resources), want, "{resources}");
    }
}

#[test]
fn a_clusters_identities_are_those_of_credentials() {
    let cluster = json!({
        "type": "Microsoft.ContainerService/managedClusters", "name": "shop",
        "identity": { "type": "UserAssigned", "userAssignedIdentities": {
            "[format('{0}', resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', variables('identity')))]": {}, "/subscriptions/x/a": {},
        } },
        "properties": { "identityProfile": { "kubeletidentity": { "resourceId": "[resourceId('other', 'Microsoft.ManagedIdentity/userAssignedIdentities', 'a')]" } } },
    });
    let found = lifted(&template(&json!([cluster]), &json!({ "identity": "shop" }), &json!({})));
    let want = json!({
        "name": "shop",
        "identity": { "type": "UserAssigned", "userAssignedIdentities": [{ "reference": { "armId": "/subscriptions/x/a" } }, { "reference": { "name": "shop" } }] },
        "identityProfile": { "kubeletidentity": { "resourceReference": { "name": "[resourceId('other', 'Microsoft.ManagedIdentity/userAssignedIdentities', 'a')]" } } },
    });
    assert_eq!(found.specs(), [want]);
}

#[test]
fn a_template_of_a_subscription_assigns_there() {
    let assignment = json!({ "type": "Microsoft.Authorization/roleAssignments", "name": "a", "properties": { "roleDefinitionId": "b" } });
    let scoped =
        json!({ "type": "Microsoft.Authorization/roleAssignments", "name": "c", "scope": "Microsoft.KeyVault/vaults/v", "properties": {} });
    let text = template(&json!([assignment, scoped]), &json!({}), &json!({}));
    let scopes = |text: &str| lifted(text).specs().iter().map(|spec| spec["scope"].as_str().map(str::to_owned)).collect::<Vec<_>>();
    assert_eq!(scopes(&text), [None, Some("Microsoft.KeyVault/vaults/v".to_owned())]);
    let text = text.replace("deploymentTemplate", "subscriptionDeploymentTemplate");
    assert_eq!(scopes(&text), [Some("/subscriptions/(this)".to_owned()), Some("Microsoft.KeyVault/vaults/v".to_owned())]);
}

/// A plan with these instances: type, values, what is not known, what is secret.
fn plan(instances: &[(&str, Value, Value, Value)]) -> String {
    let address = |kind: &str, number: usize| format!("{kind}.all[{number}]");
    let resources: Vec<Value> = instances
        .iter()
        .enumerate()
        .map(|(number, (kind, values, ..))| json!({ "address": address(kind, number), "mode": "managed", "type": kind, "values": values }))
        .collect();
    let changes: Vec<Value> = instances
        .iter()
        .enumerate()
        .map(|(number, (kind, values, unknown, secret))| {
            json!({ "address": address(kind, number), "change": { "after": values, "after_unknown": unknown, "after_sensitive": secret } })
        })
        .collect();
    json!({
        "format_version": "1.2", "terraform_version": "1.9.5", "variables": { "pin": { "value": "4711-variable" } },
        "planned_values": { "outputs": { "pin": { "sensitive": true, "value": "4711-output" } }, "root_module": { "resources": resources } },
        "resource_changes": changes, "prior_state": { "values": { "root_module": {} } },
    })
    .to_string()
}

#[test]
fn what_a_plan_does_not_know_is_said() {
    let credential = "azurerm_federated_identity_credential";
    let values = json!({ "name": "till", "audience": ["api://a", null], "issuer": "https://oidc.example", "description": null });
    let found = lifted(&plan(&[
        (credential, values.clone(), json!({ "audience": [false, true], "parent_id": true, "subject": true }), json!({})),
        (credential, values, json!(true), json!({})),
        (
            "azurerm_role_assignment",
            json!({ "role_definition_name": "Owner", "scope": "/" }),
            json!({ "role_definition_id": true, "principal_id": true }),
            json!({}),
        ),
        (
            "azurerm_kubernetes_cluster_extension",
            json!({ "extension_type": "Microsoft.ArgoCD", "configuration_settings": { "a": "b" } }),
            json!({ "configuration_settings": { "c": true } }),
            json!({}),
        ),
    ]));
    let unknown = "(known after apply)";
    let want = [
        json!({ "name": "till", "issuer": "https://oidc.example", "subject": unknown, "audiences": ["api://a", unknown] }),
        json!({ "name": unknown, "issuer": unknown, "subject": unknown, "audiences": unknown }),
        json!({ "principalId": unknown, "principalType": unknown, "scope": "/", "condition": unknown, "roleDefinitionName": "Owner" }),
        json!({ "name": unknown, "extensionType": "Microsoft.ArgoCD", "configurationSettings": { "a": "b", "c": unknown } }),
    ];
    assert_eq!(found.specs(), want);
    assert_eq!(found.objects()[1].1, "azurerm_federated_identity_credential.all[1]");
    assert!(found.made.generated);
}

#[test]
fn what_is_secret_is_neither_read_nor_shown() {
    let text = plan(&[
        (
            "azurerm_federated_identity_credential",
            json!({ "name": "till", "subject": "4711-subject" }),
            json!({}),
            json!({ "subject": true }),
        ),
        (
            "aws_iam_openid_connect_provider",
            json!({ "url": "https://a.example", "client_id_list": ["b", "4711-audience"] }),
            json!({}),
            json!({ "client_id_list": [false, true] }),
        ),
        ("random_password", json!({ "result": "4711-password" }), json!({}), json!({})),
    ]);
    let found = lifted(&text);
    let specs = found.specs();
    assert_eq!(specs[0]["subject"], "(sensitive value)");
    assert_eq!(specs[1], json!({ "url": "https://a.example", "clientIDs": ["b", "(sensitive value)"] }));
    assert!(!format!("{specs:?}").contains("4711"));
    let mut spans: Vec<Span> = Vec::new();
    terraform::secrets(read(&text).1.root(), &mut spans);
    for (at, _) in text.match_indices("4711") {
        assert!(spans.iter().any(|span| (span.start as usize..span.end as usize).contains(&at)), "{}", &text[at..at + 12]);
    }
    let shown = text.find("\"till\"").unwrap();
    assert!(!spans.iter().any(|span| (span.start as usize..span.end as usize).contains(&shown)));
}

#[test]
fn modules_and_instances_of_a_state() {
    let instance = |address: &str, more: Value| {
        let mut all =
            json!({ "address": address, "mode": "managed", "type": "aws_eks_pod_identity_association", "values": { "namespace": "shop" } });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let inner = json!({ "address": "module.a.module.b", "resources": [instance("module.a.module.b.aws_eks_pod_identity_association.x", json!({ "index": "till" }))] });
    let module = json!({ "resources": [instance("module.a.aws_eks_pod_identity_association.x", json!({}))], "child_modules": [inner] });
    let root = json!({
        "resources": [
            instance("aws_eks_pod_identity_association.x", json!({ "index": 0 })),
            instance("data.aws_eks_pod_identity_association.x", json!({ "mode": "data" })),
            instance("aws_eks_pod_identity_association.old", json!({ "deposed_key": "4711" })),
        ],
        "child_modules": [module],
    });
    let found = lifted(&json!({ "format_version": "1.0", "terraform_version": "1.9.5", "values": { "root_module": root } }).to_string());
    let names: Vec<String> = found.objects().into_iter().map(|(_, name, _)| name).collect();
    let want = [
        "aws_eks_pod_identity_association.x",
        "module.a.aws_eks_pod_identity_association.x",
        "module.a.module.b.aws_eks_pod_identity_association.x",
    ];
    assert_eq!(names, want);
}

#[test]
fn instances_become_what_the_policies_read() {
    let policy = r#"{"Statement": [{"Action": "sts:AssumeRole"}]}"#;
    let id = "/subscriptions/a/resourceGroups/b/providers/Microsoft.ManagedIdentity/userAssignedIdentities/c";
    let cluster = json!({
        "name": "shop", "oidc_issuer_enabled": false, "workload_identity_enabled": true, "local_account_disabled": null,
        "azure_active_directory_role_based_access_control": [{ "admin_group_object_ids": ["g"] }],
        "identity": [{ "type": "UserAssigned", "identity_ids": [id] }], "kubelet_identity": [{ "user_assigned_identity_id": id }],
    });
    let instances = [
        ("aws_iam_role", json!({ "name": "till", "assume_role_policy": policy })),
        ("aws_iam_openid_connect_provider", json!({ "url": "oidc.example/a", "client_id_list": ["sts.amazonaws.com"] })),
        ("azurerm_kubernetes_cluster", cluster),
        ("azurerm_user_assigned_identity", json!({ "id": id, "location": "malaysiasouth" })),
        (
            "azurerm_federated_identity_credential",
            json!({ "name": "a", "issuer": "i", "subject": "s", "audience": ["x"], "parent_id": id.to_uppercase() }),
        ),
        (
            "aws_eks_access_policy_association",
            json!({ "cluster_name": "c", "principal_arn": "p", "policy_arn": "a", "access_scope": [{ "type": "cluster", "namespaces": null }] }),
        ),
        ("google_service_account_iam_binding", json!({ "service_account_id": "sa", "role": "r", "members": ["m"] })),
        ("google_service_account_iam_member", json!({ "service_account_id": "sa", "role": "r", "member": "m" })),
        (
            "google_iam_workload_identity_pool_provider",
            json!({ "workload_identity_pool_id": "p", "oidc": [{ "issuer_uri": "https://i.example", "allowed_audiences": ["a"] }], "aws": [], "attribute_mapping": { "google.subject": "assertion.sub" }, "attribute_condition": null }),
        ),
        (
            "azapi_resource",
            json!({ "type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2023-01-31", "name": "a", "parent_id": id, "body": { "properties": { "issuer": "i", "subject": "s", "audiences": ["x"] } } }),
        ),
        (
            "azapi_resource",
            json!({ "type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2022-01-31-preview", "name": "a", "parent_id": id, "body": "{\"properties\": {\"issuer\": \"i\"}}" }),
        ),
        ("azapi_resource", json!({ "type": "Microsoft.Storage/storageAccounts@2023-01-01", "body": {} })),
        ("aws_iam_role", json!({ "name": "broken", "assume_role_policy": "{" })),
    ];
    let resources: Vec<Value> = instances
        .iter()
        .map(|(kind, values)| json!({ "address": format!("{kind}.x"), "mode": "managed", "type": kind, "values": values, "sensitive_values": {} }))
        .collect();
    let text = json!({ "format_version": "1.0", "values": { "root_module": { "resources": resources } } }).to_string();
    let found = lifted(&text);
    let on = json!({ "kind": "IAMServiceAccount", "external": "sa" });
    let reference = json!({ "armId": id });
    let want = [
        ("AssumeRolePolicy", json!({ "name": "till", "document": { "Statement": [{ "Action": "sts:AssumeRole" }] } })),
        ("OpenIDConnectProvider", json!({ "clientIDs": ["sts.amazonaws.com"], "url": "https://oidc.example/a" })),
        (
            "ManagedCluster",
            json!({
                "name": "shop", "oidcIssuerProfile": { "enabled": false }, "securityProfile": { "workloadIdentity": { "enabled": true } },
                "aadProfile": { "adminGroupObjectIDs": ["g"] }, "identity": { "type": "UserAssigned", "userAssignedIdentities": [{ "reference": reference }] },
                "identityProfile": { "kubeletidentity": { "resourceReference": reference } },
            }),
        ),
        (
            "FederatedCredential",
            json!({ "name": "a", "issuer": "i", "subject": "s", "audiences": ["x"], "parent": id.to_uppercase(), "region": "malaysiasouth" }),
        ),
        (
            "AccessEntry",
            json!({ "clusterName": "c", "principalARN": "p", "accessPolicies": [{ "policyARN": "a", "accessScope": { "type": "cluster" } }] }),
        ),
        ("IAMPolicy", json!({ "bindings": [{ "role": "r", "members": ["m"] }], "resourceRef": on })),
        ("IAMPolicyMember", json!({ "member": "m", "role": "r", "resourceRef": on })),
        (
            "IAMWorkloadIdentityPoolProvider",
            json!({
                "attributeMapping": { "google.subject": "assertion.sub" }, "workloadIdentityPoolRef": { "external": "p" },
                "oidc": { "issuerUri": "https://i.example", "allowedAudiences": ["a"] },
            }),
        ),
        (
            "FederatedCredential",
            json!({ "name": "a", "parent": id, "region": "malaysiasouth", "issuer": "i", "subject": "s", "audiences": ["x"] }),
        ),
        ("FederatedCredential", json!({ "name": "a", "parent": id, "region": "malaysiasouth", "issuer": "i" })),
    ];
    let objects: Vec<(String, Value)> = found.objects().into_iter().map(|(kind, _, spec)| (kind, spec)).collect();
    let want: Vec<(String, Value)> = want.into_iter().map(|(kind, spec)| (kind.to_owned(), spec)).collect();
    assert_eq!(objects, want);
    // In a text inside the document a place is in the document.
    assert_eq!(found.at(0, "/document/Statement/0/Action"), "\\\"sts:AssumeRole\\\"");
    assert_eq!(found.at(9, "/issuer"), "\\\"i\\\"");
    let left_out: Vec<&str> = found.made.left_out.iter().map(|(_, why)| why.as_str()).collect();
    assert_eq!(left_out, ["`aws_iam_role.x`: `assume_role_policy` is no JSON"]);
}

#[test]
fn what_is_not_understood_says_why() {
    for (document, want) in [
        (
            json!({ "format_version": "1.0" }),
            "a Terraform document without federated credentials, trust policies, role assignments or clusters",
        ),
        (
            json!({ "format_version": "1.0", "values": { "root_module": { "resources": [] } } }),
            "a Terraform document without federated credentials, trust policies, role assignments or clusters",
        ),
        (json!({ "format_version": "2.0", "values": {} }), "version 2.0 of Terraform's JSON format, of which 1 is read"),
        (
            json!({ "version": 4, "terraform_version": "1.9.5", "serial": 1, "lineage": "a", "resources": [] }),
            "a file of Terraform's own; what is read is the output of `terraform show -json`",
        ),
    ] {
        assert_eq!(refused(&document.to_string()), want);
    }
    assert!(refused(&template(&json!([]), &json!({}), &json!({}))).starts_with("an ARM template without"));
    for other in [json!({ "values": {} }), json!({ "format_version": "1.0", "name": "a" }), json!({ "terraform_version": "1.9.5" })] {
        assert!(matches!(lift(&read(&other.to_string()).1, "shop", &Limits::default()), Lifted::No), "{other}");
    }
}

#[test]
fn the_page_names_what_is_read() {
    let page = include_str!("../../../../docs/input.md");
    let rows = page.split("### Terraform").nth(1).unwrap().split("\n## ").next().unwrap();
    let named: BTreeSet<&str> = rows.split('`').filter(|word| word.contains('_') && word.split('_').next().is_some_and(is_provider)).collect();
    assert_eq!(named, terraform::kinds().collect());
    assert!(page.contains(&format!("up to {} levels", super::arm::MAX_TEMPLATES)));
}

fn is_provider(word: &str) -> bool {
    matches!(word, "azurerm" | "azuread" | "azapi" | "aws" | "google")
}

#[test]
fn a_large_template_takes_no_long_time() {
    let mut resources: Vec<Value> = (0..2000).map(|number| credential(&format!("shop/c{number}"), json!({}))).collect();
    for number in 0..2000 {
        let dependencies: Vec<String> = (0..20).map(|before| format!("o{}", (number + before) % 2000)).collect();
        resources.push(json!({ "type": "Microsoft.Storage/storageAccounts", "name": format!("o{number}"), "dependsOn": dependencies }));
    }
    let found = lifted(&template(&json!(resources), &json!({}), &json!({})));
    assert_eq!(found.made.documents.len(), 2000);
}
