//! `xml:base` values joined as Canonical XML 1.1 §2.4 says: RFC 3986 §5.2 with a base that may be relative.
//!
//! *Invariant:* two relative values give a relative value; a leading `..` is never lost.

/// `scheme`, `authority`, `path`, `query` of a URI reference (RFC 3986 appendix B); the fragment is dropped.
#[derive(Clone, Copy)]
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

fn parts(reference: &str) -> Parts<'_> {
    let reference = reference.split('#').next().unwrap_or_default();
    let (scheme, rest) = match reference.split_once(':') {
        Some((scheme, rest)) if !scheme.is_empty() && !scheme.contains(['/', '?']) => (Some(scheme), rest),
        _ => (None, reference),
    };
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (rest, None),
    };
    match rest.strip_prefix("//") {
        Some(rest) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
            Parts { scheme, authority: Some(authority), path, query }
        }
        None => Parts { scheme, authority: None, path: rest, query },
    }
}

/// `join-URI-References`: the inner value `reference` seen from the outer value `base`.
pub(super) fn join(base: &str, reference: &str) -> String {
    let (b, r) = (parts(base), parts(reference));
    let (scheme, authority, path, query) = if r.scheme.is_some() {
        (r.scheme, r.authority, remove_dot_segments(r.path), r.query)
    } else if r.authority.is_some() {
        (b.scheme, r.authority, remove_dot_segments(r.path), r.query)
    } else if r.path.is_empty() {
        (b.scheme, b.authority, remove_dot_segments(b.path), r.query.or(b.query))
    } else if r.path.starts_with('/') {
        (b.scheme, b.authority, remove_dot_segments(r.path), r.query)
    } else {
        let merged = match (b.authority, b.path) {
            (Some(_), "") => format!("/{}", r.path),
            (_, path) => {
                let directory = path.rfind('/').and_then(|at| path.get(..=at)).unwrap_or_default();
                // A trailing `..` names a directory: it gets its slash before anything is put behind it.
                match path.rsplit('/').next() {
                    Some("..") => format!("{path}/{}", r.path),
                    _ => format!("{directory}{}", r.path),
                }
            }
        };
        (b.scheme, b.authority, remove_dot_segments(&merged), r.query)
    };
    let mut joined = String::new();
    if let Some(scheme) = scheme {
        joined.push_str(scheme);
        joined.push(':');
    }
    if let Some(authority) = authority {
        joined.push_str("//");
        joined.push_str(authority);
    }
    joined.push_str(&path);
    if let Some(query) = query {
        joined.push('?');
        joined.push_str(query);
    }
    joined
}

/// RFC 3986 §5.2.4 as Canonical XML 1.1 changes it: leading `..` stay, runs of `/` become one, a trailing `..`
/// gets a slash.
fn remove_dot_segments(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut kept: Vec<&str> = Vec::new();
    let mut directory = false;
    for segment in path.split('/').filter(|s| !s.is_empty()) {
        directory = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => match kept.last() {
                Some(&last) if last != ".." => {
                    kept.pop();
                }
                _ if absolute => {}
                _ => kept.push(".."),
            },
            other => kept.push(other),
        }
    }
    let body = kept.join("/");
    let slash = (directory || path.ends_with('/')) && !body.is_empty();
    format!("{}{body}{}", if absolute { "/" } else { "" }, if slash { "/" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn values_join_as_canonical_xml_1_1_appendix_a_says() {
        for (base, reference, joined) in [
            ("http://xmlbase.example.org/xmlbase0/", "/xmlbase1/", "http://xmlbase.example.org/xmlbase1/"),
            ("http://example.org/a/b", "c", "http://example.org/a/c"),
            ("http://example.org", "c", "http://example.org/c"),
            ("http://example.org/a/", "../../../c", "http://example.org/c"),
            ("a/b/", "../../../c", "../c"),
            ("..", "..", "../../"),
            ("../", "..", "../../"),
            ("..", "x", "../x"),
            ("a/b", "", "a/b"),
            ("a/b", "?q", "a/b?q"),
            ("a//b", "c", "a/c"),
            ("a/b/", "./c/./d/..", "a/b/c/"),
            ("http://example.org/a", "urn:x:y", "urn:x:y"),
            ("http://example.org/a", "//other/b", "http://other/b"),
            ("x", "y#f", "y"),
        ] {
            assert_eq!(join(base, reference), joined, "{base} + {reference}");
        }
    }
}
