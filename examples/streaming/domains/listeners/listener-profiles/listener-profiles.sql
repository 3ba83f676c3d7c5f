-- Ages and months are counted to the newest day of plays, so that the same plays make the same profiles.
WITH period AS (
  SELECT max(play_date) AS last_day, (date_diff('day', min(play_date), max(play_date)) + 1) / 30.4375 AS months
  FROM plays
), heard AS (
  SELECT p.user_id, p.play_date, p.played_ms, p.ended_by, p.device_kind, a.artist_id, a.name AS artist, a.genre
  FROM plays p
  JOIN tracks t ON t.track_id = p.track_id
  JOIN artists a ON a.artist_id = t.artist_id
), totals AS (
  SELECT
    user_id,
    count(*) AS plays,
    sum(played_ms) / 3600000.0 AS hours,
    100.0 * count(*) FILTER (WHERE ended_by = 'skipped') / count(*) AS skipped_pct,
    count(DISTINCT play_date) AS active_days,
    max(play_date) AS last_play_date
  FROM heard
  GROUP BY user_id
), genres AS (  -- Of two that were heard as often, the first by name.
  SELECT user_id, genre
  FROM heard
  GROUP BY user_id, genre
  QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY count(*) DESC, genre) = 1
), favourites AS (
  SELECT user_id, artist
  FROM heard
  GROUP BY user_id, artist_id, artist
  QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY count(*) DESC, artist_id) = 1
), devices AS (
  SELECT user_id, device_kind
  FROM heard
  GROUP BY user_id, device_kind
  QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY count(*) DESC, device_kind) = 1
), people AS (  -- Whole years; 1900-01-01 means that nobody told.
  SELECT u.user_id, u.country, u.plan, date_sub('year', nullif(u.birth_date, DATE '1900-01-01'), p.last_day) AS age
  FROM users u
  CROSS JOIN period p
)
SELECT
  u.user_id,
  u.country,
  CASE
    WHEN u.age IS NULL THEN 'unknown'
    WHEN u.age < 18 THEN '13-17'
    WHEN u.age < 25 THEN '18-24'
    WHEN u.age < 35 THEN '25-34'
    WHEN u.age < 45 THEN '35-44'
    WHEN u.age < 55 THEN '45-54'
    WHEN u.age < 65 THEN '55-64'
    ELSE '65+'
  END AS age_band,
  u.plan,
  g.genre AS top_genre,
  f.artist AS top_artist,
  d.device_kind AS top_device,
  t.plays,
  round(t.plays / p.months, 1) AS plays_per_month,
  round(t.hours / p.months, 2) AS hours_per_month,
  round(t.skipped_pct, 1) AS skipped_pct,
  t.active_days,
  t.last_play_date
FROM totals t
JOIN people u ON u.user_id = t.user_id
JOIN genres g ON g.user_id = t.user_id
JOIN favourites f ON f.user_id = t.user_id
JOIN devices d ON d.user_id = t.user_id
CROSS JOIN period p
