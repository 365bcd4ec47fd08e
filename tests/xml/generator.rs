//! Documents made from a seed: namespaces, comments, CDATA, character references, line ends, `xml:` attributes.

/// A small deterministic generator (xorshift64*).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

const NAMES: &[&str] = &["a", "b", "Item", "өтінім", "x-1.y", "_z", "Заявление"];
const PREFIXES: &[&str] = &["p", "q", "ns1", "қ"];
/// Without `&`: libxml2 writes it unescaped in a namespace declaration, against Canonical XML 1.0 §2.3.
const URIS: &[&str] = &["urn:one", "urn:two", "http://example.org/a?b=c", "http://example.org/", "urn:kz:oku"];
const TEXT: &[&str] = &[
    "text",
    " ",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "&#13;",
    "&#xD;&#xA;",
    "&lt;",
    "&gt;",
    "&amp;",
    "&quot;",
    "&apos;",
    ">",
    "\"",
    "'",
    "Қазақстан",
    "&#x1F600;",
    "]]",
    "&#9;",
    "&#xA0;",
    "\u{85}",
    "\u{2028}",
    "e\u{301}",
];
const DATA: &[&str] = &["<", ">", "&", "&amp;", "]]", "\r\n", "\r", "мәтін", "\"", "data", "&#13;"];

/// One document.
pub(crate) fn document(seed: u64) -> String {
    let mut random = Random::new(seed);
    let mut out = String::new();
    if random.chance(50) {
        out.push_str(random.pick(&[
            "<?xml version=\"1.0\"?>",
            "<?xml version='1.0' encoding='UTF-8'?>\r\n",
            "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\n",
        ]));
    }
    misc(&mut random, &mut out);
    element(&mut random, &mut out, 0, &mut Vec::new(), &mut 0);
    misc(&mut random, &mut out);
    out
}

fn misc(random: &mut Random, out: &mut String) {
    for _ in 0..random.below(3) {
        out.push_str(random.pick(&["<!-- c -->", "<?pi?>", "<?pi  data ?>", "\n", "<!--\r\n&amp;-->", "<?x a\rb?>"]));
    }
}

fn element(random: &mut Random, out: &mut String, depth: usize, scope: &mut Vec<(String, String)>, serial: &mut usize) {
    let outer = scope.len();
    let mut declarations = String::new();
    let mut own: Vec<String> = Vec::new();
    for _ in 0..random.below(3) {
        let prefix = if random.chance(35) { "" } else { random.pick(PREFIXES) };
        if own.iter().any(|p| p == prefix) {
            continue;
        }
        let uri = if prefix.is_empty() && random.chance(30) { "" } else { random.pick(URIS) };
        own.push(prefix.to_owned());
        scope.push((prefix.to_owned(), uri.to_owned()));
        let name = if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
        declarations.push_str(&format!("{}{name}=\"{uri}\"", space(random)));
    }
    let prefix = prefix(random, scope);
    let name = format!("{prefix}{}", random.pick(NAMES));
    let mut attributes = String::new();
    *serial += 1;
    if random.chance(60) {
        attributes.push_str(&format!(" Id='e{serial}'"));
    }
    let mut used: Vec<String> = Vec::new();
    for _ in 0..random.below(4) {
        // The local name is unique in the tag, so that two prefixes of one namespace never clash.
        let local = random.pick(NAMES).to_owned();
        if used.contains(&local) {
            continue;
        }
        let prefix = prefix_of_attribute(random, scope);
        used.push(local.clone());
        attributes.push_str(&format!("{}{prefix}{local}={}", space(random), value(random)));
    }
    for name in ["xml:lang", "xml:space", "xml:base"] {
        if random.chance(8) {
            let value = match name {
                "xml:lang" => random.pick(&["kk", "ru", "en"]),
                "xml:space" => "preserve",
                _ => random.pick(&[
                    "http://example.org/base/",
                    "up/",
                    "../",
                    "/root/x",
                    "urn:x",
                    "http://example.org/a/b?c",
                ]),
            };
            attributes.push_str(&format!(" {name}='{value}'"));
        }
    }
    let (first, second) = if random.chance(50) { (declarations, attributes) } else { (attributes, declarations) };
    out.push_str(&format!("<{name}{first}{second}"));
    if random.chance(20) || depth > 8 {
        out.push_str(random.pick(&["/>", " />"]));
        scope.truncate(outer);
        return;
    }
    out.push_str(random.pick(&[">", " >", "\n>"]));
    for _ in 0..random.below(6) {
        match random.below(10) {
            0..=3 => element(random, out, depth + 1, scope, serial),
            4 => out.push_str(&format!("<!--{}-->", random.pick(&["", " c ", "\r\n", "&lt;", "a - b", "<x>"]))),
            5 => out.push_str(random.pick(&["<?pi?>", "<?pi \r\n d?>", "<?pi a>?>"])),
            6 => {
                let data: String = (0..random.below(4)).map(|_| random.pick(DATA)).collect();
                out.push_str(&format!("<![CDATA[{}]]>", data.replace("]]>", "")));
            }
            _ => {
                let before = out.len();
                for _ in 0..=random.below(4) {
                    out.push_str(random.pick(TEXT));
                }
                let text = out.split_off(before).replace("]]>", "]]&gt;");
                out.push_str(&text);
                if out.ends_with("]]") {
                    out.push(' ');
                }
            }
        }
    }
    let tail = random.pick(&["", "", " ", "\n"]);
    out.push_str(&format!("</{name}{tail}>"));
    scope.truncate(outer);
}

fn space(random: &mut Random) -> &'static str {
    random.pick(&[" ", " ", "\n", "\r\n\t", "  "])
}

fn bound<'s>(scope: &'s [(String, String)], random: &mut Random) -> Option<&'s str> {
    if scope.is_empty() {
        return None;
    }
    let (prefix, _) = &scope[random.below(scope.len())];
    let (_, uri) = scope.iter().rev().find(|(p, _)| p == prefix)?;
    (!prefix.is_empty() && !uri.is_empty()).then_some(prefix)
}

fn prefix(random: &mut Random, scope: &[(String, String)]) -> String {
    match random.chance(60) {
        true => bound(scope, random).map(|p| format!("{p}:")).unwrap_or_default(),
        false => String::new(),
    }
}

fn prefix_of_attribute(random: &mut Random, scope: &[(String, String)]) -> String {
    match random.chance(40) {
        true => bound(scope, random).map(|p| format!("{p}:")).unwrap_or_default(),
        false => String::new(),
    }
}

fn value(random: &mut Random) -> String {
    let quote = random.pick(&["'", "\""]);
    let mut value = String::new();
    for _ in 0..random.below(4) {
        let piece = random.pick(TEXT);
        if piece != quote {
            value.push_str(piece);
        }
    }
    format!("{quote}{value}{quote}")
}
