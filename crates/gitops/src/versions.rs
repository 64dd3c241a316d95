//! Versions of charts, and which of them a constraint takes: as Helm and Argo CD do, by `Masterminds/semver`.

use semver::{BuildMetadata, Prerelease, Version};

/// Bytes of a constraint at most, as there.
const LONGEST: usize = 512;

/// Alternatives of one at most, as there.
const ALTERNATIVES: usize = 32;

/// Which versions are wanted: one of several lists, all of whose terms have to hold.
#[derive(Debug)]
pub(crate) struct Constraint(Vec<Vec<Term>>);

#[derive(Debug)]
struct Term {
    operator: String,
    base: Version,
    /// How many of its three numbers are given; the rest are any.
    given: usize,
}

/// A version, of which minor and patch may be missing, and before which there may be a `v`.
pub(crate) fn version(text: &str) -> Option<Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let numbers = text.split(['-', '+']).next().unwrap_or_default();
    lenient(text).map(|(base, _)| base).filter(|_| !numbers.contains(['*', 'x', 'X']))
}

/// Which of some versions is meant: the one that is written so, or else the highest that a constraint takes. `None` in the outer option for
/// what is no constraint.
pub(crate) fn choose<'v>(wanted: &str, versions: impl Iterator<Item = &'v str> + Clone) -> Option<Option<&'v str>> {
    let bare = |text: &'v str| text.strip_prefix('v').unwrap_or(text);
    let own = wanted.strip_prefix('v').unwrap_or(wanted);
    let mut exact = versions.clone().filter(|text| *text == wanted).chain(versions.clone().filter(|text| bare(text) == own));
    if let Some(exact) = exact.next() {
        return Some(Some(exact));
    }
    let constraint = Constraint::read(wanted)?;
    let fitting = versions.filter_map(|text| Some((version(text)?, text))).filter(|(version, _)| constraint.takes(version));
    Some(fitting.max_by(|(one, _), (other, _)| one.cmp_precedence(other)).map(|(_, text)| text))
}

/// Whether a version is one that is wanted: the same, or one that a constraint takes.
#[must_use]
pub fn fits(wanted: &str, version: &str) -> bool {
    matches!(choose(wanted, std::iter::once(version)), Some(Some(_)))
}

/// The version in the name of an archive of a chart: `web-1.0.0.tgz` is no chart `we`, and `web-api-1.0.0.tgz` none of `web`. In file names,
/// `_` may stand for `+`.
#[must_use]
pub fn of_archive(file: &str, chart: &str) -> Option<String> {
    let text = file.strip_suffix(".tgz")?.strip_prefix(chart)?.strip_prefix('-')?.replace('_', "+");
    version(&text).is_some().then_some(text)
}

/// Whether it is a constraint that may take several versions, and not one version.
pub(crate) fn is_range(wanted: &str) -> bool {
    Version::parse(wanted.strip_prefix('v').unwrap_or(wanted)).is_err()
}

impl Constraint {
    /// Reads a constraint, if it is one.
    pub(crate) fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let alternatives: Vec<&str> = text.split("||").collect();
        if alternatives.len() > ALTERNATIVES {
            return None;
        }
        alternatives.into_iter().map(terms).collect::<Option<_>>().map(Constraint)
    }

    /// Whether it takes a version.
    pub(crate) fn takes(&self, version: &Version) -> bool {
        self.0.iter().any(|terms| {
            // A version before its release is taken only where such ones are asked for.
            let takes_early = terms.iter().any(|term| !term.base.pre.is_empty());
            (version.pre.is_empty() || takes_early) && terms.iter().all(|term| term.takes(version))
        })
    }
}

/// The terms of one alternative: with spaces or a comma between them, or two versions with ` - `.
fn terms(text: &str) -> Option<Vec<Term>> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if let [low, "-", high] = words.as_slice() {
        return [(">=", low), ("<=", high)].into_iter().map(|(operator, text)| term(&format!("{operator}{text}"))).collect();
    }
    let mut all = Vec::new();
    for part in text.split(',') {
        let mut words = part.split_whitespace().peekable();
        // Between commas there must be something.
        words.peek()?;
        while let Some(word) = words.next() {
            // An operator may stand by itself before its version.
            let is_operator = word.chars().all(|letter| "=!<>~^".contains(letter));
            all.push(if is_operator { term(&format!("{word}{}", words.next()?))? } else { term(word)? });
        }
    }
    Some(all)
}

fn term(text: &str) -> Option<Term> {
    let at = text.find(|letter: char| !"=!<>~^".contains(letter))?;
    let (operator, rest) = text.split_at(at);
    if !["", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^"].contains(&operator) {
        return None;
    }
    let (base, given) = lenient(rest.strip_prefix('v').unwrap_or(rest))?;
    Some(Term { operator: operator.to_owned(), base, given })
}

/// A version whose numbers may be missing or any, and how many of them are given.
fn lenient(text: &str) -> Option<(Version, usize)> {
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let mut given = [0; 3];
    let (mut count, mut is_open) = (0, false);
    for (index, part) in numbers.split('.').enumerate() {
        let slot = given.get_mut(index)?;
        if matches!(part, "*" | "x" | "X") {
            is_open = true;
        } else {
            let number: u64 = part.parse().ok().filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()))?;
            if !is_open {
                *slot = number;
                count = index + 1;
            }
        }
    }
    let (before, build) = rest.split_once('+').map_or((rest, ""), |(before, build)| (before, build));
    let [major, minor, patch] = given;
    let pre = match before.strip_prefix('-') {
        Some(pre) => Prerelease::new(pre).ok().filter(|pre| !pre.is_empty())?,
        None => Prerelease::EMPTY,
    };
    let build = BuildMetadata::new(build).ok()?;
    Some((Version { major, minor, patch, pre, build }, count))
}

impl Term {
    fn takes(&self, version: &Version) -> bool {
        let order = version.cmp_precedence(&self.base);
        let shared = |count: usize| {
            let numbers = |version: &Version| [version.major, version.minor, version.patch];
            numbers(version).into_iter().zip(numbers(&self.base)).take(count).all(|(own, other)| own == other)
        };
        let lead = |version: &Version| (version.major, if self.given == 1 { 0 } else { version.minor });
        let is_whole = self.given == 3;
        match self.operator.as_str() {
            "" | "=" if is_whole => order.is_eq(),
            "" | "=" => order.is_ge() && shared(self.given),
            "!=" if is_whole || self.given == 0 => order.is_ne(),
            "!=" => !shared(self.given),
            ">" if is_whole || self.given == 0 => order.is_gt(),
            ">" => lead(version) > lead(&self.base),
            "<" => order.is_lt(),
            ">=" | "=>" => order.is_ge(),
            "<=" | "=<" if is_whole => order.is_le(),
            "<=" | "=<" => lead(version) <= lead(&self.base),
            "^" => order.is_ge() && shared(self.fixed()),
            // `~0.0.0` takes everything, there.
            _ if shared_zero(&self.base) && is_whole => order.is_ge(),
            _ => order.is_ge() && shared(self.given.min(2)),
        }
    }

    /// How many numbers must stay as they are for what `^` takes: those up to the first that is not 0.
    fn fixed(&self) -> usize {
        match (self.base.major, self.base.minor, self.given) {
            (1.., ..) | (.., 1) => 1,
            (0, 1.., _) | (.., 2) => 2,
            _ => 3,
        }
    }
}

fn shared_zero(base: &Version) -> bool {
    (base.major, base.minor, base.patch) == (0, 0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &str = "0.0.3 0.2.0 0.2.5 0.3.0 1.0.0 1.2.0 1.2.3 1.2.4-rc.1 1.3.0 2.0.0-alpha 2.0.0 2.1.0+b v2.1.5";

    /// Recorded from `Masterminds/semver` 3.5.
    #[test]
    fn constraints_take_what_they_do_there() {
        let releases = "0.0.3 0.2.0 0.2.5 0.3.0 1.0.0 1.2.0 1.2.3 1.3.0 2.0.0 2.1.0+b v2.1.5";
        for (constraint, expected) in [
            ("*", Some(releases)),
            ("x", Some(releases)),
            ("1", Some("1.0.0 1.2.0 1.2.3 1.3.0")),
            ("1.x", Some("1.0.0 1.2.0 1.2.3 1.3.0")),
            ("1.2", Some("1.2.0 1.2.3")),
            ("1.2.x", Some("1.2.0 1.2.3")),
            ("1.2.*", Some("1.2.0 1.2.3")),
            ("=1.2", Some("1.2.0 1.2.3")),
            ("1.2.3", Some("1.2.3")),
            ("v1.2.3", Some("1.2.3")),
            ("~1", Some("1.0.0 1.2.0 1.2.3 1.3.0")),
            ("~1.2", Some("1.2.0 1.2.3")),
            ("~1.2.3", Some("1.2.3")),
            ("~>1.2", Some("1.2.0 1.2.3")),
            ("^1", Some("1.0.0 1.2.0 1.2.3 1.3.0")),
            ("^1.2", Some("1.2.0 1.2.3 1.3.0")),
            ("^1.2.3", Some("1.2.3 1.3.0")),
            ("^0.2", Some("0.2.0 0.2.5")),
            ("^0.2.3", Some("0.2.5")),
            ("^0.0.3", Some("0.0.3")),
            ("^0", Some("0.0.3 0.2.0 0.2.5 0.3.0")),
            ("^0.0", Some("0.0.3")),
            (">1", Some("2.0.0 2.1.0+b v2.1.5")),
            (">1.2", Some("1.3.0 2.0.0 2.1.0+b v2.1.5")),
            (">1.2.3", Some("1.3.0 2.0.0 2.1.0+b v2.1.5")),
            ("<2", Some("0.0.3 0.2.0 0.2.5 0.3.0 1.0.0 1.2.0 1.2.3 1.3.0")),
            ("<1.2.3", Some("0.0.3 0.2.0 0.2.5 0.3.0 1.0.0 1.2.0")),
            ("<=1", Some("0.0.3 0.2.0 0.2.5 0.3.0 1.0.0 1.2.0 1.2.3 1.3.0")),
            ("<=1.2", Some("0.0.3 0.2.0 0.2.5 0.3.0 1.0.0 1.2.0 1.2.3")),
            ("<=1.2.3", Some("0.0.3 0.2.0 0.2.5 0.3.0 1.0.0 1.2.0 1.2.3")),
            (">=1.2", Some("1.2.0 1.2.3 1.3.0 2.0.0 2.1.0+b v2.1.5")),
            ("=>1.2", Some("1.2.0 1.2.3 1.3.0 2.0.0 2.1.0+b v2.1.5")),
            ("=<1.2", Some("0.0.3 0.2.0 0.2.5 0.3.0 1.0.0 1.2.0 1.2.3")),
            ("!=1.2", Some("0.0.3 0.2.0 0.2.5 0.3.0 1.0.0 1.3.0 2.0.0 2.1.0+b v2.1.5")),
            ("!=1.2.3", Some("0.0.3 0.2.0 0.2.5 0.3.0 1.0.0 1.2.0 1.3.0 2.0.0 2.1.0+b v2.1.5")),
            ("!=1", Some("0.0.3 0.2.0 0.2.5 0.3.0 2.0.0 2.1.0+b v2.1.5")),
            (">=1.0.0, <2.0.0", Some("1.0.0 1.2.0 1.2.3 1.3.0")),
            (">=1.0.0 <2.0.0", Some("1.0.0 1.2.0 1.2.3 1.3.0")),
            ("1.2 - 2.0", Some("1.2.0 1.2.3 1.3.0 2.0.0")),
            ("1.0.0 - 1.2.3", Some("1.0.0 1.2.0 1.2.3")),
            ("0.2.x || 2.x", Some("0.2.0 0.2.5 2.0.0 2.1.0+b v2.1.5")),
            (">=1.2.3-0", Some("1.2.3 1.2.4-rc.1 1.3.0 2.0.0-alpha 2.0.0 2.1.0+b v2.1.5")),
            ("~1.2.4-0", Some("1.2.4-rc.1")),
            (">=2.0.0-0 <2.1", Some("2.0.0-alpha 2.0.0")),
            ("*-0", Some(ALL)),
            (">0.0.0-0", Some(ALL)),
            ("^*", Some("")),
            ("~0.0.0", Some(releases)),
            ("> 1.2", Some("1.3.0 2.0.0 2.1.0+b v2.1.5")),
            ("1.2.3 || >2", Some("1.2.3")),
            ("latest", None),
            ("", None),
            ("1.2.3.4", None),
            ("a.b", None),
            (">", None),
            ("1,", None),
            ("main", None),
            ("<=*", Some("0.0.3")),
            ("!=*", Some(releases)),
            (">*", Some(releases)),
        ] {
            let takes = |constraint: &Constraint| {
                let fits = |text: &&str| constraint.takes(&version(text).unwrap_or(Version::new(0, 0, 0)));
                ALL.split(' ').filter(fits).collect::<Vec<_>>().join(" ")
            };
            assert_eq!(Constraint::read(constraint).as_ref().map(takes).as_deref(), expected, "{constraint}");
        }
    }

    #[test]
    fn the_version_that_is_written_comes_first_and_then_the_highest() {
        let choose = |wanted| choose(wanted, ["1.2.0", "v1.10.0", "1.9.3", "2.0.0-rc.1"].into_iter());
        assert_eq!(choose("1.10.0"), Some(Some("v1.10.0")));
        assert_eq!(choose("2.0.0-rc.1"), Some(Some("2.0.0-rc.1")));
        assert_eq!(choose("1.x"), Some(Some("v1.10.0")));
        assert_eq!(choose("3.x"), Some(None));
        assert_eq!(choose("latest"), None);
        assert!(is_range("1.2") && is_range("*") && !is_range("v1.2.3"));
    }
}
