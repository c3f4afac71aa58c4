-- A log with schema 3, as the program at commit d8927c8 wrote it and Python's `iterdump` gave it back.
BEGIN TRANSACTION;
CREATE TABLE entry (
        id INTEGER PRIMARY KEY,                -- milliseconds * 1,000,000 + sequence
        room INTEGER NOT NULL,
        name TEXT NOT NULL,
        text TEXT NOT NULL
    , at_ms INTEGER);
INSERT INTO "entry" VALUES(1799999941000000000,1,'fox','first',1799999941000);
INSERT INTO "entry" VALUES(1799999942000000000,1,'狐狸','你好 ''quoted''',1799999942000);
INSERT INTO "entry" VALUES(1799999943000000000,2,'owl','elsewhere',1799999943000);
INSERT INTO "entry" VALUES(1799999944000000000,1,'fox','retried',1799999944000);
CREATE TABLE mark (                        -- the id source goes on from here if every entry has expired
        name TEXT PRIMARY KEY,
        value INTEGER NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "mark" VALUES('aging',1799999944000);
INSERT INTO "mark" VALUES('steady',1799999944000);
CREATE TABLE probe (filling BLOB);
CREATE TABLE retry (                       -- messages by what they are known by when they come again
        room INTEGER NOT NULL,
        key BLOB NOT NULL,
        id INTEGER NOT NULL, at_ms INTEGER,
        PRIMARY KEY (room, key)
    ) WITHOUT ROWID;
INSERT INTO "retry" VALUES(1,X'30313233343536373839616263646566',1799999944000000000,1799999944000);
INSERT INTO "retry" VALUES(2,X'66656463626139383736353433323130',1799999943000000000,1799999943000);
CREATE TABLE room (
        number INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        dropped INTEGER NOT NULL DEFAULT 0     -- the newest entry that is no longer kept
    );
INSERT INTO "room" VALUES(1,'lobby',0);
INSERT INTO "room" VALUES(2,'den',0);
CREATE TABLE talk (                        -- who is in a private talk, but not with whom
        number INTEGER PRIMARY KEY,            -- the higher, the later
        key BLOB NOT NULL UNIQUE
    );
INSERT INTO "talk" VALUES(1,X'74616C6B');
CREATE INDEX entry_room ON entry (room, id);
PRAGMA user_version=3;
COMMIT;
