"""What the log's tables are made with, and what brings older ones up to date."""

from __future__ import annotations

from typing import Final

# Of version 4; a later version that changes it writes its own and leaves this one to the migration.
_FEEDBACK_4: Final = """
CREATE TABLE feedback (
    id          TEXT PRIMARY KEY NOT NULL,
    decision_id TEXT NOT NULL,
    at          INTEGER NOT NULL,
    kind        TEXT NOT NULL,              -- score, binary, preference, implicit or label
    value       REAL,                       -- 0 to 1; NULL for a label that had no worth of its own
    model       TEXT,
    other       TEXT,
    source      TEXT NOT NULL,
    comment     TEXT,
    name        TEXT,                       -- the label, or what was seen
    caller      TEXT NOT NULL DEFAULT ''    -- whose key it came with
) STRICT"""
_FEEDBACK_FROM_3: Final = """
INSERT INTO feedback SELECT id, decision_id, at, CASE kind WHEN 'thumb' THEN 'binary' ELSE kind END,
    value, model, other, source, comment, NULL, '' FROM feedback_3"""
_FEEDBACK_INDEX_4: Final = "CREATE INDEX feedback_by_decision ON feedback (decision_id, at, id)"

# Numbers of changes are never given twice, and VACUUM leaves them as they are: cursors stay good.
# What a table must do on every insertion stands here, so that whoever inserts cannot forget it.
_FOLLOWING_4: Final = """
CREATE TABLE log (
    id TEXT NOT NULL                        -- tells this log from every other
) STRICT;
INSERT INTO log VALUES (lower(hex(randomblob(16))));

CREATE TABLE changes (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    decision_id TEXT NOT NULL               -- about which something was stored
) STRICT;

CREATE TABLE erasures (
    feedback_id TEXT PRIMARY KEY NOT NULL,
    decision_id TEXT NOT NULL,
    at          INTEGER NOT NULL
) STRICT;

CREATE TABLE moves (
    id       TEXT PRIMARY KEY NOT NULL,
    at       INTEGER NOT NULL,
    policy   TEXT NOT NULL,
    version  TEXT NOT NULL,
    before   TEXT NOT NULL,
    after    TEXT NOT NULL,
    share    REAL NOT NULL,
    by       TEXT NOT NULL,
    why      TEXT NOT NULL,
    evidence TEXT NOT NULL                  -- JSON
) STRICT"""
_TRIGGERS_4: Final = """
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
    BEGIN SELECT RAISE(IGNORE); END"""

# No foreign keys: an outcome or feedback may be written before its decision.
_DECISIONS: Final = """
CREATE TABLE decisions (
    id              TEXT PRIMARY KEY NOT NULL,  -- a UUID
    at              INTEGER NOT NULL,           -- microseconds since 1970, UTC; so in every table
    request_id      TEXT NOT NULL,
    policy          TEXT NOT NULL,
    policy_digest   TEXT NOT NULL,
    requested_model TEXT NOT NULL,
    stream          INTEGER NOT NULL,           -- 0 or 1
    chosen          TEXT NOT NULL,
    why             TEXT NOT NULL,
    propensities    TEXT NOT NULL,              -- JSON: model -> probability
    estimates       TEXT NOT NULL,              -- JSON: model -> {reward, reward_std, cost_usd}
    features        TEXT NOT NULL,              -- JSON: signal -> number, text, boolean or texts
    embedding       BLOB,                       -- float32, little-endian
    text            TEXT,
    rule            TEXT,                       -- the rules that matched; NULL is none
    tag             TEXT,
    trace           TEXT NOT NULL DEFAULT '{}', -- JSON: what else the decision was made from
    caller          TEXT NOT NULL DEFAULT ''    -- whose request it was; '' is nobody in particular
) STRICT;
CREATE INDEX decisions_by_time ON decisions (at, id);
CREATE INDEX decisions_by_policy ON decisions (policy, at, id)"""
_OUTCOMES: Final = """
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
    cost_nano_usd     INTEGER,                  -- dollars times 1e9; NULL is unknown
    ttft_s            REAL,
    latency_s         REAL NOT NULL,
    attempts          TEXT NOT NULL,            -- JSON: [{model, started, latency_s, status, error, endpoint, then}]
    cost_source       TEXT,                     -- reported, priced or estimated; NULL with an unknown cost
    cache_write_tokens      INTEGER,
    reasoning_tokens        INTEGER,
    audio_prompt_tokens     INTEGER,
    audio_completion_tokens INTEGER,
    calls    TEXT NOT NULL DEFAULT '[]',        -- JSON: calls besides the one that served: [{model, why, error, ...}]
    answer   TEXT,                              -- JSON: the one that did; NULL where it was the only one
    plan_end TEXT                               -- relayed, settled, bounds or no_answer
) STRICT"""


def _statements(*scripts: str) -> tuple[str, ...]:
    """Return the statements of scripts: each ends its line with its semicolon."""
    return tuple(statement for script in scripts for statement in script.split(";\n"))


#: What lays out an empty file.
TABLES: Final = _statements(_DECISIONS, _OUTCOMES, _FEEDBACK_4, _FEEDBACK_INDEX_4, _FOLLOWING_4, _TRIGGERS_4)

#: What makes a file of each version one of the next.
MIGRATIONS: Final = {
    1: (
        "ALTER TABLE decisions ADD COLUMN rule TEXT",
        "ALTER TABLE decisions ADD COLUMN tag TEXT",
        "ALTER TABLE decisions ADD COLUMN trace TEXT NOT NULL DEFAULT '{}'",
    ),
    2: (
        "ALTER TABLE outcomes ADD COLUMN cost_source TEXT",
        "ALTER TABLE outcomes ADD COLUMN cache_write_tokens INTEGER",
        "ALTER TABLE outcomes ADD COLUMN reasoning_tokens INTEGER",
        "ALTER TABLE outcomes ADD COLUMN audio_prompt_tokens INTEGER",
        "ALTER TABLE outcomes ADD COLUMN audio_completion_tokens INTEGER",
    ),
    3: (
        "ALTER TABLE decisions ADD COLUMN caller TEXT NOT NULL DEFAULT ''",
        "DROP INDEX feedback_by_decision",
        "ALTER TABLE feedback RENAME TO feedback_3",
        _FEEDBACK_4,
        _FEEDBACK_FROM_3,
        "DROP TABLE feedback_3",
        _FEEDBACK_INDEX_4,
        *_statements(_FOLLOWING_4),
        # What is there already: each decision once, as whoever follows the log reads all that belongs to it.
        "INSERT INTO changes (decision_id) SELECT id FROM decisions ORDER BY at, id",
        *_statements(_TRIGGERS_4),
    ),
    4: (
        "ALTER TABLE outcomes ADD COLUMN calls TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE outcomes ADD COLUMN answer TEXT",
        "ALTER TABLE outcomes ADD COLUMN plan_end TEXT",
    ),
}
