SELECT track_id, title, artist_id, isrc, duration_ms, released_on, explicit
FROM track_feed
