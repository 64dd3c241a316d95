//! What makes a finding the same finding after the file was edited.

use std::collections::HashMap;

use fedward_outcome::Finding;
use sha2::{Digest, Sha256};

/// Fingerprints of a run, told apart where they are alike.
#[derive(Debug, Default)]
pub(crate) struct Fingerprints {
    seen: HashMap<[u8; 16], u32>,
}

impl Fingerprints {
    /// The hash of the rule, its condition, the file, the object and the pointer, and how many like it came before: it survives moved
    /// lines, reworded messages and new API versions. No text of the file goes in, since a hash of a short secret gives it away.
    pub(crate) fn next(&mut self, finding: &Finding) -> String {
        let location = &finding.location;
        let (kind, namespace, name) = match &finding.object {
            Some(object) => (&*object.kind, &*object.namespace, &*object.name),
            None => ("", "", ""),
        };
        self.of(&[&finding.rule, &finding.condition, location.source.name(), kind, namespace, name, &location.pointer])
    }

    /// The hash of what identifies something else.
    pub(crate) fn of(&mut self, parts: &[&str]) -> String {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut hash = [0; 16];
        for (to, from) in hash.iter_mut().zip(hasher.finalize()) {
            *to = from;
        }
        let count = self.seen.entry(hash).or_default();
        *count += 1;
        format!("{:032x}:{count}", u128::from_be_bytes(hash))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::testing;

    fn next(finding: &Finding) -> String {
        Fingerprints::default().next(finding)
    }

    #[test]
    fn moved_lines_and_other_words_change_nothing() {
        let before = testing::finding(testing::at("a.yaml", "kind: Pod\n", "Pod"));
        let mut after = testing::finding(testing::at("a.yaml", "# new\n\nkind:   Pod\n", "Pod"));
        after.message = "said differently".into();
        after.object.as_mut().unwrap().api_version = "v2".into();
        assert_eq!(next(&before), next(&after));
    }

    #[test]
    fn whatever_identifies_a_finding_tells_it_apart() {
        let base = testing::finding(testing::at("a.yaml", "kind: Pod\n", "Pod"));
        let mut others = vec![base.clone(); 5];
        others[0].rule.push('x');
        others[1].condition.push('x');
        others[2].location = testing::at("b.yaml", "kind: Pod\n", "Pod");
        others[3].object.as_mut().unwrap().name.push('x');
        others[4].location.pointer.push('x');
        for other in &others {
            assert_ne!(next(&base), next(other));
        }
        let mut shifted = base.clone();
        shifted.rule = base.rule.get(..3).unwrap().into();
        shifted.condition = format!("{}{}", base.rule.get(3..).unwrap(), base.condition);
        assert_ne!(next(&base), next(&shifted));
    }

    #[test]
    fn twins_are_counted() {
        let finding = testing::finding(testing::at("a.yaml", "kind: Pod\n", "Pod"));
        let mut fingerprints = Fingerprints::default();
        let (first, second) = (fingerprints.next(&finding), fingerprints.next(&finding));
        assert!(first.ends_with(":1") && second.ends_with(":2"));
        assert_eq!(first.split(':').next(), second.split(':').next());
    }
}
