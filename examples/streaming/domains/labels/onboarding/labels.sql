-- The labels that had come and not left at the run's time. month is the run's to fill, so that a run for last June gives
-- last June's list.
WITH past AS (
  SELECT *
  FROM label_feed
  WHERE happened_at < now()
), rosters AS (
  SELECT artist_id, arg_max(label_id, happened_at) AS label_id
  FROM past
  WHERE kind = 'artist-signed'
  GROUP BY artist_id
), artists AS (
  SELECT label_id, count(*) AS artists
  FROM rosters
  GROUP BY label_id
)
SELECT
  p.label_id,
  max(p.name) AS name,
  max(p.country) AS country,
  CAST(min(p.happened_at) AS DATE) AS onboarded_on,
  arg_max(p.artist_share_pct, p.happened_at) AS artist_share_pct,
  coalesce(max(a.artists), 0) AS artists
FROM past p
LEFT JOIN artists a ON a.label_id = p.label_id
WHERE p.kind <> 'artist-signed'
GROUP BY p.label_id
HAVING count(*) FILTER (WHERE p.kind = 'left') = 0
