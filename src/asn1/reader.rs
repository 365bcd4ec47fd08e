//! The reader: a cursor over a slice that yields tag, length and contents.

use super::{Oid, Tag};

/// How deep elements may nest (`validation.md` §4; CVE-2018-0739 was unbounded recursion).
pub const MAX_DEPTH: u8 = 32;

/// Which encoding rules the input must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// X.690 distinguished encoding: definite minimal lengths only.
    Der,
    /// X.690 basic encoding: indefinite and non-minimal lengths, constructed strings.
    Ber,
}

/// Why the input is not what was asked for, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at offset {offset}")]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Offset in bytes from the start of the slice that the outermost reader was given.
    pub offset: usize,
}

/// What can be wrong with an encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// The input ends inside an element.
    #[error("truncated element")]
    Truncated,
    /// A tag number above 30.
    #[error("high tag number")]
    HighTagNumber,
    /// A length that DER does not allow, or that does not fit.
    #[error("length not allowed")]
    Length,
    /// Another tag than the one asked for.
    #[error("unexpected tag {0:?}")]
    UnexpectedTag(Tag),
    /// Something follows where the structure should end.
    #[error("trailing data")]
    TrailingData,
    /// Deeper than [`MAX_DEPTH`].
    #[error("nesting too deep")]
    TooDeep,
    /// Contents that the type does not allow.
    #[error("value not allowed")]
    Value,
}

/// One element: identifier, contents, and the whole as it was received.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    /// Identifier octet.
    pub tag: Tag,
    /// Contents octets, without end-of-contents octets.
    pub contents: &'a [u8],
    /// The whole encoding: identifier, length, contents (and end-of-contents octets).
    pub raw: &'a [u8],
    /// Offset of `contents` in the outermost input.
    pub(super) offset: usize,
    pub(super) rules: Rules,
    pub(super) depth: u8,
}

impl<'a> Element<'a> {
    /// A reader over the contents of a constructed element.
    ///
    /// # Errors
    /// [`ErrorKind::TooDeep`] past [`MAX_DEPTH`].
    pub fn reader(&self) -> Result<Reader<'a>, Error> {
        if self.depth >= MAX_DEPTH {
            return Err(Error { kind: ErrorKind::TooDeep, offset: self.offset });
        }
        Ok(Reader { rest: self.contents, offset: self.offset, rules: self.rules, depth: self.depth + 1 })
    }

    /// An error about the value of this element.
    pub fn invalid(&self) -> Error {
        Error { kind: ErrorKind::Value, offset: self.offset }
    }

    /// The same contents read as another type: IMPLICIT tagging (X.690 §8.14).
    pub fn retagged(self, tag: Tag) -> Element<'a> {
        Element { tag, ..self }
    }

    /// This element if it has the given tag.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedTag`] otherwise.
    pub fn expect(self, tag: Tag) -> Result<Self, Error> {
        if self.tag == tag {
            Ok(self)
        } else {
            Err(Error { kind: ErrorKind::UnexpectedTag(self.tag), offset: self.offset })
        }
    }
}

/// A cursor over a run of elements.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
    rules: Rules,
    depth: u8,
}

impl<'a> Reader<'a> {
    /// A reader that takes DER only.
    pub fn der(input: &'a [u8]) -> Reader<'a> {
        Reader { rest: input, offset: 0, rules: Rules::Der, depth: 0 }
    }

    /// A reader that takes BER.
    pub fn ber(input: &'a [u8]) -> Reader<'a> {
        Reader { rest: input, offset: 0, rules: Rules::Ber, depth: 0 }
    }

    /// What has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Where the cursor stands, in bytes from the start of the outermost input.
    pub fn offset(&self) -> usize {
        self.offset
    }

    fn error(&self, kind: ErrorKind) -> Error {
        Error { kind, offset: self.offset }
    }

    /// The tag of the next element, if there is one.
    pub fn peek(&self) -> Option<Tag> {
        self.rest.first().map(|&b| Tag(b))
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`ErrorKind::TrailingData`] when something is left.
    pub fn finish(&self) -> Result<(), Error> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.error(ErrorKind::TrailingData)) }
    }

    /// The next element, whatever its tag.
    ///
    /// # Errors
    /// Truncation, high tag numbers, and lengths that the rules do not allow.
    pub fn element(&mut self) -> Result<Element<'a>, Error> {
        let (element, rest) = self.split()?;
        self.offset += element.raw.len();
        self.rest = rest;
        Ok(element)
    }

    fn split(&self) -> Result<(Element<'a>, &'a [u8]), Error> {
        let truncated = self.error(ErrorKind::Truncated);
        let (&identifier, after_tag) = self.rest.split_first().ok_or(truncated)?;
        if identifier & 0x1f == 0x1f {
            return Err(self.error(ErrorKind::HighTagNumber));
        }
        let (&first, after_first) = after_tag.split_first().ok_or(truncated)?;
        let (header, length) = match first {
            0..=0x7f => (2, usize::from(first)),
            0x80 => return self.split_indefinite(Tag(identifier)),
            _ => {
                let count = usize::from(first & 0x7f);
                let octets = after_first.get(..count).ok_or(truncated)?;
                let significant = match octets.iter().position(|&b| b != 0) {
                    Some(at) => octets.get(at..).unwrap_or_default(),
                    None => &[],
                };
                if significant.len() > size_of::<u32>() {
                    return Err(self.error(ErrorKind::Length));
                }
                let length = significant.iter().fold(0usize, |n, &b| (n << 8) | usize::from(b));
                // X.690 §10.1: the minimum number of octets.
                if self.rules == Rules::Der && (length < 0x80 || significant.len() != count) {
                    return Err(self.error(ErrorKind::Length));
                }
                (2 + count, length)
            }
        };
        let end = header + length;
        let raw = self.rest.get(..end).ok_or(truncated)?;
        let contents = raw.get(header..).ok_or(truncated)?;
        let rest = self.rest.get(end..).ok_or(truncated)?;
        Ok((self.built(Tag(identifier), contents, raw, header), rest))
    }

    /// X.690 §8.1.3.6: contents up to the matching end-of-contents octets.
    fn split_indefinite(&self, tag: Tag) -> Result<(Element<'a>, &'a [u8]), Error> {
        if self.rules == Rules::Der || !tag.is_constructed() {
            return Err(self.error(ErrorKind::Length));
        }
        if self.depth >= MAX_DEPTH {
            return Err(self.error(ErrorKind::TooDeep));
        }
        let truncated = self.error(ErrorKind::Truncated);
        let body = self.rest.get(2..).ok_or(truncated)?;
        let mut inner = Reader { rest: body, offset: self.offset + 2, rules: self.rules, depth: self.depth + 1 };
        loop {
            if inner.rest.starts_with(&[0, 0]) {
                let length = body.len() - inner.rest.len();
                let contents = body.get(..length).ok_or(truncated)?;
                let raw = self.rest.get(..length + 4).ok_or(truncated)?;
                let rest = self.rest.get(length + 4..).ok_or(truncated)?;
                return Ok((self.built(tag, contents, raw, 2), rest));
            }
            inner.element()?;
        }
    }

    fn built(&self, tag: Tag, contents: &'a [u8], raw: &'a [u8], header: usize) -> Element<'a> {
        Element { tag, contents, raw, offset: self.offset + header, rules: self.rules, depth: self.depth }
    }

    /// The next element, which must have the given tag.
    ///
    /// # Errors
    /// As [`Reader::element`], and [`ErrorKind::UnexpectedTag`].
    pub fn expect(&mut self, tag: Tag) -> Result<Element<'a>, Error> {
        match self.peek() {
            Some(found) if found != tag => Err(self.error(ErrorKind::UnexpectedTag(found))),
            _ => self.element(),
        }
    }

    /// The next element if it has the given tag (OPTIONAL and DEFAULT components).
    ///
    /// # Errors
    /// As [`Reader::element`].
    pub fn optional(&mut self, tag: Tag) -> Result<Option<Element<'a>>, Error> {
        if self.peek() == Some(tag) { self.element().map(Some) } else { Ok(None) }
    }

    /// A reader over the contents of the SEQUENCE that comes next.
    ///
    /// # Errors
    /// As [`Reader::expect`].
    pub fn sequence(&mut self) -> Result<Reader<'a>, Error> {
        self.expect(Tag::SEQUENCE)?.reader()
    }

    /// A reader over the contents of the SET that comes next.
    ///
    /// # Errors
    /// As [`Reader::expect`].
    pub fn set(&mut self) -> Result<Reader<'a>, Error> {
        self.expect(Tag::SET)?.reader()
    }

    /// The OBJECT IDENTIFIER that comes next.
    ///
    /// # Errors
    /// As [`Reader::expect`], and [`ErrorKind::Value`] for contents that X.690 §8.19 does not allow.
    pub fn oid(&mut self) -> Result<Oid<'a>, Error> {
        let element = self.expect(Tag::OID)?;
        Oid::from_contents(element.contents).ok_or(element.invalid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(reader: &mut Reader<'_>) -> ErrorKind {
        reader.element().unwrap_err().kind
    }

    #[test]
    fn definite_lengths_keep_raw_and_contents_apart() {
        let mut reader = Reader::der(&[0x04, 0x02, 0xaa, 0xbb, 0x05, 0x00]);
        let octets = reader.element().unwrap();
        assert_eq!(
            (octets.tag, octets.contents, octets.raw),
            (Tag::OCTET_STRING, &[0xaa, 0xbb][..], &[4, 2, 0xaa, 0xbb][..])
        );
        assert_eq!(reader.expect(Tag::NULL).unwrap().contents, b"");
        reader.finish().unwrap();
    }

    #[test]
    fn non_minimal_length_is_ber_only() {
        let input = [0x04, 0x81, 0x01, 0xaa];
        assert_eq!(first(&mut Reader::der(&input)), ErrorKind::Length);
        assert_eq!(Reader::ber(&input).element().unwrap().contents, &[0xaa]);
    }

    #[test]
    fn indefinite_length_is_ber_only_and_needs_its_end() {
        let input = [0x30, 0x80, 0x04, 0x01, 0xaa, 0x00, 0x00];
        assert_eq!(first(&mut Reader::der(&input)), ErrorKind::Length);
        let element = Reader::ber(&input).element().unwrap();
        assert_eq!((element.contents, element.raw), (&input[2..5], &input[..]));
        assert_eq!(first(&mut Reader::ber(&input[..6])), ErrorKind::Truncated);
    }

    #[test]
    fn nesting_is_bounded() {
        let deep: Vec<u8> = [0x30, 0x80].repeat(100);
        assert_eq!(first(&mut Reader::ber(&deep)), ErrorKind::TooDeep);
        let mut definite = vec![0x05, 0x00];
        for _ in 0..40 {
            let length = u8::try_from(definite.len()).unwrap();
            definite.splice(0..0, [0x30, length]);
        }
        let mut reader = Reader::der(&definite);
        let error = loop {
            match reader.sequence() {
                Ok(inner) => reader = inner,
                Err(error) => break error.kind,
            }
        };
        assert_eq!(error, ErrorKind::TooDeep);
    }

    #[test]
    fn truncated_huge_and_high_tags_are_refused() {
        assert_eq!(first(&mut Reader::der(&[0x30])), ErrorKind::Truncated);
        assert_eq!(first(&mut Reader::der(&[0x30, 0x05, 0x00])), ErrorKind::Truncated);
        assert_eq!(first(&mut Reader::der(&[0x30, 0x85, 1, 0, 0, 0, 0])), ErrorKind::Length);
        assert_eq!(first(&mut Reader::der(&[0x1f, 0x81, 0x01, 0x00])), ErrorKind::HighTagNumber);
    }
}
