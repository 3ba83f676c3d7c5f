-- By what each listener heard: who paid is one token here and in the plays, and no name.
WITH period AS (
  SELECT CAST(date_trunc('month', now()) - INTERVAL 1 MONTH AS DATE) AS first_day, CAST(date_trunc('month', now()) AS DATE) AS next_day
), paid_plays AS (
  SELECT p.user_id, t.artist_id, count(*) AS plays
  FROM plays p
  JOIN tracks t ON t.track_id = p.track_id
  CROSS JOIN period m
  WHERE p.play_date >= m.first_day AND p.play_date < m.next_day AND p.played_ms >= 30000
  GROUP BY p.user_id, t.artist_id
), paid AS (  -- 65 % of it is for those who make the music, in millionths of a euro.
  SELECT c.user_id, CAST(sum(c.amount_eur) * 650000 AS BIGINT) AS micros
  FROM charges c
  CROSS JOIN period m
  WHERE c.charged_at >= m.first_day AND c.charged_at < m.next_day
  GROUP BY c.user_id
), heard AS (
  SELECT user_id, sum(plays) AS plays
  FROM paid_plays
  GROUP BY user_id
), silent AS (  -- What is paid by those who heard nothing goes to all, by their share of the plays.
  SELECT
    (SELECT coalesce(sum(b.micros), 0) FROM paid b ANTI JOIN heard h ON h.user_id = b.user_id) AS micros,
    (SELECT sum(plays) FROM paid_plays) AS plays
), earned AS (
  SELECT
    p.artist_id,
    sum(p.plays) AS plays,
    sum(coalesce(b.micros, 0) * p.plays // h.plays) + any_value(s.micros) * sum(p.plays) // any_value(s.plays) AS micros
  FROM paid_plays p
  JOIN heard h ON h.user_id = p.user_id
  LEFT JOIN paid b ON b.user_id = p.user_id
  CROSS JOIN silent s
  GROUP BY p.artist_id
), roster AS (  -- As it stood when the month of the settlement began.
  SELECT r.artist_id, r.label_id, l.artist_share_pct
  FROM rosters r
  JOIN labels l ON l.label_id = r.label_id AND l.month = r.month
  WHERE r.month = (SELECT max(month) FROM labels WHERE month <= CAST(now() AS DATE))
)
SELECT
  r.label_id,
  e.artist_id,
  m.first_day AS month,
  e.plays,
  CAST(e.micros // 10000 AS DECIMAL(12, 0)) / 100 AS amount_eur,
  CAST(e.micros * r.artist_share_pct // 1000000 AS DECIMAL(12, 0)) / 100 AS artist_eur
FROM earned e
JOIN roster r ON r.artist_id = e.artist_id
CROSS JOIN period m
