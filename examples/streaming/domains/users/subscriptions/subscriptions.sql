-- How each subscription stood at the run's time. The mode, upsert, writes those that are new or another than before.
SELECT
  user_id,
  plan,
  CASE kind WHEN 'cancelled' THEN 'cancelled' ELSE 'active' END AS status,
  happened_at AS since
FROM billing
WHERE kind <> 'charged' AND happened_at < now()
QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY happened_at DESC) = 1
