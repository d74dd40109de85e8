-- Times are RFC 3339 text in UTC, so that they compare as text. An index ends in the row number
-- by nature: (created_at, seq) is the order of every page.

-- Whatever is looked up by id, or by who owns it in order of time, and goes over the wire whole.
CREATE TABLE record (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, owner TEXT,
    moment TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (kind, id));
CREATE INDEX record_owner ON record (kind, owner, moment);
CREATE INDEX record_moment ON record (kind, moment);

CREATE TABLE account (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, program_id TEXT NOT NULL,
    mapping_id TEXT NOT NULL, phone_number TEXT, customer_id TEXT,
    balance INTEGER NOT NULL, lifetime_points INTEGER NOT NULL,
    enrolled_at TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    UNIQUE (program_id, phone_number));
CREATE INDEX account_phone ON account (phone_number, created_at);
CREATE INDEX account_customer ON account (customer_id, created_at);
CREATE INDEX account_created ON account (created_at);

CREATE TABLE event (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL,
    type TEXT NOT NULL, created_at TEXT NOT NULL, location_id TEXT, order_id TEXT,
    points INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX event_account ON event (account_id, created_at);
CREATE INDEX event_created ON event (created_at);
CREATE INDEX event_order ON event (order_id, created_at) WHERE order_id IS NOT NULL;

CREATE TABLE answered (
    endpoint TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL, answer TEXT NOT NULL,
    PRIMARY KEY (endpoint, key)) WITHOUT ROWID;
