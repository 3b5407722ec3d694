-- A session that has used its caches, and holds a sort of more than its work_mem.
SELECT sum(abalance) FROM pgbench_accounts WHERE aid < 1000;
SELECT count(*) FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid;
BEGIN;
DECLARE sorted CURSOR FOR SELECT g, md5(g::text) FROM generate_series(1, 40000) g ORDER BY 2;
FETCH 1 FROM sorted;
SELECT pg_sleep(600);
END;
