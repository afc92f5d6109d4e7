"""Logs as earlier versions wrote them."""

import sqlite3
from contextlib import closing

from gateway.store.schema import APPLICATION_ID

#: The tables of version 3, as it laid them out.
TABLES_3 = """
CREATE TABLE decisions (
    id              TEXT PRIMARY KEY NOT NULL,
    at              INTEGER NOT NULL,
    request_id      TEXT NOT NULL,
    policy          TEXT NOT NULL,
    policy_digest   TEXT NOT NULL,
    requested_model TEXT NOT NULL,
    stream          INTEGER NOT NULL,
    chosen          TEXT NOT NULL,
    why             TEXT NOT NULL,
    propensities    TEXT NOT NULL,
    estimates       TEXT NOT NULL,
    features        TEXT NOT NULL,
    embedding       BLOB,
    text            TEXT,
    rule            TEXT,
    tag             TEXT,
    trace           TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX decisions_by_time ON decisions (at, id);
CREATE INDEX decisions_by_policy ON decisions (policy, at, id);

CREATE TABLE outcomes (
    decision_id       TEXT PRIMARY KEY NOT NULL,
    at                INTEGER NOT NULL,
    served_by         TEXT,
    status            INTEGER NOT NULL,
    error             TEXT,
    finish_reason     TEXT,
    prompt_tokens     INTEGER,
    completion_tokens INTEGER,
    cached_tokens     INTEGER,
    cost_nano_usd     INTEGER,
    ttft_s            REAL,
    latency_s         REAL NOT NULL,
    attempts          TEXT NOT NULL,
    cost_source       TEXT,
    cache_write_tokens      INTEGER,
    reasoning_tokens        INTEGER,
    audio_prompt_tokens     INTEGER,
    audio_completion_tokens INTEGER
) STRICT;

CREATE TABLE feedback (
    id          TEXT PRIMARY KEY NOT NULL,
    decision_id TEXT NOT NULL,
    at          INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    value       REAL NOT NULL,
    model       TEXT,
    other       TEXT,
    source      TEXT NOT NULL,
    comment     TEXT
) STRICT;
CREATE INDEX feedback_by_decision ON feedback (decision_id, at, id);
"""

#: Those of version 1; version 2 had the same outcomes, and all three the same feedback.
_DECISIONS_1 = """
CREATE TABLE decisions (id TEXT PRIMARY KEY NOT NULL, at INTEGER NOT NULL, request_id TEXT NOT NULL,
policy TEXT NOT NULL, policy_digest TEXT NOT NULL, requested_model TEXT NOT NULL, stream INTEGER NOT NULL,
chosen TEXT NOT NULL, why TEXT NOT NULL, propensities TEXT NOT NULL, estimates TEXT NOT NULL, features TEXT NOT NULL,
embedding BLOB, text TEXT) STRICT;
CREATE INDEX decisions_by_time ON decisions (at, id);
CREATE INDEX decisions_by_policy ON decisions (policy, at, id);
"""
_OUTCOMES_1 = """
CREATE TABLE outcomes (decision_id TEXT PRIMARY KEY NOT NULL, at INTEGER NOT NULL, served_by TEXT,
status INTEGER NOT NULL, error TEXT, finish_reason TEXT, prompt_tokens INTEGER, completion_tokens INTEGER,
cached_tokens INTEGER, cost_nano_usd INTEGER, ttft_s REAL, latency_s REAL NOT NULL, attempts TEXT NOT NULL) STRICT;
"""
_MARKS_2 = """
ALTER TABLE decisions ADD COLUMN rule TEXT;
ALTER TABLE decisions ADD COLUMN tag TEXT;
ALTER TABLE decisions ADD COLUMN trace TEXT NOT NULL DEFAULT '{}';
"""
_FEEDBACK_1 = TABLES_3[TABLES_3.index("CREATE TABLE feedback") :]
_LAID_OUT = {
    1: _DECISIONS_1 + _OUTCOMES_1 + _FEEDBACK_1,
    2: _DECISIONS_1 + _MARKS_2 + _OUTCOMES_1 + _FEEDBACK_1,
    3: TABLES_3,
}

#: The version from which on a thumb is binary feedback.
THUMBS_UNTIL = 4
#: What version 4 laid out besides, as it did.
_CALLER_4 = "ALTER TABLE decisions ADD COLUMN caller TEXT NOT NULL DEFAULT '';"
_FEEDBACK_4 = """
CREATE TABLE feedback (id TEXT PRIMARY KEY NOT NULL, decision_id TEXT NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL,
value REAL, model TEXT, other TEXT, source TEXT NOT NULL, comment TEXT, name TEXT, caller TEXT NOT NULL DEFAULT '') STRICT;
CREATE INDEX feedback_by_decision ON feedback (decision_id, at, id);
"""
_FOLLOWING_4 = """
CREATE TABLE log (id TEXT NOT NULL) STRICT;
INSERT INTO log VALUES (lower(hex(randomblob(16))));
CREATE TABLE changes (number INTEGER PRIMARY KEY AUTOINCREMENT, decision_id TEXT NOT NULL) STRICT;
CREATE TABLE erasures (feedback_id TEXT PRIMARY KEY NOT NULL, decision_id TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE moves (id TEXT PRIMARY KEY NOT NULL, at INTEGER NOT NULL, policy TEXT NOT NULL, version TEXT NOT NULL,
before TEXT NOT NULL, after TEXT NOT NULL, share REAL NOT NULL, by TEXT NOT NULL, why TEXT NOT NULL,
evidence TEXT NOT NULL) STRICT;
CREATE TRIGGER decision_changes AFTER INSERT ON decisions
    BEGIN INSERT INTO changes (decision_id) VALUES (new.id); END;
CREATE TRIGGER outcome_changes AFTER INSERT ON outcomes
    BEGIN INSERT INTO changes (decision_id) VALUES (new.decision_id); END;
CREATE TRIGGER feedback_changes AFTER INSERT ON feedback
    BEGIN INSERT INTO changes (decision_id) VALUES (new.decision_id); END;
CREATE TRIGGER feedback_goes AFTER DELETE ON feedback
    BEGIN INSERT INTO changes (decision_id) VALUES (old.decision_id); END;
CREATE TRIGGER erasure_deletes AFTER INSERT ON erasures
    BEGIN DELETE FROM feedback WHERE id = new.feedback_id; END;
CREATE TRIGGER feedback_stays_erased BEFORE INSERT ON feedback
    WHEN EXISTS (SELECT 1 FROM erasures WHERE feedback_id = new.id)
    BEGIN SELECT RAISE(IGNORE); END;
"""
_LAID_OUT[4] = TABLES_3[: TABLES_3.index("CREATE TABLE feedback")] + _CALLER_4 + _FEEDBACK_4 + _FOLLOWING_4

_CONTENT = """
INSERT INTO decisions (id, at, request_id, policy, policy_digest, requested_model, stream, chosen, why, propensities,
estimates, features) VALUES ('00000000-0000-0000-0000-000000000001', 1, 'r', 'auto', 'd', 'auto', 0, 'm', 'why', '{"m": 1.0}', '{}', '{}');
INSERT INTO outcomes (decision_id, at, served_by, status, finish_reason, prompt_tokens, completion_tokens,
cached_tokens, cost_nano_usd, latency_s, attempts) VALUES ('00000000-0000-0000-0000-000000000001', 2, 'm', 200, 'stop', 12, 6, 4, 22000, 1.5, '[]');
INSERT INTO feedback (id, decision_id, at, kind, value, model, other, source, comment) VALUES ('fb_1', '00000000-0000-0000-0000-000000000001', 3, 'thumb', 1.0, NULL, NULL, 'user', 'good');
INSERT INTO feedback (id, decision_id, at, kind, value, model, other, source, comment) VALUES ('fb_2', '00000000-0000-0000-0000-000000000001', 4, 'preference', 1.0, 'm', 'n', 'grader', NULL);
INSERT INTO feedback (id, decision_id, at, kind, value, model, other, source, comment) VALUES ('fb_3', '00000000-0000-0000-0000-000000000009', 5, 'score', 0.25, NULL, NULL, 'user', NULL);
"""


def write_old_log(path, version):
    """Write a log of an older version: a decision, its outcome, a thumb, a preference, and a score on no decision."""
    content = _CONTENT.replace("'thumb'", "'thumb'" if version < THUMBS_UNTIL else "'binary'")
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_LAID_OUT[version] + content)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.commit()
