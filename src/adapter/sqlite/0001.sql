-- Registry, first shape. Bodies stand apart from the rows that name them, so that indexes stay narrow.
-- Times are seconds since 1970; digests are SHA-256; dates are text (2026-11-22).

CREATE TABLE body (
    id     INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    bytes  BLOB NOT NULL
) STRICT;

-- `leaf` is stored as it was hashed; `subject` repeats a value of it for the index.
CREATE TABLE journal (
    position INTEGER PRIMARY KEY,
    subject  TEXT NOT NULL,
    leaf     TEXT NOT NULL,
    hash     BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX journal_subject ON journal (subject);

CREATE TABLE report (
    seq      INTEGER PRIMARY KEY,
    id       BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    at       INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    decision TEXT NOT NULL,
    document BLOB NOT NULL CHECK (length(document) = 32),
    digest   BLOB NOT NULL CHECK (length(digest) = 32),
    json     BLOB NOT NULL
) STRICT;

-- The last serial given out in each series of numbers.
CREATE TABLE counter (
    scope TEXT PRIMARY KEY,
    last  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE request (
    seq           INTEGER PRIMARY KEY,
    number        TEXT NOT NULL UNIQUE,
    registered_at INTEGER NOT NULL,
    actor         TEXT NOT NULL,
    service       TEXT NOT NULL,
    edition       TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('registered', 'issued', 'refused')),
    iin           TEXT,
    bin           TEXT,
    document      INTEGER NOT NULL REFERENCES body (id),
    content       INTEGER REFERENCES body (id),
    parameters    BLOB NOT NULL,
    report        INTEGER NOT NULL REFERENCES report (seq)
) STRICT;

-- One row for each signature of a registered request.
CREATE TABLE seen (
    key     BLOB PRIMARY KEY CHECK (length(key) = 32),
    request INTEGER NOT NULL REFERENCES request (seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE licence (
    seq         INTEGER PRIMARY KEY,
    number      TEXT NOT NULL UNIQUE,
    kind        TEXT NOT NULL CHECK (kind <> 'duplicate'),
    state       TEXT NOT NULL CHECK (state IN ('issued', 'reissued', 'suspended', 'resumed', 'terminated')),
    service     TEXT NOT NULL,
    iin         TEXT,
    bin         TEXT,
    issued_to   TEXT NOT NULL,
    request     INTEGER NOT NULL UNIQUE REFERENCES request (seq),
    issue_date  TEXT NOT NULL,
    valid_until TEXT,
    replaces    INTEGER UNIQUE REFERENCES licence (seq)
) STRICT;

-- Attempts to stamp. A number stands here before anything is signed, and stays whatever becomes of it.
CREATE TABLE stamping (
    seq         INTEGER PRIMARY KEY,
    id          BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    number      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    request     INTEGER NOT NULL REFERENCES request (seq),
    licence     INTEGER REFERENCES licence (seq), -- to be replaced or duplicated
    state       TEXT NOT NULL CHECK (state IN ('reserved', 'intended', 'completed', 'voided')),
    actor       TEXT NOT NULL,
    reserved_at INTEGER NOT NULL,
    content     BLOB CHECK (length(content) = 32),
    certificate BLOB CHECK (length(certificate) = 32),
    ended_at    INTEGER,
    void_reason TEXT
) STRICT;
CREATE UNIQUE INDEX stamping_number ON stamping (number) WHERE kind <> 'duplicate';
CREATE UNIQUE INDEX stamping_open_request ON stamping (request) WHERE state IN ('reserved', 'intended');
CREATE UNIQUE INDEX stamping_open_licence ON stamping (licence)
    WHERE state IN ('reserved', 'intended') AND licence IS NOT NULL;

-- Sealed documents: the original of each licence, then its duplicates.
CREATE TABLE document (
    seq        INTEGER PRIMARY KEY,
    licence    INTEGER NOT NULL REFERENCES licence (seq),
    kind       TEXT NOT NULL,
    body       INTEGER NOT NULL REFERENCES body (id),
    content    BLOB NOT NULL CHECK (length(content) = 32),
    stamped_at INTEGER NOT NULL,
    stamping   INTEGER NOT NULL UNIQUE REFERENCES stamping (seq)
) STRICT;
CREATE INDEX document_licence ON document (licence);
-- Not unique: two duplicates sealed in one second by a deterministic signature are the same octets.
CREATE INDEX document_body ON document (body);

-- Why a state changed, in the officer's words, beside the journal that carries the digest alone.
CREATE TABLE state_change (
    seq     INTEGER PRIMARY KEY,
    licence INTEGER NOT NULL REFERENCES licence (seq),
    journal INTEGER NOT NULL REFERENCES journal (position),
    reason  TEXT NOT NULL
) STRICT;
CREATE INDEX state_change_licence ON state_change (licence);

-- Without an answer the call is under way. A voided attempt frees its key.
CREATE TABLE idempotency (
    seq      INTEGER PRIMARY KEY,
    actor    TEXT NOT NULL,
    key      TEXT NOT NULL,
    body     BLOB NOT NULL CHECK (length(body) = 32),
    stamping INTEGER NOT NULL UNIQUE REFERENCES stamping (seq),
    answer   BLOB,
    UNIQUE (actor, key)
) STRICT;

CREATE TABLE token (
    seq     INTEGER PRIMARY KEY,
    id      TEXT NOT NULL UNIQUE,
    holder  TEXT NOT NULL,
    role    TEXT NOT NULL,
    digest  BLOB NOT NULL CHECK (length(digest) = 32),
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    revoked INTEGER
) STRICT;
