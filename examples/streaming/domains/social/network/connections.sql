-- The newest press of each pair counts.
WITH edges AS (
  SELECT follower_id, followed_id, max(happened_at) AS since
  FROM follow_events
  GROUP BY follower_id, followed_id
  HAVING arg_max(kind, happened_at) = 'followed'
)
SELECT a.follower_id, a.followed_id, a.since, b.follower_id IS NOT NULL AS mutual
FROM edges a
LEFT JOIN edges b ON b.follower_id = a.followed_id AND b.followed_id = a.follower_id
