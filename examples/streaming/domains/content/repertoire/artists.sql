SELECT artist_id, name, also_known_as, genre, country, founded, verified
FROM artist_feed
