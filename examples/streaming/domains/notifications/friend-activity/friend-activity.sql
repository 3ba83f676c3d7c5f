-- For whoever agreed to it: the artist whom most of those whom they follow heard the day before, and they themselves never.
WITH days AS (
  SELECT CAST(now() AS DATE) AS day
), heard AS (
  SELECT p.user_id, t.artist_id, max(p.play_date = d.day - 1 AND p.ended_by = 'finished') AS yesterday
  FROM plays p
  JOIN tracks t ON t.track_id = p.track_id
  CROSS JOIN days d
  WHERE p.play_date < d.day
  GROUP BY p.user_id, t.artist_id
), told AS (
  SELECT c.follower_id AS user_id, h.artist_id, count(*) AS friends
  FROM connections c
  JOIN heard h ON h.user_id = c.followed_id AND h.yesterday
  SEMI JOIN users u ON u.user_id = c.follower_id AND u.marketing_consent
  ANTI JOIN heard o ON o.user_id = c.follower_id AND o.artist_id = h.artist_id
  GROUP BY c.follower_id, h.artist_id
  HAVING count(*) >= 2
)
SELECT d.day, t.user_id, t.artist_id, t.friends
FROM told t
CROSS JOIN days d
QUALIFY row_number() OVER (PARTITION BY t.user_id ORDER BY t.friends DESC, t.artist_id) = 1
