-- A database as the first released schema of store/postgres had it, with three entries, a view and a value: what storetest.Before makes.
CREATE SCHEMA tidewaiter;
CREATE TABLE tidewaiter.contexts (
    id bigint NOT NULL,
    hash bytea NOT NULL,
    body bytea NOT NULL
);
CREATE TABLE tidewaiter.entries (
    seq bigint NOT NULL,
    recorded bigint NOT NULL,
    name_hash bigint NOT NULL,
    key_head bigint NOT NULL,
    context bigint,
    sum integer NOT NULL,
    trusted boolean NOT NULL,
    kind bytea NOT NULL,
    key_tail bytea NOT NULL,
    salt bytea NOT NULL,
    speaker bytea NOT NULL,
    name bytea NOT NULL,
    body bytea NOT NULL
);
CREATE TABLE tidewaiter.hashes (
    block bigint NOT NULL,
    first bigint NOT NULL,
    h bytea NOT NULL
);
ALTER TABLE ONLY tidewaiter.hashes ALTER COLUMN h SET STORAGE PLAIN;
CREATE TABLE tidewaiter.head (
    one boolean DEFAULT true NOT NULL,
    size bigint NOT NULL,
    recorded bigint NOT NULL,
    tip bytea NOT NULL,
    token bytea NOT NULL,
    sum integer NOT NULL,
    CONSTRAINT head_one_check CHECK (one)
)
WITH (fillfactor='10');
CREATE TABLE tidewaiter.leases (
    name bytea NOT NULL,
    holder bytea NOT NULL,
    until bigint NOT NULL,
    sum integer NOT NULL
)
WITH (fillfactor='10');
CREATE TABLE tidewaiter.meta (
    name bytea NOT NULL,
    value bytea NOT NULL,
    sum integer NOT NULL
);
CREATE TABLE tidewaiter.rows (
    view bigint NOT NULL,
    about integer NOT NULL,
    sum integer NOT NULL,
    key bytea NOT NULL,
    value bytea NOT NULL,
    long bytea
);
CREATE TABLE tidewaiter.version (
    one boolean DEFAULT true NOT NULL,
    version integer NOT NULL,
    CONSTRAINT version_one_check CHECK (one)
);
CREATE TABLE tidewaiter.views (
    id bigint NOT NULL,
    name bytea NOT NULL,
    cursor bigint NOT NULL,
    token bytea NOT NULL,
    sum integer NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE tidewaiter.views ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME tidewaiter.views_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
INSERT INTO tidewaiter.contexts VALUES (1, '\x026d9a9b3aec4b9ff36e51e99d8ee52fbb21dffbe1935398d163673cdc1f43dd', '\x5b2268747470733a2f2f7265662e6773312e6f72672f7374616e64617264732f65706369732f65706369732d636f6e746578742e6a736f6e6c64225d');
INSERT INTO tidewaiter.entries VALUES (0, 1772366400000000, 1785655545285031919, 9004903810733974755, 1, 1504420611, false, '\x6576656e74', '\xb66db5a6a1e5420e6e4fe754e228626602bf5e6ae2d9d63e', '\xb6d34f5855ec9b72f82a10407504d02f2fe21d5fcddbfe5da20e1348af461bd7', '\x68747470733a2f2f69642e6773312e6f72672f3431372f39353231333231303030303134', '\x75726e3a757569643a30303030303030302d303030302d343030302d383030302d303030303030303030303030', '\x7b2274797065223a224f626a6563744576656e74222c226e223a307d');
INSERT INTO tidewaiter.entries VALUES (1, 1772366400000001, 5278695127610612825, -7128175045032041350, 1, 151050420, false, '\x6576656e74', '\x2cde0dff721e9739a4f0d448cbc78f9b37f816f02c006ecc', '\x75a2efc498d3793f0fbbb0d925dac19690bc8b434449b5fc13c6abc4e8361fa4', '\x68747470733a2f2f69642e6773312e6f72672f3431372f39353231333231303030303134', '\x75726e3a757569643a30303030303030302d303030302d343030302d383030302d303030303030303030303031', '\x7b2274797065223a224f626a6563744576656e74222c226e223a317d');
INSERT INTO tidewaiter.entries VALUES (2, 1772366400000002, 6415852695479380681, 8091253483271359631, 1, -52294852, false, '\x6576656e74', '\x65e2d3677056aa59ed064262f19cc8d7c5ed628d73556c6d', '\xfb2159eea8c3337b5e4e9f9cd21bdb5e6f8bf008a947d49d00a6097e1a920fbf', '\x68747470733a2f2f69642e6773312e6f72672f3431372f39353231333231303030303134', '\x75726e3a757569643a30303030303030302d303030302d343030302d383030302d303030303030303030303032', '\x7b2274797065223a224f626a6563744576656e74222c226e223a327d');
INSERT INTO tidewaiter.hashes VALUES (0, 0, '\x903cd7bd8417be0424fc6b4e35276d81630ea11b6e0180dc4361559bfc5e63988571e2e3d27311be7605d992b6c9a7b2185c8a65a1b99b2ba85a8ef35bffe0b7717d3f2c2f7ed0dc43a0cb196500347807314f019304456d5730e8890db2897f3b479ee848ac17e8937d80d8195eef8237541347200ba8c6386556269bfcd69b');
INSERT INTO tidewaiter.head VALUES (true, 3, 1772366400000002, '\x3b479ee848ac17e8937d80d8195eef8237541347200ba8c6386556269bfcd69b', '\xc61d9d4b0a00924a155cdf34551f8423', 1200809917);
INSERT INTO tidewaiter.meta VALUES ('\x6d', '\x6f6c64', 1573635831);
INSERT INTO tidewaiter.rows VALUES (1, -1439536376, -1125526803, '\x6b', '\x6f6c64', NULL);
INSERT INTO tidewaiter.version VALUES (true, 1);
INSERT INTO tidewaiter.views OVERRIDING SYSTEM VALUE VALUES (1, '\x76', 1, '\x7e48a3332b454d9c19914299f033566c', -277800394);
SELECT pg_catalog.setval('tidewaiter.views_id_seq', 1, true);
ALTER TABLE ONLY tidewaiter.contexts
    ADD CONSTRAINT contexts_hash_key UNIQUE (hash);
ALTER TABLE ONLY tidewaiter.contexts
    ADD CONSTRAINT contexts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tidewaiter.entries
    ADD CONSTRAINT entries_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY tidewaiter.hashes
    ADD CONSTRAINT hashes_pkey PRIMARY KEY (block, first);
ALTER TABLE ONLY tidewaiter.head
    ADD CONSTRAINT head_pkey PRIMARY KEY (one);
ALTER TABLE ONLY tidewaiter.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (name);
ALTER TABLE ONLY tidewaiter.meta
    ADD CONSTRAINT meta_pkey PRIMARY KEY (name);
ALTER TABLE ONLY tidewaiter.rows
    ADD CONSTRAINT rows_pkey PRIMARY KEY (view, key, about);
ALTER TABLE ONLY tidewaiter.version
    ADD CONSTRAINT version_pkey PRIMARY KEY (one);
ALTER TABLE ONLY tidewaiter.views
    ADD CONSTRAINT views_name_key UNIQUE (name);
ALTER TABLE ONLY tidewaiter.views
    ADD CONSTRAINT views_pkey PRIMARY KEY (id);
CREATE INDEX entries_by_key ON tidewaiter.entries USING btree (key_head);
CREATE INDEX entries_by_name ON tidewaiter.entries USING btree (name_hash);
