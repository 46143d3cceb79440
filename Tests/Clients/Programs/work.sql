-- What the shell of SQLite does with memory: a base in memory, an index, sorting, text.
CREATE TABLE t(id INTEGER PRIMARY KEY, k INTEGER, text TEXT);
INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000)
  SELECT i, i * 7919 % 100003, printf('%.*c', 20 + i * 37 % 300, 'a') FROM n;
CREATE INDEX by_k ON t(k);
DELETE FROM t WHERE id % 3 = 0;
UPDATE t SET text = text || 'x' WHERE id % 5 = 0;
SELECT count(*), sum(k), sum(length(text)) FROM t;
SELECT id FROM (SELECT id, text FROM t ORDER BY text DESC, k LIMIT 5);
SELECT length(group_concat(text)) FROM t WHERE k < 30000;
PRAGMA integrity_check;
