-- Checkpoints of the transparency log over the journal: every time-stamped one, and the last of each log.
CREATE TABLE checkpoint (
    origin TEXT NOT NULL,
    size   INTEGER NOT NULL CHECK (size > 0),
    at     INTEGER NOT NULL,
    note   TEXT NOT NULL,
    token  BLOB,
    PRIMARY KEY (origin, size)
) STRICT;
-- What verdicts rest on. Without octets an object is kept as a file.
CREATE TABLE evidence (
    seq    INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    kind   TEXT NOT NULL,
    octets BLOB
) STRICT;

-- Reports and documents of before have none of these.
ALTER TABLE report ADD COLUMN judged_at INTEGER;
ALTER TABLE report ADD COLUMN facts BLOB CHECK (length(facts) = 32);
ALTER TABLE report ADD COLUMN parameters BLOB;
ALTER TABLE document ADD COLUMN facts BLOB CHECK (length(facts) = 32);
