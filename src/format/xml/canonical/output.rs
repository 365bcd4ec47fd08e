//! Octets on their way to the sink.
//!
//! Most of a document is canonical as it is written. So what is to be written next is held against what stands next in
//! the source: as long as they are the same octets, a run of the source grows, and nothing is copied.
//!
//! *Invariant:* what reaches the sink is what was written, in this order, whatever part of it came as a run.

use super::super::text::{Origin, Piece, Pieces, reference};
use super::Sink;

/// Octets gathered before the sink is called.
const BUFFER: usize = 8 << 10;
/// Runs longer than this go to the sink as they are.
const SMALL: usize = 1 << 10;
/// Runs end here, so that a digest reads them while they are still in the cache.
const LONG: usize = 32 << 10;

pub(super) struct Output<'t, 's, S> {
    text: &'t str,
    source: &'t [u8],
    sink: &'s mut S,
    buffer: Vec<u8>,
    /// The run of the source that was written and is not passed on.
    start: usize,
    end: usize,
}

impl<'t, 's, S: Sink> Output<'t, 's, S> {
    pub(super) fn new(text: &'t str, sink: &'s mut S) -> Self {
        Self { text, source: text.as_bytes(), sink, buffer: Vec::new(), start: 0, end: 0 }
    }

    /// Writes octets of the source.
    #[inline]
    pub(super) fn source(&mut self, start: usize, end: usize) {
        if start != self.end || self.end - self.start > LONG {
            self.pass_on();
            self.start = start;
        }
        self.end = end;
    }

    /// Writes octets that may stand in the source where the run ends.
    #[inline]
    pub(super) fn octets(&mut self, octets: &[u8]) {
        if self.source.get(self.end..self.end + octets.len()) == Some(octets) {
            self.end += octets.len();
        } else {
            self.pass_on();
            self.buffer.extend_from_slice(octets);
        }
    }

    /// Ends the run.
    fn pass_on(&mut self) {
        let run = self.source.get(self.start..self.end).unwrap_or_default();
        self.start = self.end;
        if run.len() > SMALL {
            self.flush();
            self.sink.write(run);
            return;
        }
        self.buffer.extend_from_slice(run);
        if self.buffer.len() >= BUFFER {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if !self.buffer.is_empty() {
            self.sink.write(&self.buffer);
            self.buffer.clear();
        }
    }

    /// Hands over what is left.
    pub(super) fn finish(&mut self) {
        self.pass_on();
        self.flush();
    }

    fn character(&mut self, c: char) {
        self.octets(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// A character of a text node (Canonical XML 1.0 §2.3).
    fn text_character(&mut self, c: char) {
        match c {
            '&' => self.octets(b"&amp;"),
            '<' => self.octets(b"&lt;"),
            '>' => self.octets(b"&gt;"),
            '\r' => self.octets(b"&#xD;"),
            other => self.character(other),
        }
    }

    /// A character of an attribute value (Canonical XML 1.0 §2.3).
    fn value_character(&mut self, c: char) {
        match c {
            '&' => self.octets(b"&amp;"),
            '<' => self.octets(b"&lt;"),
            '"' => self.octets(b"&quot;"),
            '\t' => self.octets(b"&#x9;"),
            '\n' => self.octets(b"&#xA;"),
            '\r' => self.octets(b"&#xD;"),
            other => self.character(other),
        }
    }

    /// An attribute value that was computed.
    pub(super) fn value(&mut self, value: &str) {
        match value.bytes().any(|b| matches!(b, b'&' | b'<' | b'"' | b'\t' | b'\n' | b'\r')) {
            false => self.octets(value.as_bytes()),
            true => value.chars().for_each(|c| self.value_character(c)),
        }
    }

    /// Character data of the source.
    pub(super) fn text(&mut self, start: usize, end: usize) {
        let mut at = start;
        while let Some(found) = memchr::memchr3(b'&', b'\r', b'>', self.source.get(at..end).unwrap_or_default()) {
            let special = at + found;
            self.source(at, special);
            at = special + 1;
            match self.source.get(special) {
                Some(b'>') => self.octets(b"&gt;"),
                Some(b'\r') => {
                    at += usize::from(self.source.get(at) == Some(&b'\n'));
                    self.octets(b"\n");
                }
                // A parsed document has no broken reference: the fallback keeps this total.
                _ => {
                    let (c, length) = reference(self.text.get(special..end).unwrap_or_default()).unwrap_or(('&', 1));
                    at = special + length;
                    self.text_character(c);
                }
            }
        }
        self.source(at, end);
    }

    /// A CDATA section becomes character data.
    pub(super) fn cdata(&mut self, start: usize, end: usize) {
        let mut at = start;
        let special = |b: &u8| matches!(b, b'&' | b'<' | b'>' | b'\r');
        while let Some(found) = self.source.get(at..end).unwrap_or_default().iter().position(special) {
            self.source(at, at + found);
            at += found + 1;
            match self.source.get(at - 1) {
                Some(b'&') => self.octets(b"&amp;"),
                Some(b'<') => self.octets(b"&lt;"),
                Some(b'>') => self.octets(b"&gt;"),
                _ => {
                    at += usize::from(at < end && self.source.get(at) == Some(&b'\n'));
                    self.octets(b"\n");
                }
            }
        }
        self.source(at, end);
    }

    /// A comment, or the data of a processing instruction: only line ends change.
    pub(super) fn literal(&mut self, start: usize, end: usize) {
        let mut at = start;
        while let Some(found) = memchr::memchr(b'\r', self.source.get(at..end).unwrap_or_default()) {
            self.source(at, at + found);
            at += found + 1;
            at += usize::from(at < end && self.source.get(at) == Some(&b'\n'));
            self.octets(b"\n");
        }
        self.source(at, end);
    }

    /// Whether an attribute is written ` name="…"`, as the canonical form has it.
    #[inline]
    pub(super) fn is_written_canonically(&self, name: usize, name_end: usize, value: usize) -> bool {
        value == name_end + 2
            && self.source.get(name_end + 1) == Some(&b'"')
            && name.checked_sub(1).and_then(|before| self.source.get(before)) == Some(&b' ')
    }

    /// An attribute value of the source.
    pub(super) fn source_value(&mut self, start: usize, end: usize) {
        for piece in Pieces::of_text(self.text.get(start..end).unwrap_or_default()) {
            match piece {
                Piece::Run(run) => {
                    run.chars().for_each(|c| self.value_character(if matches!(c, '\t' | '\n') { ' ' } else { c }));
                }
                Piece::Character(_, Origin::Literal) => self.octets(b" "),
                Piece::Character(c, Origin::Reference) => self.value_character(c),
            }
        }
    }
}
