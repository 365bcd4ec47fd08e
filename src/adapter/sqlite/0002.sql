-- Second shape: other containers, and messages that were taken.

-- A sealed document in the containers beside CMS. Documents stamped before have none.
CREATE TABLE document_form (
    document  INTEGER NOT NULL REFERENCES document (seq),
    container TEXT NOT NULL CHECK (container <> 'cms'),
    body      INTEGER NOT NULL REFERENCES body (id),
    content   BLOB NOT NULL CHECK (length(content) = 32),
    PRIMARY KEY (document, container)
) STRICT, WITHOUT ROWID;
CREATE INDEX document_form_body ON document_form (body);

-- Messages that say how long they are fresh, each taken once while it is (seconds since 1970; NULL: for good).
CREATE TABLE message (
    key   BLOB PRIMARY KEY CHECK (length(key) = 32),
    until INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX message_until ON message (until) WHERE until IS NOT NULL;
