//! The known word nearest to a mistyped one.

/// The candidate nearest to `word`, when it is near enough to be what was meant.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = |candidate: &&'a str| strsim::normalized_damerau_levenshtein(word, candidate) >= 0.6;
    let distance = |candidate: &&'a str| strsim::damerau_levenshtein(word, candidate);
    candidates.filter(near).min_by_key(distance)
}

/// The known key nearest to a mistyped path: one that differs only in its section, else the most similar.
pub fn nearest_key<'a>(path: &str, known: &'a [String]) -> Option<&'a str> {
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let name = last(path);
    let same_name = known.iter().find(|key| !key.starts_with("providers.") && last(key) == name);
    let similar = || nearest(path, known.iter().map(String::as_str));
    let similar_name =
        || known.iter().find(|key| !key.contains("providers.") && nearest(&name, [last(key).as_str()].into_iter()).is_some());
    same_name.map(String::as_str).or_else(similar).or_else(|| similar_name().map(String::as_str))
}
