-- The newest signature counts: who signs elsewhere is no longer where they were.
SELECT artist_id, arg_max(label_id, happened_at) AS label_id, CAST(max(happened_at) AS DATE) AS signed_on
FROM label_feed
WHERE kind = 'artist-signed' AND happened_at < now()
GROUP BY artist_id
