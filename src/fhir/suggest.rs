//! The nearest known name to a mistyped one, for "did you mean" in issue texts. Used by validation, search and routing.

/// The candidate with the smallest edit distance to `name`, if it is near: at most a third of the longer name's length.
/// Upper and lower case count as equal for half a step. Names longer than 64 bytes get no suggestion.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > 64 {
        return None;
    }
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in candidates {
        let allowed = name.len().max(candidate.len()) / 3;
        if candidate.len() > 64 || name.len().abs_diff(candidate.len()) > allowed {
            continue;
        }
        let distance = distance(name.as_bytes(), candidate.as_bytes());
        if distance <= allowed * 2 && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The nearest known url to a mistyped one: by what stands after the last slash, of which a third may differ; among equals
/// the one that shares most of what stands before. Canonicals that differ only in their host are found as well.
pub fn nearest_url<'a>(url: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let last = |url: &'a str| url.rsplit('/').next().unwrap_or(url);
    let wanted = url.rsplit('/').next().unwrap_or(url);
    let known: Vec<&'a str> = candidates.into_iter().collect();
    let best = nearest(wanted, known.iter().map(|url| last(url)))?;
    let shared = |other: &str| url.bytes().zip(other.bytes()).take_while(|(left, right)| left == right).count();
    known.into_iter().filter(|url| last(url) == best).max_by_key(|url| shared(url))
}

/// Edit distance in half steps (insert, delete, replace, swap of neighbours = 2; change of case = 1).
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).map(|column| column * 2).collect();
    for (row, &a) in left.iter().enumerate() {
        let mut current = vec![(row + 1) * 2];
        for (column, &b) in right.iter().enumerate() {
            let replace = match (a == b, a.eq_ignore_ascii_case(&b)) {
                (true, _) => 0,
                (false, true) => 1,
                _ => 2,
            };
            let mut cost = (last[column] + replace).min(last[column + 1] + 2).min(current[column] + 2);
            let swapped = row > 0 && column > 0 && a == right[column - 1] && left[row - 1] == b;
            if swapped {
                cost = cost.min(before_last[column - 1] + 2);
            }
            current.push(cost);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[right.len()]
}
