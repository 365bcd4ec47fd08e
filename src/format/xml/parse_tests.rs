use super::*;

fn error(text: &str) -> Option<XmlError> {
    Document::parse(text.as_bytes()).err()
}

#[test]
fn what_the_standard_allows_is_read() {
    for text in [
        "<a/>",
        "<a />",
        "<a></a >",
        "<?xml version='1.0'?><a/>",
        "<?xml version=\"1.0\" encoding='utf-8' standalone='no' ?>\n<a/>\n",
        "<!--c--><?p?><a/><!----><?p  d ?>",
        "<a b='\"' c=\"'\" d='>'/>",
        "<a>]] > ]>&gt;&#x10FFFF;</a>",
        "<a><![CDATA[<&]]]]><![CDATA[>]]></a>",
        "<a xmlns='u:1'><b xmlns=''/></a>",
        "<p:a xmlns:p='u:1' p:b='' b=''/>",
        "<a xml:lang='kk' xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
        "<қол-таңба ә='ң'/>",
        "<a b\n=\r\n'c'/>",
        "<a><?xml-stylesheet a?></a>",
        "<a xmlns:p='u:1' xmlns:q='u:2' p:b='' q:b=''/>",
        "<a><!-- - - --></a>",
    ] {
        assert_eq!(error(text), None, "{text}");
    }
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for text in [
        "",
        " ",
        "a",
        "<a>",
        "</a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>x",
        "x<a/>",
        "<a b/>",
        "<a b=c/>",
        "<a b='<'/>",
        "<a b='1'c='2'/>",
        "<a b='1' b='2'/>",
        "<a>&nbsp;</a>",
        "<a>&</a>",
        "<a>&#0;</a>",
        "<a>&#xB;</a>",
        "<a b='&x;'/>",
        "<a>]]></a>",
        "<a><!-- -- --></a>",
        "<a><!-- - -- --></a>",
        "<!-- a ---><a/>",
        "<a><![CDATA[x]]</a>",
        "<![CDATA[x]]><a/>",
        "<a/>&#32;",
        "< a/>",
        "<a / >",
        "<a/ >",
        "<1a/>",
        "<a 1='x'/>",
        " <?xml version='1.0'?><a/>",
        "<a><?xml version='1.0'?></a>",
        "<a/><?XmL x?>",
        "<?xml version='1.1'?><a/>",
        "<?xml encoding='UTF-8'?><a/>",
        "<?xml version='1.0' standalone='maybe'?><a/>",
        "<?xml version='1.0' standalone='yes' encoding='UTF-8'?><a/>",
        "<?xml version='1.0'encoding='UTF-8'?><a/>",
        "<a><?p",
        "<a><?p:q x?></a>",
        "<a><!ELEMENT a ANY></a>",
        "<a><![INCLUDE[x]]></a>",
        "<a",
        "<a b",
        "<a b=",
        "<a b='",
        "<a b='c'",
        "<a><b></a></b>",
        "<a></a",
        "<a></ a>",
        "<a><?p?x?></a>",
        "<?xml version='1.0'?><?xml version='1.0'?><a/>",
        "<?xml version='1.0' encoding=''?><a/>",
    ] {
        assert!(
            matches!(error(text), Some(XmlError::Malformed { .. } | XmlError::Encoding)),
            "{text}: {:?}",
            error(text)
        );
    }
}

#[test]
fn what_breaks_the_namespaces_standard_is_refused() {
    for text in [
        "<p:a/>",
        "<a p:b=''/>",
        "<a:b:c xmlns:a='u:1'/>",
        "<:a/>",
        "<a:/>",
        "<a xmlns:p=''/>",
        "<a xmlns:xmlns='u:1'/>",
        "<a xmlns:xml='u:1'/>",
        "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
        "<xmlns:a/>",
        "<a xmlns:p='u:1' xmlns:q='u:1' p:b='' q:b=''/>",
        "<a xmlns='u:1' xmlns='u:1'/>",
        "<a xmlns:p='u:1' xmlns:p='u:2'/>",
        "<a><b xmlns:p='u:1'/><p:c/></a>",
        "<a xmlns:='u:1'/>",
    ] {
        assert!(matches!(error(text), Some(XmlError::Malformed { .. })), "{text}: {:?}", error(text));
    }
}

#[test]
fn a_document_type_declaration_is_refused_wherever_it_stands() {
    for text in [
        "<!DOCTYPE a><a/>",
        "<?xml version='1.0'?>\n<!-- c --><!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>",
        "<a/><!DOCTYPE a>",
        "<a><!DOCTYPE a></a>",
    ] {
        assert_eq!(error(text), Some(XmlError::DocumentType), "{text}");
    }
}

#[test]
fn budgets_hold_at_their_edge() {
    let nested = |n: usize| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
    assert_eq!(error(&nested(limits::MAX_DEPTH)), None);
    assert!(matches!(error(&nested(limits::MAX_DEPTH + 1)), Some(XmlError::LimitExceeded { maximum: 100, .. })));
    let attributes = |n: usize| format!("<a {}/>", (0..n).map(|i| format!("b{i}='' ")).collect::<String>());
    assert_eq!(error(&attributes(limits::MAX_ATTRIBUTES)), None);
    assert!(matches!(
        error(&attributes(limits::MAX_ATTRIBUTES + 1)),
        Some(XmlError::LimitExceeded { maximum: 256, .. })
    ));
    let declarations =
        |level: usize| format!("<a {}>", (0..250).map(|i| format!("xmlns:p{level}-{i}='u:1' ")).collect::<String>());
    assert!(matches!(
        error(&(0..3).map(declarations).collect::<String>()),
        Some(XmlError::LimitExceeded { maximum: 512, .. })
    ));
    assert!(matches!(error(&format!("<{}/>", "a".repeat(5000))), Some(XmlError::LimitExceeded { .. })));
    assert!(matches!(Document::parse(&vec![b' '; MAX_DOCUMENT_BYTES + 1]), Err(XmlError::LimitExceeded { .. })));
    // The tree stays within five times its text: cells that say something do, half a megabyte of nothing does not.
    let rows = |cell: &str| format!("<t>{}</t>", cell.repeat((1 << 20) / cell.len()));
    assert_eq!(error(&rows("<c>1</c>")), None);
    assert_eq!(error(&rows("<c a='1'/>")), None);
    assert!(matches!(error(&rows("<c/>")), Some(XmlError::LimitExceeded { .. })));
    assert_eq!(error(&format!("<t>{}</t>", "<c/>".repeat(80_000))), None);
}

/// Attack 3: a decoder that looks for the name of the encoding in one way, and a parser that does in another.
#[test]
fn a_declaration_that_is_read_in_two_ways_is_refused() {
    for text in [
        format!("<?xml version=\"1.0\"{}encoding=\"ISO-8859-1\"?><a/>", " ".repeat(300)),
        format!("<?xml version=\"1.0\"{}encoding=\"UTF-8\"?><a/>", " ".repeat(300)),
    ] {
        assert_eq!(error(&text), Some(XmlError::Encoding), "{}", text.len());
    }
    assert_eq!(error("<?xml version=\"1.0\"   encoding = 'utf-8' ?><a/>"), None);
}

#[test]
fn the_tree_says_what_the_text_says() {
    let text = "<?xml version='1.0'?><!--c--><r xmlns='u:r' xmlns:p='u:p'>a<p:x Id='1' p:Id='2'>b&amp;<![CDATA[<c>]]></p:x ><y/>d<p:x/>\r\n</r>";
    let document = Document::parse(text.as_bytes()).unwrap();
    let root = document.root();
    assert!(root.is("u:r", "r") && root.parent().is_none());
    let x = root.children_named("u:p", "x").next().unwrap();
    assert_eq!((x.qualified_name(), x.prefix(), x.local_name()), ("p:x", "p", "x"));
    assert_eq!(x.attribute("", "Id").as_deref(), Some("1"));
    assert_eq!(x.attribute("u:p", "Id").as_deref(), Some("2"));
    assert_eq!(x.string_value(), "b&<c>");
    assert_eq!(x.only_text(), None, "a CDATA section is a second piece");
    assert_eq!(&text[x.range()], "<p:x Id='1' p:Id='2'>b&amp;<![CDATA[<c>]]></p:x >");
    assert_eq!(root.string_value(), "ab&<c>d\n");
    assert_eq!(root.child_elements().map(|e| e.location()).collect::<Vec<_>>(), ["/r/p:x[1]", "/r/y", "/r/p:x[2]"]);
    assert!(root.only_child("u:p", "x").is_none() && root.only_child("u:r", "y").is_some());
    assert_eq!(x.lookup_prefix("p"), Some("u:p"));
    assert_eq!(root.lookup_prefix("q"), None);
    assert!(root.contains(&x) && x.contains(&x) && !x.contains(&root));
    assert_eq!(document.elements().count(), 4);
}

#[test]
fn a_comment_that_cuts_a_value_in_two_is_seen() {
    let document = Document::parse(b"<a>admin<!---->@evil</a>").unwrap();
    assert_eq!(document.root().only_text(), None);
    assert_eq!(Document::parse(b"<a> x </a>").unwrap().root().only_text().as_deref(), Some(" x "));
    assert_eq!(Document::parse(b"<a/>").unwrap().root().only_text().as_deref(), Some(""));
}

#[test]
fn relative_namespace_names_are_noticed() {
    for (text, relative) in [
        ("<a xmlns='u:1'/>", false),
        ("<a xmlns=''/>", false),
        ("<a xmlns='x'/>", true),
        ("<a><b xmlns:p='../x:y'/></a>", true),
        ("<a xmlns=':x'/>", true),
        ("<a xmlns='1u:x'/>", true),
    ] {
        assert_eq!(Document::parse(text.as_bytes()).unwrap().has_relative_namespace(), relative, "{text}");
    }
}
