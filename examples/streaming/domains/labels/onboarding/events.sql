-- As it came; recorded_at is the run's to fill.
SELECT event_id, kind, label_id, artist_id, artist_share_pct, happened_at
FROM label_feed
WHERE happened_at < now()
