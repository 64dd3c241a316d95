//! Which line of a template a rendered line comes from.
//!
//! Lines that stand once in both, in the same order, are the same. Between two of them, a line comes from the one with the same text, or
//! else from the one with the same key, if there is only one or if there are as many on both sides. Otherwise nobody knows, and the line
//! that holds it in the rendered text is taken instead.

use std::collections::HashMap;

use fedward_manifest::Source;

use super::parts::Origin;

/// The lines of a rendered text beside those of its template. Lines are counted from 1.
#[derive(Debug)]
pub(crate) struct Aligned {
    rendered: Vec<Line>,
    template: Vec<Line>,
    /// Lines that are the same: of the rendered text and of the template, in the order of both.
    same: Vec<(usize, usize)>,
    /// The document of the template that it comes from.
    origin: Origin,
}

#[derive(Debug)]
struct Line {
    text: String,
    indent: usize,
}

impl Line {
    /// The key that a line sets, and whether it begins an item of a list.
    fn key(&self) -> Option<(bool, &str)> {
        let rest = self.text.trim_start_matches(['-', ' ']);
        let (key, after) = rest.split_once(':')?;
        let is_key = !key.is_empty() && !key.contains("{{") && !key.starts_with('#') && (after.is_empty() || after.starts_with(' '));
        is_key.then(|| (self.text.starts_with('-'), key.trim_matches(['"', '\''])))
    }

    /// Whether it says nothing by itself.
    fn is_idle(&self) -> bool {
        matches!(self.text.as_str(), "" | "---" | "-" | "}" | "{")
    }
}

fn lines(source: &Source) -> Vec<Line> {
    let line = |number| {
        let text = source.line_text(number);
        Line { text: text.trim().to_owned(), indent: text.len() - text.trim_start().len() }
    };
    (1..=source.line_count()).map(line).collect()
}

impl Aligned {
    pub(crate) fn new(rendered: &Source, template: &Source, origin: Origin) -> Self {
        let (rendered, mut template) = (lines(rendered), lines(template));
        if let Origin::Known(own) = &origin {
            // Nothing comes from the other documents.
            template.iter_mut().enumerate().filter(|(index, _)| !own.contains(index)).for_each(|(_, line)| line.text.clear());
        }
        let same = in_order(&common(&rendered, &template));
        Aligned { rendered, template, same, origin }
    }

    /// The line of the template for a line of the rendered text, and whether that is certain; `None` if it may be in any of its documents.
    pub(crate) fn find(&self, line: u32) -> Option<(u32, bool)> {
        let (found, exact) = self.nearest(line);
        let Origin::OneOf(could) = &self.origin else { return Some((found, exact)) };
        let part = |index: usize| could.iter().position(|lines| lines.contains(&index));
        let own = part((found as usize).saturating_sub(1))?;
        // All that they have in common is in that document.
        let is_known = || !self.same.is_empty() && self.same.iter().all(|(_, template)| part(*template) == Some(own));
        (exact || is_known()).then_some((found, exact))
    }

    fn nearest(&self, line: u32) -> (u32, bool) {
        let number = |index: usize| u32::try_from(index + 1).unwrap_or(u32::MAX);
        let wanted = (line as usize).saturating_sub(1);
        let mut at = wanted;
        loop {
            if let Some(found) = self.exact(at) {
                return (number(found), at == wanted);
            }
            let Some(above) = self.holder(at) else { break };
            at = above;
        }
        // The object begins somewhere before what it has in common with the template.
        let first = self.same.first().map(|(_, template)| *template);
        let kind = self.template.iter().position(|line| line.key() == Some((false, "kind")));
        let start = if let Origin::Known(own) = &self.origin { own.start } else { 0 };
        (number(first.or(kind).unwrap_or(start)), false)
    }

    fn exact(&self, at: usize) -> Option<usize> {
        let next = self.same.partition_point(|(rendered, _)| *rendered < at);
        if let Some((rendered, template)) = self.same.get(next)
            && *rendered == at
        {
            return Some(*template);
        }
        let before = next.checked_sub(1).and_then(|index| self.same.get(index));
        let after = self.same.get(next);
        // What stands between the nearest lines that are known.
        let rendered = before.map_or(0, |(line, _)| line + 1)..after.map_or(self.rendered.len(), |(line, _)| *line);
        let template = before.map_or(0, |(_, line)| line + 1)..after.map_or(self.template.len(), |(_, line)| *line);
        let template = self.document(before.map(|(_, line)| *line), after.map(|(_, line)| *line), template);
        let own = self.rendered.get(at).filter(|line| !line.is_idle())?;
        let alike = |is: &dyn Fn(&Line) -> bool| -> Option<usize> {
            let within = |lines: &[Line], range: &std::ops::Range<usize>| -> Vec<usize> {
                range.clone().filter(|index| lines.get(*index).is_some_and(is)).collect()
            };
            let (here, there) = (within(&self.rendered, &rendered), within(&self.template, &template));
            match there.as_slice() {
                [only] if here.len() == 1 => Some(*only),
                [_, ..] if here.len() == there.len() => there.get(here.iter().position(|index| *index == at)?).copied(),
                // A line of the template that is run several times.
                [only] => Some(*only),
                _ => None,
            }
        };
        alike(&|line| line.text == own.text).or_else(|| {
            let key = own.key()?;
            alike(&|line| line.key() == Some(key))
        })
    }

    /// The part of a range of the template that is in the document of the lines that are known around it.
    fn document(&self, before: Option<usize>, after: Option<usize>, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
        let is_marker = |index: &usize| self.template.get(*index).is_some_and(|line| line.text.starts_with("---"));
        match (before, after) {
            (Some(_), _) => range.start..range.clone().find(is_marker).unwrap_or(range.end),
            (None, Some(_)) => range.clone().rev().find(is_marker).map_or(range.start, |marker| marker + 1)..range.end,
            (None, None) => range,
        }
    }

    /// The line that a line is indented below.
    fn holder(&self, at: usize) -> Option<usize> {
        let indent = self.rendered.get(at)?.indent;
        let is_above = |index: &usize| self.rendered.get(*index).is_some_and(|line| !line.is_idle() && line.indent < indent);
        (0..at).rev().find(is_above)
    }
}

/// Lines that stand once in each, as pairs in the order of the first.
fn common(rendered: &[Line], template: &[Line]) -> Vec<(usize, usize)> {
    let once = |lines: &[Line]| {
        let mut seen: HashMap<String, Option<usize>> = HashMap::new();
        for (index, line) in lines.iter().enumerate().filter(|(_, line)| !line.is_idle()) {
            seen.entry(line.text.clone()).and_modify(|known| *known = None).or_insert(Some(index));
        }
        seen
    };
    let (here, there) = (once(rendered), once(template));
    let mut pairs: Vec<(usize, usize)> =
        here.iter().filter_map(|(text, index)| Some(((*index)?, there.get(text).copied().flatten()?))).collect();
    pairs.sort_unstable();
    pairs
}

/// The longest part of the pairs that is in order on both sides.
fn in_order(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length the pair that ends such a part with the least second line, and for each pair the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    let second = |index: usize| pairs.get(index).map_or(0, |(_, line)| *line);
    for index in 0..pairs.len() {
        let length = ends.partition_point(|end| second(*end) < second(index));
        before.push(length.checked_sub(1).and_then(|last| ends.get(last)).copied());
        match ends.get_mut(length) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut chain = Vec::new();
    let mut next = ends.last().copied();
    while let Some(index) = next {
        chain.extend(pairs.get(index).copied());
        next = before.get(index).copied().flatten();
    }
    chain.reverse();
    chain
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const TEMPLATE: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  template:
    spec:
      serviceAccountName: {{ .Values.account }}
      {{- with .Values.extra }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
      containers:
        {{- range .Values.names }}
        - name: {{ . }}
          image: web
        {{- end }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}-x
";

    const RENDERED: &str = "\
---
# Source: web/templates/all.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  template:
    spec:
      serviceAccountName: till
      nodeName: a
      containers:
        - name: one
          image: web
        - name: two
          image: web
";

    fn found(line: u32) -> (u32, bool) {
        let source = |text: &str| Source::from_text("a", text.to_owned()).unwrap();
        Aligned::new(&source(RENDERED), &source(TEMPLATE), Origin::Whole).find(line).unwrap()
    }

    #[test]
    fn equal_lines_keys_and_lines_that_run_several_times_are_found() {
        for (rendered, template) in [(4, 2), (6, 4), (10, 8), (12, 12), (13, 14), (15, 14), (16, 15)] {
            assert_eq!(found(rendered), (template, true), "{rendered}");
        }
    }

    #[test]
    fn what_is_not_known_is_taken_for_what_holds_it() {
        // `nodeName` comes out of `toYaml`; it stands in the second `spec:`, of which there are two.
        let (line, exact) = found(11);
        assert!(!exact);
        assert!((5..=7).contains(&line), "{line}");
    }
}
