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
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.05');
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
INSERT INTO tidewaiter.entries VALUES (0, 1772366400000000, 1785655545285031919, 9004903810733974755, 1, -1701660839, false, '\x6576656e74', '\xb66db5a6a1e5420e6e4fe754e228626602bf5e6ae2d9d63e', '\x1d169e946fc79f914b183be19dbf604bb1efe41e4ec07d113ae376b91afb41c0', '\x68747470733a2f2f69642e6773312e6f72672f3431372f39353231333231303030303134', '\x75726e3a757569643a30303030303030302d303030302d343030302d383030302d303030303030303030303030', '\x7b2274797065223a224f626a6563744576656e74222c226e223a307d');
INSERT INTO tidewaiter.entries VALUES (1, 1772366400000001, 5278695127610612825, -7128175045032041350, 1, -609109785, false, '\x6576656e74', '\x2cde0dff721e9739a4f0d448cbc78f9b37f816f02c006ecc', '\xb29bcd4d898781a751d7f5b4c840215fc8e10bdd10f722066358ac5b61e919ba', '\x68747470733a2f2f69642e6773312e6f72672f3431372f39353231333231303030303134', '\x75726e3a757569643a30303030303030302d303030302d343030302d383030302d303030303030303030303031', '\x7b2274797065223a224f626a6563744576656e74222c226e223a317d');
INSERT INTO tidewaiter.entries VALUES (2, 1772366400000002, 6415852695479380681, 8091253483271359631, 1, 1778466295, false, '\x6576656e74', '\x65e2d3677056aa59ed064262f19cc8d7c5ed628d73556c6d', '\x59281a70b47dc34fb5e07296efbeac7f0aa018bf8c149103e05631eb70a906fa', '\x68747470733a2f2f69642e6773312e6f72672f3431372f39353231333231303030303134', '\x75726e3a757569643a30303030303030302d303030302d343030302d383030302d303030303030303030303032', '\x7b2274797065223a224f626a6563744576656e74222c226e223a327d');
INSERT INTO tidewaiter.hashes VALUES (0, 0, '\x1aa17b6c6531cc3e3213c77d3908cea61db57a3151d438de2d2c6e4a6cb3f703bc454282704a4d1172817695f2c49e7ff1cdda138e75138159a10a6d18b9a6f374a356884635bb4aea386c6ee696f8ae15d3c4b73d8a1f1612cad097880e118ecdd2a6b4744c59dd4be91213853170a6a34396ad1f63a3f3c9fd4231f4a4480d');
INSERT INTO tidewaiter.head VALUES (true, 3, 1772366400000002, '\xcdd2a6b4744c59dd4be91213853170a6a34396ad1f63a3f3c9fd4231f4a4480d', '\xa1216efa05ec7f11d5b44ccf52c5e06d', 356976202);
INSERT INTO tidewaiter.meta VALUES ('\x6d', '\x6f6c64', 1573635831);
INSERT INTO tidewaiter.rows VALUES (1, -1439536376, -1125526803, '\x6b', '\x6f6c64', NULL);
INSERT INTO tidewaiter.version VALUES (true, 1);
INSERT INTO tidewaiter.views OVERRIDING SYSTEM VALUE VALUES (1, '\x76', 1, '\x8b7a7c6eefb59dcdccaa3fdb3aaaa2be', 1478924582);
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
