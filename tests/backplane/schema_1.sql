-- A log with schema 1, as the program at commit 6f366f9 wrote it and Python's `iterdump` gave it back.
-- Two days by a true clock, one message by a clock ten years ahead, two more by the true clock again.
BEGIN TRANSACTION;
CREATE TABLE entry (
        id INTEGER PRIMARY KEY,                -- milliseconds * 1,000,000 + sequence
        room INTEGER NOT NULL,
        name TEXT NOT NULL,
        text TEXT NOT NULL
    );
INSERT INTO "entry" VALUES(1795780800000000000,1,'fox','yesterday');
INSERT INTO "entry" VALUES(1795867140000000000,1,'狐狸','你好 ''quoted''');
INSERT INTO "entry" VALUES(1795867150000000000,2,'owl','elsewhere');
INSERT INTO "entry" VALUES(2111400000000000000,1,'fox','from the future');
INSERT INTO "entry" VALUES(2111400000000000001,1,'owl','after it');
INSERT INTO "entry" VALUES(2111400000000000002,2,'owl','and again');
CREATE TABLE mark (                        -- the id source goes on from here if every entry has expired
        name TEXT PRIMARY KEY,
        value INTEGER NOT NULL
    ) WITHOUT ROWID;
CREATE TABLE probe (filling BLOB);
CREATE TABLE retry (                       -- messages by what they are known by when they come again
        room INTEGER NOT NULL,
        key BLOB NOT NULL,
        id INTEGER NOT NULL,
        PRIMARY KEY (room, key)
    ) WITHOUT ROWID;
INSERT INTO "retry" VALUES(1,X'30313233343536373839616263646566',1795867140000000000);
INSERT INTO "retry" VALUES(1,X'66656463626139383736353433323130',2111400000000000000);
CREATE TABLE room (
        number INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        dropped INTEGER NOT NULL DEFAULT 0     -- the newest entry that is no longer kept
    );
INSERT INTO "room" VALUES(1,'lobby',0);
INSERT INTO "room" VALUES(2,'den',0);
CREATE INDEX entry_room ON entry (room, id);
PRAGMA user_version=1;
COMMIT;
