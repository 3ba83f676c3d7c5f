SELECT * EXCLUDE (a) REPLACE (b AS c), list_transform(l, lambda x: x + 1) FROM (PIVOT t ON g IN (1, 2) USING sum(id)), unnest([1]) USING SAMPLE 5
