-- What those whom a listener follows heard to the end, by how many they are; then what is popular in the favourite genre.
WITH heard AS (
  SELECT DISTINCT user_id, track_id
  FROM plays
  WHERE ended_by = 'finished'
), popular AS (
  SELECT h.track_id, a.genre, count(*) AS listeners
  FROM heard h
  JOIN tracks t ON t.track_id = h.track_id
  JOIN artists a ON a.artist_id = t.artist_id
  GROUP BY h.track_id, a.genre
), favoured AS (
  SELECT genre, track_id, listeners
  FROM popular
  QUALIFY row_number() OVER (PARTITION BY genre ORDER BY listeners DESC, track_id) <= 60
), suggested AS (
  SELECT c.follower_id AS user_id, h.track_id, count(*) AS friends
  FROM connections c
  JOIN heard h ON h.user_id = c.followed_id
  GROUP BY c.follower_id, h.track_id
  UNION ALL
  SELECT p.user_id, f.track_id, 0
  FROM profiles p
  JOIN favoured f ON f.genre = p.top_genre
), best AS (
  SELECT s.user_id, s.track_id, max(s.friends) AS friends
  FROM suggested s
  SEMI JOIN profiles p ON p.user_id = s.user_id
  ANTI JOIN heard h ON h.user_id = s.user_id AND h.track_id = s.track_id
  GROUP BY s.user_id, s.track_id
), ranked AS (
  SELECT
    b.*,
    row_number() OVER (PARTITION BY b.user_id ORDER BY b.friends DESC, p.listeners DESC, b.track_id) AS rank
  FROM best b
  JOIN popular p ON p.track_id = b.track_id
)
SELECT user_id, rank, track_id, CASE WHEN friends > 0 THEN 'friends' ELSE 'genre' END AS because, friends
FROM ranked
WHERE rank <= 10
