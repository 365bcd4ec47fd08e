use super::*;

fn form(text: &str, uri: &str) -> String {
    let document = Document::parse(text.as_bytes()).unwrap();
    written(&Subtree::whole(&document), uri, "")
}

fn written(subtree: &Subtree<'_>, uri: &str, prefixes: &str) -> String {
    let algorithm = Canonicalization::from_uri(uri).unwrap().with_prefix_list(prefixes).unwrap();
    let mut out = Vec::new();
    canonicalize(subtree.document(), subtree, &algorithm, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn find<'d>(document: &'d Document<'d>, name: &str) -> Element<'d> {
    document.elements().find(|e| e.local_name() == name).unwrap()
}

const WITH_COMMENTS: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments";

#[test]
fn the_six_identifiers_and_no_other() {
    for base in [INCLUSIVE, INCLUSIVE_11, EXCLUSIVE] {
        let mark = if base == EXCLUSIVE { "" } else { "#" };
        assert_eq!(Canonicalization::from_uri(base).unwrap().comments, Comments::Omitted);
        assert_eq!(Canonicalization::from_uri(&format!("{base}{mark}WithComments")).unwrap().comments, Comments::Kept);
        assert!(Canonicalization::from_uri(&format!("{base}x")).is_none());
        assert!(
            Canonicalization::from_uri(&format!("{base}{}WithComments", if mark.is_empty() { "#" } else { "" }))
                .is_none()
        );
    }
    assert!(Canonicalization::from_uri("").is_none() && Canonicalization::from_uri("WithComments").is_none());
}

/// Canonical XML 1.0 §3.1, without its document type declaration.
#[test]
fn processing_instructions_and_comments_around_the_root() {
    let text = "<?xml version=\"1.0\"?>\n\n<?xml-stylesheet   href=\"doc.xsl\"\n   type=\"text/xsl\"   ?>\n\n<doc>Hello, world!<!-- Comment 1 --></doc>\n\n<?pi-without-data     ?>\n\n<!-- Comment 2 -->\n\n<!-- Comment 3 -->";
    assert_eq!(
        form(text, INCLUSIVE),
        "<?xml-stylesheet href=\"doc.xsl\"\n   type=\"text/xsl\"   ?>\n<doc>Hello, world!</doc>\n<?pi-without-data?>"
    );
    assert_eq!(
        form(text, WITH_COMMENTS),
        "<?xml-stylesheet href=\"doc.xsl\"\n   type=\"text/xsl\"   ?>\n<doc>Hello, world!<!-- Comment 1 --></doc>\n<?pi-without-data?>\n<!-- Comment 2 -->\n<!-- Comment 3 -->"
    );
}

/// Canonical XML 1.0 §3.3, without the attribute default.
#[test]
fn start_and_end_tags() {
    let text = "<doc>\n   <e1   />\n   <e2   ></e2>\n   <e3   name = \"elem3\"   id=\"elem3\"   />\n   <e5 a:attr=\"out\" b:attr=\"sorted\" attr2=\"all\" attr=\"I'm\"\n      xmlns:b=\"http://www.ietf.org\"\n      xmlns:a=\"http://www.w3.org\"\n      xmlns=\"http://example.org\"/>\n   <e6 xmlns=\"\" xmlns:a=\"http://www.w3.org\">\n      <e7 xmlns=\"http://www.ietf.org\">\n         <e8 xmlns=\"\" xmlns:a=\"http://www.w3.org\">\n            <e9 xmlns=\"\" xmlns:a=\"http://www.ietf.org\"/>\n         </e8>\n      </e7>\n   </e6>\n</doc>";
    assert_eq!(
        form(text, INCLUSIVE),
        "<doc>\n   <e1></e1>\n   <e2></e2>\n   <e3 id=\"elem3\" name=\"elem3\"></e3>\n   <e5 xmlns=\"http://example.org\" xmlns:a=\"http://www.w3.org\" xmlns:b=\"http://www.ietf.org\" attr=\"I'm\" attr2=\"all\" b:attr=\"sorted\" a:attr=\"out\"></e5>\n   <e6 xmlns:a=\"http://www.w3.org\">\n      <e7 xmlns=\"http://www.ietf.org\">\n         <e8 xmlns=\"\">\n            <e9 xmlns:a=\"http://www.ietf.org\"></e9>\n         </e8>\n      </e7>\n   </e6>\n</doc>"
    );
}

/// Canonical XML 1.0 §3.4, without attribute types.
#[test]
fn characters_and_references() {
    let text = "<doc>\r\n   <text>First line&#x0d;&#10;Second line</text>\r   <value>&#x32;</value>\n   <compute><![CDATA[value>\"0\" && value<\"10\" ?\"valid\":\"error\"\r\n]]></compute>\n   <compute expr='value>\"0\" &amp;&amp; value&lt;\"10\" ?\"valid\":\"error\"'>valid</compute>\n   <norm attr=' &apos;   &#x20;&#13;&#xa;&#9;\t\r\n  &apos; '/>\n</doc>";
    assert_eq!(
        form(text, INCLUSIVE),
        "<doc>\n   <text>First line&#xD;\nSecond line</text>\n   <value>2</value>\n   <compute>value&gt;\"0\" &amp;&amp; value&lt;\"10\" ?\"valid\":\"error\"\n</compute>\n   <compute expr=\"value>&quot;0&quot; &amp;&amp; value&lt;&quot;10&quot; ?&quot;valid&quot;:&quot;error&quot;\">valid</compute>\n   <norm attr=\" '    &#xD;&#xA;&#x9;    ' \"></norm>\n</doc>"
    );
}

/// Canonical XML 1.0 §3.6.
#[test]
fn the_result_is_utf_8() {
    assert_eq!(form("<?xml version=\"1.0\" encoding=\"UTF-8\"?><doc>&#169;</doc>", INCLUSIVE), "<doc>©</doc>");
    let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><doc>\xA9</doc>";
    let document = Document::parse(latin).unwrap();
    assert_eq!(written(&Subtree::whole(&document), INCLUSIVE, ""), "<doc>©</doc>");
}

#[test]
fn a_subtree_takes_its_namespaces_and_xml_attributes_along() {
    let text = "<a xmlns='u:a' xmlns:p='u:p' xmlns:q='u:q' xml:lang='kk' xml:space='preserve' xml:id='i' xml:base='x/'><q:b xml:base='y/' xml:lang='ru'><p:c p:k='1' xmlns:r='u:r'><d xmlns=''/></p:c></q:b></a>";
    let document = Document::parse(text.as_bytes()).unwrap();
    let subtree = Subtree::of(find(&document, "c"));
    assert_eq!(written(&subtree, INCLUSIVE, ""), "<p:c xmlns=\"u:a\" xmlns:p=\"u:p\" xmlns:q=\"u:q\" xmlns:r=\"u:r\" p:k=\"1\" xml:base=\"y/\" xml:id=\"i\" xml:lang=\"ru\" xml:space=\"preserve\"><d xmlns=\"\"></d></p:c>".replace(" p:k=\"1\" xml:base", " xml:base").replace("\"preserve\">", "\"preserve\" p:k=\"1\">").as_str());
    assert_eq!(
        written(&subtree, INCLUSIVE_11, ""),
        "<p:c xmlns=\"u:a\" xmlns:p=\"u:p\" xmlns:q=\"u:q\" xmlns:r=\"u:r\" xml:base=\"x/y/\" xml:lang=\"ru\" xml:space=\"preserve\" p:k=\"1\"><d xmlns=\"\"></d></p:c>"
    );
    assert_eq!(written(&subtree, EXCLUSIVE, ""), "<p:c xmlns:p=\"u:p\" p:k=\"1\"><d></d></p:c>");
    assert_eq!(
        written(&subtree, EXCLUSIVE, "q #default"),
        "<p:c xmlns=\"u:a\" xmlns:p=\"u:p\" xmlns:q=\"u:q\" p:k=\"1\"><d xmlns=\"\"></d></p:c>"
    );
}

#[test]
fn a_default_namespace_not_in_force_at_the_apex_is_not_taken_back_there() {
    let document = Document::parse(b"<a xmlns='u:a'><b xmlns=''><c/></b></a>").unwrap();
    for method in [INCLUSIVE, INCLUSIVE_11, EXCLUSIVE] {
        assert_eq!(written(&Subtree::of(find(&document, "c")), method, "#default"), "<c></c>");
        assert_eq!(written(&Subtree::of(find(&document, "b")), method, "#default"), "<b><c></c></b>");
    }
}

#[test]
fn exclusive_rules_declare_a_prefix_where_it_is_used() {
    let text = "<a xmlns:p='u:p' xmlns:q='u:q'><p:b/><b q:x='' p:y=''><q:c/></b><p:d xmlns:p='u:other'><p:e xmlns:p='u:p'/></p:d></a>";
    assert_eq!(
        form(text, EXCLUSIVE),
        "<a><p:b xmlns:p=\"u:p\"></p:b><b xmlns:p=\"u:p\" xmlns:q=\"u:q\" p:y=\"\" q:x=\"\"><q:c></q:c></b><p:d xmlns:p=\"u:other\"><p:e xmlns:p=\"u:p\"></p:e></p:d></a>"
    );
}

#[test]
fn the_enveloped_signature_leaves_and_the_text_around_it_stays() {
    let document = Document::parse(b"<a>1<s><t/>2</s >3</a>").unwrap();
    let subtree = Subtree::whole(&document).without(find(&document, "s"));
    assert_eq!(written(&subtree, INCLUSIVE, ""), "<a>13</a>");
    assert!(!subtree.covers(find(&document, "t")) && subtree.covers(document.root()));
}

#[test]
fn a_relative_namespace_is_an_error_and_not_an_empty_result() {
    let document = Document::parse(b"<a xmlns='relative'/>").unwrap();
    let algorithm = Canonicalization::from_uri(INCLUSIVE).unwrap();
    assert_eq!(
        canonicalize(&document, &Subtree::whole(&document), &algorithm, &mut Vec::new()),
        Err(CanonicalError::RelativeNamespace)
    );
}

#[test]
fn a_canonical_form_is_its_own_canonical_form() {
    let text = "<?p  x?><a xmlns:z='u:z' b='&#9;&lt;' z:c=\"'\">x&#13;<![CDATA[&]]><!--c--><b xmlns='u:b'><c xmlns=''/></b></a><!--end-->";
    for uri in [INCLUSIVE, WITH_COMMENTS, INCLUSIVE_11, EXCLUSIVE] {
        let once = form(text, uri);
        assert_eq!(form(&once, uri), once);
    }
}
