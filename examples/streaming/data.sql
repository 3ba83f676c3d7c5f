-- The data of this mesh: files in the current folder, made from row numbers and their hashes alone, so that a scale
-- gives the same bytes whenever and wherever it is made. The variable `scale` is how many times 10,000 users there are.
SET threads = 1;  -- Several would share out the rows of a Parquet file as they come.
SET TimeZone = 'UTC';

SET VARIABLE user_count = CAST(round(10000 * getvariable('scale')) AS BIGINT);
SET VARIABLE artist_count = CAST(round(500 * getvariable('scale')) AS BIGINT);
SET VARIABLE track_count = CAST(round(5000 * getvariable('scale')) AS BIGINT);
SET VARIABLE play_count = CAST(round(300000 * getvariable('scale')) AS BIGINT);

-- The hash of two values only mixes theirs, so that a row's numbers would go together: hashed again, they do not.
CREATE MACRO scattered(i, word) AS hash(hash(CAST(i AS BIGINT), word));
-- A number in [0, 1) that belongs to a row and a word; its square and its cube are skewed, many small and few large.
-- There is no pow() here, which differs in the last bit from one C library to the next.
CREATE MACRO u(i, word) AS CAST(scattered(i, word) >> 11 AS DOUBLE) / 9007199254740992;
CREATE MACRO u2(i, word) AS u(i, word) * u(i, word);
CREATE MACRO u3(i, word) AS u(i, word) * u(i, word) * u(i, word);
CREATE MACRO place(count, x) AS CAST(floor(x * count) AS BIGINT);
CREATE MACRO pick(list, x) AS list[1 + place(len(list), x)];
CREATE MACRO numbered(prefix, digits, i) AS prefix || lpad(CAST(i AS VARCHAR), digits, '0');
CREATE MACRO moment(t) AS strftime(t, '%Y-%m-%dT%H:%M:%S.%gZ');
CREATE MACRO digits_of(i, word, count) AS right(CAST(1000000 + scattered(i, word) % 1000000 AS VARCHAR), count);
-- An artist, the first ones oftener.
CREATE MACRO some_artist(i, word) AS place(getvariable('artist_count'), u2(i, word));

-- Telephone numbers are those that each country keeps for films and books.
CREATE TABLE countries (
  code VARCHAR, weight INTEGER, utc_hours INTEGER, phone VARCHAR, phone_digits INTEGER, street VARCHAR,
  postal_digits INTEGER, cities VARCHAR[], given VARCHAR[], family VARCHAR[]);
INSERT INTO countries VALUES
  ('DE', 24, 1, '+493023125', 3, '% N', 5,
   ['Berlin', 'Hamburg', 'Köln', 'Leipzig', 'München', 'Münster'],
   ['Anna', 'Ben', 'Emilia', 'Finn', 'Hannah', 'Jürgen', 'Jonas', 'Käthe', 'Leon', 'Mia', 'Noah', 'Sören'],
   ['Bauer', 'Becker', 'Fischer', 'Groß', 'Hoffmann', 'Klein',
    'Müller', 'Richter', 'Schäfer', 'Schmidt', 'Wagner', 'Weiß']),
  ('US', 22, -5, '+1212555', 4, 'N %', 5,
   ['Austin', 'Boston', 'Chicago', 'New York', 'Portland', 'St. Louis'],
   ['Aiden', 'Ava', 'Carlos', 'Destiny', 'Emma', 'Ethan', 'Jayden', 'Maria', 'Olivia', 'Sophia', 'Tyrone', 'William'],
   ['Brown', 'Davis', 'Garcia', 'Johnson', 'Jones', 'Lopez',
    'Martinez', 'Miller', 'Nguyen', 'O''Brien', 'Smith', 'Williams']),
  ('GB', 15, 0, '+447700900', 3, 'N %', 5,
   ['Bristol', 'Cardiff', 'Glasgow', 'Leeds', 'London', 'Manchester'],
   ['Aisha', 'Amelia', 'Arthur', 'Freya', 'George', 'Harry', 'Isla', 'Jack', 'Mohammed', 'Nia', 'Oliver', 'Poppy'],
   ['Ahmed', 'Clarke', 'Davies', 'Evans', 'Hughes', 'Khan',
    'MacLeod', 'Patel', 'Roberts', 'Taylor', 'Walker', 'Wright']),
  ('FR', 14, 1, '+3319900', 4, 'N rue %', 5,
   ['Bordeaux', 'Lille', 'Lyon', 'Nîmes', 'Paris', 'Saint-Étienne'],
   ['Adèle', 'Camille', 'Chloé', 'Gabriel', 'Hugo', 'Inès', 'Jules', 'Léa', 'Louis', 'Manon', 'Raphaël', 'Zoé'],
   ['Bernard', 'Dubois', 'Durand', 'Fournier', 'Girard', 'Lefèvre',
    'Martin', 'Moreau', 'Petit', 'Robert', 'Rousseau', 'Simon']),
  ('SE', 9, 1, '+4670174062', 1, '%gatan N', 5,
   ['Göteborg', 'Linköping', 'Malmö', 'Stockholm', 'Umeå', 'Uppsala'],
   ['Alice', 'Åsa', 'Björn', 'Ebba', 'Elias', 'Elsa', 'Hugo', 'Liam', 'Linnéa', 'Maja', 'Oskar', 'Wilma'],
   ['Andersson', 'Berg', 'Eriksson', 'Holm', 'Johansson', 'Karlsson',
    'Larsson', 'Lind', 'Nilsson', 'Öberg', 'Persson', 'Svensson']),
  ('CA', 8, -5, '+1416555', 4, 'N %', 5,
   ['Calgary', 'Halifax', 'Montréal', 'Ottawa', 'Toronto', 'Vancouver'],
   ['Benoît', 'Charlotte', 'Étienne', 'Evelyn', 'Jacob', 'Jasleen', 'Lucas', 'Mason', 'Mei', 'Nora', 'Owen', 'Rose'],
   ['Campbell', 'Chen', 'Gagnon', 'Lavoie', 'MacDonald', 'Morin',
    'Roy', 'Singh', 'Stewart', 'Tremblay', 'Wilson', 'Wong']),
  ('AU', 6, 10, '+6125550', 4, 'N %', 4,
   ['Adelaide', 'Brisbane', 'Hobart', 'Melbourne', 'Perth', 'Sydney'],
   ['Chloe', 'Cooper', 'Grace', 'Harper', 'Jarrah', 'Lachlan', 'Matilda', 'Ruby', 'Thomas', 'Willow', 'Xavier', 'Zara'],
   ['Anderson', 'Baker', 'Harris', 'Kelly', 'Lee', 'Martin', 'Nguyen', 'Ryan', 'Thompson', 'Tran', 'White', 'Young']),
  ('ZZ', 2, 0, NULL, 0, NULL, 0, NULL, ['Alex', 'Kim', 'Robin', 'Sam'], ['Doe', 'Roe']);
-- Lists in which each stands as often as its weight says: to pick is to draw.
SET VARIABLE countries = (SELECT list(code ORDER BY code, n) FROM countries, range(weight) r(n));
SET VARIABLE known_countries = list_filter(getvariable('countries'), lambda code: code <> 'ZZ');

-- ---- artists and tracks

CREATE TABLE artists AS
WITH drawn AS (
  SELECT
    i,
    pick(['Amber', 'Broken', 'Crystal', 'Distant', 'Electric', 'Fading', 'Golden', 'Hollow', 'Iron', 'Jade', 'Lunar',
          'Midnight', 'Neon', 'Paper', 'Quiet', 'Rosé', 'Silver', 'Tidal', 'Velvet', 'Wild'],
         u(i, 'first word')) AS first_word,
    pick(['Antlers', 'Bakery', 'Canyon', 'Drifters', 'Engine', 'Foxes', 'Garden', 'Harbour', 'Islands', 'Junction',
          'Kites', 'Lanterns', 'Motel', 'Nomads', 'Orchard', 'Pilots', 'Rivers', 'Señoritas', 'Theory', 'Weather'],
         u(i, 'second word')) AS second_word,
    pick(['pop', 'pop', 'pop', 'hip-hop', 'hip-hop', 'rock', 'rock', 'electronic', 'electronic', 'r-and-b', 'indie',
          'latin', 'metal', 'jazz', 'classical', 'folk'], u(i, 'genre')) AS genre
  FROM range(getvariable('artist_count')) r(i)
)
SELECT
  i,
  numbered('a', 6, i + 1) AS artist_id,
  CASE WHEN u(i, 'the') < 0.3 THEN 'The ' ELSE '' END || first_word || ' ' || second_word AS name,
  CASE
    WHEN u(i, 'alias') < 0.12 THEN [left(first_word, 1) || left(second_word, 1), first_word || second_word] ELSE []
  END AS also_known_as,
  genre,
  CASE WHEN u(i, 'no country') >= 0.04 THEN pick(getvariable('known_countries'), u(i, 'country')) END AS country,
  CASE WHEN u(i, 'no year') >= 0.05 THEN 2024 - place(60, u2(i, 'year')) END AS founded,
  u(i, 'verified') < 0.8 AS verified
FROM drawn;

CREATE TABLE tracks AS
WITH drawn AS (  -- The first tracks give each artist one; the rest go to the popular.
  SELECT i, CASE WHEN i < getvariable('artist_count') THEN i ELSE some_artist(i, 'artist') END AS artist
  FROM range(getvariable('track_count')) r(i)
)
SELECT
  d.i,
  numbered('t', 7, d.i + 1) AS track_id,
  pick(['After', 'Before', 'Beyond', 'Dancing in', 'Dreaming of', 'Leaving', 'Letters from', 'Lost in', 'No More',
        'Return to', 'Running from', 'Still in', 'Under', 'Waiting for'], u(d.i, 'title'))
    || ' '
    || pick(['Atlantis', 'August', 'Berlin', 'Daylight', 'Fire', 'Home', 'Júpiter', 'Love', 'Monday', 'Nowhere',
             'Paradise', 'Silence', 'the Rain', 'the Sea', 'Tokyo', 'Tomorrow', 'You'], u(d.i, 'about'))
    || CASE WHEN u(d.i, 'version') < 0.06 THEN ' (live)' WHEN u(d.i, 'version') < 0.12 THEN ' (acoustic)' ELSE '' END
    AS title,
  a.artist_id,
  a.genre,
  CASE WHEN u(d.i, 'isrc') >= 0.015 THEN 'ZZSTR' || numbered('', 7, 2500000 + d.i) END AS isrc,
  CASE
    WHEN u(d.i, 'no duration') >= 0.004
      THEN CAST(90000 + place(240000, (u(d.i, 'length') + u(d.i, 'more length')) / 2) AS INTEGER)
  END AS duration_ms,
  DATE '2025-12-19' - CAST(7 * place(52 * 40, u3(d.i, 'age')) AS INTEGER) AS released_on,
  u(d.i, 'explicit') < CASE a.genre WHEN 'hip-hop' THEN 0.6 WHEN 'metal' THEN 0.3 WHEN 'classical' THEN 0 ELSE 0.1 END
    AS explicit
FROM drawn d
JOIN artists a ON a.i = d.artist;

-- ---- users

CREATE TABLE users AS
WITH drawn AS (
  SELECT
    i,
    pick(getvariable('countries'), u(i, 'country')) AS country,
    TIMESTAMP '2018-03-01' + to_seconds(place(2860 * 86400, (i + u(i, 'sign-up')) / getvariable('user_count')))
      AS signed_up_at
  FROM range(getvariable('user_count')) r(i)
), named AS (
  SELECT
    d.*,
    pick(c.given, u(d.i, 'given')) AS given_name,
    pick(c.family, u(d.i, 'family')) AS family_name,
    CAST(d.signed_up_at AS DATE) - CAST(4749 + place(21000, u2(d.i, 'age')) AS INTEGER) AS born,
    c.phone, c.phone_digits, c.street, c.postal_digits, c.cities
  FROM drawn d
  JOIN countries c ON c.code = d.country
), addressed AS (
  SELECT
    *,
    lower(regexp_replace(strip_accents(replace(given_name || '.' || family_name, 'ß', 'ss')), '[^A-Za-z.]', '', 'g'))
      || CAST(i + 1 AS VARCHAR)
      || pick(['@mail.example', '@post.example', '@inbox.example'], u(i, 'mail host')) AS own_mail
  FROM named
)
SELECT
  i,
  numbered('u', 8, i + 1) AS user_id,
  moment(signed_up_at) AS signed_up_at,
  given_name,
  family_name,
  CASE  -- Some share the address of somebody else; some typed it in capitals.
    WHEN u(i, 'shared mail') < 0.003 THEN coalesce(lag(own_mail) OVER (ORDER BY i), own_mail)
    WHEN u(i, 'capitals') < 0.02 THEN upper(own_mail)
    ELSE own_mail
  END AS email,
  CASE  -- 0100 to 0199 after 555.
    WHEN u(i, 'no phone') < 0.35 THEN NULL
    WHEN phone LIKE '%555' THEN phone || '01' || digits_of(i, 'phone', 2)
    ELSE phone || digits_of(i, 'phone', phone_digits)
  END AS phone,
  CASE
    WHEN u(i, 'no birth date') < 0.03 THEN NULL
    WHEN u(i, 'no birth date') < 0.034 THEN DATE '1900-01-01'
    ELSE born
  END AS birth_date,
  replace(replace(street, 'N', CAST(1 + place(180, u2(i, 'number')) AS VARCHAR)), '%', pick(CASE country
    WHEN 'DE' THEN ['Ahornweg', 'Bachstraße', 'Gartenstraße', 'Hauptstraße', 'Lindenallee', 'Schillerplatz']
    WHEN 'FR' THEN ['de l''Église', 'de la Paix', 'des Lilas', 'du Moulin', 'Pasteur', 'Victor-Hugo']
    WHEN 'SE' THEN ['Björk', 'Kungs', 'Skol', 'Stor', 'Söder', 'Västra ']
    ELSE ['Church Lane', 'High Street', 'King Street, Flat 2', 'Maple Avenue', 'Mill Road', 'Station Road']
  END, u(i, 'street'))) AS street,
  CASE WHEN postal_digits > 0 THEN digits_of(i, 'postal', postal_digits) END AS postal_code,
  pick(cities, u(i, 'city')) AS city,
  CASE WHEN u(i, 'small letters') < 0.01 THEN lower(country) ELSE country END AS country,
  CASE
    WHEN u(i, 'plan') < 0.05 AND born > DATE '1998-01-01' THEN 'student'
    WHEN u(i, 'plan') < 0.12 THEN 'family'
    WHEN u(i, 'plan') < 0.42 THEN 'premium'
    ELSE 'free'
  END AS plan,
  u(i, 'marketing') < 0.38 AS marketing_consent
FROM addressed;

-- ---- plays

-- Who listens, from the keenest on. One in a hundred more has closed the account, and only the plays are left.
CREATE TABLE listeners AS
SELECT
  row_number() OVER (ORDER BY u(i, 'keen'), i) - 1 AS rank, i AS listener, user_id, c.code AS country, c.utc_hours,
  (SELECT genre FROM artists a WHERE a.i = some_artist(n.i, 'taste')) AS favourite
FROM (
  SELECT i, user_id, upper(country) AS country FROM users WHERE u(i, 'dormant') >= 0.12
  UNION ALL
  SELECT i, numbered('u', 8, i + 1), 'GB'
  FROM range(getvariable('user_count'), getvariable('user_count') * 101 // 100) r(i)
) n
JOIN countries c ON c.code = n.country;
SET VARIABLE listener_count = (SELECT count(*) FROM listeners);

CREATE TABLE ranked_tracks AS
SELECT
  genre, row_number() OVER (PARTITION BY genre ORDER BY u(i, 'liked'), i) - 1 AS rank,
  track_id, coalesce(duration_ms, 200000) AS duration_ms
FROM tracks;
CREATE TABLE genres AS SELECT genre, count(*) AS tracks FROM tracks GROUP BY genre;

SET VARIABLE days = (
  SELECT list(d ORDER BY d, n)
  FROM (
    SELECT d, CASE WHEN isodow(DATE '2026-01-01' + CAST(d AS INTEGER)) IN (5, 6) THEN 13 ELSE 10 END + d // 30 AS weight
    FROM range(90) r(d)
  ) w, range(w.weight) s(n));
SET VARIABLE hours = (
  SELECT list(h ORDER BY h, n)
  FROM (
    SELECT h, [2, 1, 1, 1, 1, 2, 4, 7, 8, 6, 5, 5, 6, 6, 6, 6, 7, 9, 9, 8, 8, 7, 5, 3][h + 1] AS weight
    FROM range(24) r(h)
  ) w, range(w.weight) s(n));

CREATE TABLE plays AS
WITH drawn AS (
  SELECT
    r.i, l.user_id, l.country, l.listener,
    CASE
      WHEN u(i, 'taste') < 0.6 THEN l.favourite
      ELSE (SELECT genre FROM artists a WHERE a.i = some_artist(r.i, 'genre'))
    END AS genre,
    TIMESTAMP '2026-01-01'
      + to_days(CAST(pick(getvariable('days'), u(i, 'day')) AS INTEGER))
      + to_hours(pick(getvariable('hours'), u(i, 'hour')) - l.utc_hours)
      + to_milliseconds(place(3600000, u(i, 'second'))) AS started_at,
    u(i, 'ending') AS ending,
    u(i, 'offline') < 0.06 AS offline
  FROM range(getvariable('play_count')) r(i)
  JOIN listeners l ON l.rank = place(getvariable('listener_count'), u2(r.i, 'listener'))
), chosen AS (
  SELECT d.*, place(g.tracks, u3(d.i, 'track')) AS rank
  FROM drawn d
  JOIN genres g ON g.genre = d.genre
), heard AS (
  SELECT
    d.* EXCLUDE (genre, rank), t.track_id,
    CASE
      WHEN d.ending < 0.62 THEN 'finished'
      WHEN d.ending < 0.9 THEN 'skipped'
      WHEN d.ending < 0.99 THEN 'stopped'
      ELSE 'failed'
    END AS ended_by,
    CAST(CASE
      WHEN d.ending < 0.62 THEN t.duration_ms
      WHEN d.ending < 0.9 THEN place(t.duration_ms, u2(d.i, 'heard') * 0.6)
      WHEN d.ending < 0.99 THEN place(t.duration_ms, u(d.i, 'heard'))
      ELSE place(4000, u(d.i, 'heard'))
    END AS INTEGER) AS played_ms
  FROM chosen d
  JOIN ranked_tracks t ON t.genre = d.genre AND t.rank = d.rank
)
SELECT
  *,
  pick(['phone', 'phone', 'phone', 'phone', 'phone', 'desktop', 'desktop', 'speaker', 'tablet', 'tv', 'car'],
       (u(listener, 'device') + u2(i, 'device')) / 2) AS device,
  started_at + to_milliseconds(played_ms) + to_milliseconds(
    CASE WHEN offline THEN place(72 * 3600000, u3(i, 'delay')) ELSE 200 + place(20000, u2(i, 'delay')) END
  ) AS received_at
FROM heard;

-- As the players send them: once, or again where the answer was lost; some by a clock that is two hours fast.
CREATE TABLE deliveries AS
SELECT
  CAST(CAST(md5('play ' || i) AS UUID) AS VARCHAR) AS event_id,
  user_id,
  track_id,
  moment(started_at + CASE WHEN u(i, 'fast clock') < 0.001 THEN INTERVAL 2 HOUR ELSE INTERVAL 0 HOUR END) AS played_at,
  played_ms,
  ended_by,
  pick(['playlist', 'playlist', 'playlist', 'album', 'artist', 'search', 'radio', 'recommendation', 'recommendation'],
       u(i, 'found')) AS found_by,
  offline,
  {
    'kind': device,
    'os': CASE device
      WHEN 'phone' THEN pick(['android', 'ios'], u(listener, 'os'))
      WHEN 'tablet' THEN pick(['android', 'ios'], u(listener, 'os'))
      WHEN 'desktop' THEN pick(['windows', 'windows', 'macos', 'linux'], u(listener, 'os'))
      ELSE 'embedded' END,
    'app_version': numbered('26.', 1, 1 + place(4, u(i, 'app')))
  } AS device,
  CASE  -- Where the address tells no country, and where the listener travels.
    WHEN u(i, 'no country') < 0.015 THEN NULL
    WHEN u(i, 'travels') < 0.03 THEN pick(getvariable('known_countries'), u(i, 'abroad'))
    ELSE nullif(country, 'ZZ')
  END AS country,
  attempt,
  received_at + to_milliseconds((attempt - 1) * (3000 + place(600000, u2(i, 'retry')))) AS received_at,
  i
FROM plays p, (SELECT unnest([1, 2, 3]) AS attempt) a
WHERE attempt = 1 OR (attempt = 2 AND u(i, 'again') < 0.02) OR (attempt = 3 AND u(i, 'again') < 0.001);

-- ---- labels: what happened to them, event by event. Three in four were there before 2026; one is bought by another.

SET VARIABLE label_count = greatest(4, CAST(round(40 * getvariable('scale')) AS BIGINT));
SET VARIABLE old_labels = getvariable('label_count') * 3 // 4;
SET VARIABLE bought = getvariable('old_labels') - 1;
SET VARIABLE bought_at = TIMESTAMP '2026-02-17 10:00:00';

CREATE TABLE labels AS
SELECT
  i,
  numbered('l', 4, i + 1) AS label_id,
  pick(['Amber Hill', 'Blackbird', 'Cellar Door', 'Driftwood', 'Eastbank', 'Fernweh', 'Grand Hôtel', 'High Tide', 'Ionosphere',
        'Kiosk', 'Lighthouse', 'Mistral', 'Northlight', 'Ostinato', 'Pale Fire', 'Quarry', 'Rue Basse', 'Södra', 'Turnstile',
        'Watershed'], u(i, 'label name'))
    || pick([' Records', ' Music', ' Recordings', ' Sound', ' Tapes'], u(i, 'label kind')) AS name,
  pick(getvariable('known_countries'), u(i, 'label country')) AS country,
  CASE
    WHEN i < getvariable('old_labels') THEN TIMESTAMP '2018-01-15' + to_seconds(place(2600 * 86400, u(i, 'onboarded')))
    ELSE TIMESTAMP '2026-01-05' + to_seconds(place(70 * 86400, u(i, 'onboarded')))
  END AS onboarded_at,
  18 + place(30, u2(i, 'share')) AS artist_share_pct
FROM range(getvariable('label_count')) r(i);

-- An artist is under one label at a time; one in fifteen changes in the quarter, to any that is there.
CREATE TABLE signings AS
WITH first AS (
  SELECT
    a.i, a.artist_id, l.i AS label,
    l.onboarded_at + to_seconds(86400 + place(40 * 86400, u(a.i, 'signed'))) AS signed_at
  FROM artists a
  JOIN labels l ON l.i = place(getvariable('old_labels'), u2(a.i, 'label'))
), moved AS (
  SELECT
    a.i, a.artist_id, l.i AS label,
    greatest(l.onboarded_at, TIMESTAMP '2026-01-03') + to_seconds(86400 + place(14 * 86400, u(a.i, 'moved'))) AS signed_at
  FROM artists a
  JOIN labels l ON l.i = CASE place(getvariable('label_count'), u(a.i, 'next label'))
    WHEN getvariable('bought') THEN 0 ELSE place(getvariable('label_count'), u(a.i, 'next label')) END
  WHERE u(a.i, 'moves') < 0.067
), taken_over AS (
  SELECT i, artist_id, 0 AS label, getvariable('bought_at') AS signed_at
  FROM first
  WHERE label = getvariable('bought')
    AND i NOT IN (SELECT i FROM moved WHERE signed_at < getvariable('bought_at'))
)
FROM first UNION ALL FROM moved UNION ALL FROM taken_over;

CREATE TABLE label_events AS
WITH events AS (
  SELECT 'onboarded' AS kind, i AS label, onboarded_at AS happened_at, name, country, artist_share_pct, NULL AS artist_id
  FROM labels
  UNION ALL
  SELECT
    'terms-changed', i, greatest(onboarded_at, TIMESTAMP '2026-01-01') + to_seconds(place(80 * 86400, u(i, 'terms'))),
    NULL, NULL, artist_share_pct + 2, NULL
  FROM labels
  WHERE i < getvariable('bought') AND u(i, 'new terms') < 0.2
  UNION ALL
  SELECT 'artist-signed', label, signed_at, NULL, NULL, NULL, artist_id FROM signings
  UNION ALL
  SELECT 'left', getvariable('bought'), getvariable('bought_at') + INTERVAL 1 HOUR, NULL, NULL, NULL, NULL
)
SELECT
  CAST(CAST(md5(concat_ws(' ', 'label', kind, label, artist_id, happened_at)) AS UUID) AS VARCHAR) AS event_id,
  kind, numbered('l', 4, label + 1) AS label_id, moment(happened_at) AS happened_at, name, country, artist_share_pct, artist_id
FROM events
WHERE happened_at < TIMESTAMP '2026-04-01';

-- ---- what the accounts pay, and whom artists are paid through

CREATE TABLE payers AS
WITH paying AS (
  SELECT
    i, user_id, plan,
    signed_up_at::TIMESTAMP + to_seconds(place(40 * 86400, u2(i, 'pays'))) AS subscribed_at,
    u(i, 'pays since now') < 0.04 AS since_now, plan <> 'free' AND u(i, 'changes') < 0.03 AS changes,
    plan = 'free' AS cancels
  FROM users
  WHERE plan <> 'free' OR u(i, 'cancels') < 0.04
)
SELECT
  i, user_id, cancels,
  CASE WHEN cancels THEN 'premium' ELSE plan END AS plan,
  CASE WHEN NOT changes THEN NULL WHEN plan = 'premium' THEN 'student' ELSE 'premium' END AS former_plan,
  CASE
    WHEN since_now AND NOT cancels AND NOT changes
      THEN TIMESTAMP '2026-01-02' + to_seconds(place(85 * 86400, u(i, 'subscribed')))
    ELSE least(subscribed_at, TIMESTAMP '2025-12-31 12:00:00')
  END AS subscribed_at,
  TIMESTAMP '2026-01-02' + to_seconds(place(86 * 86400, u(i, 'changed'))) AS changed_at,
  to_days(CAST(place(28, u(i, 'billing day')) AS INTEGER)) + to_seconds(6 * 3600 + place(3600, u(i, 'billing time'))) AS due
FROM paying;

CREATE MACRO price(plan) AS CAST(CASE plan WHEN 'premium' THEN 10.99 WHEN 'family' THEN 17.99 ELSE 5.99 END AS DECIMAL(6, 2));

CREATE TABLE billing AS
WITH charged AS (
  SELECT
    i, user_id, month + due AS happened_at,
    CASE WHEN former_plan IS NOT NULL AND month + due < changed_at THEN former_plan ELSE plan END AS plan
  FROM payers, (SELECT unnest([TIMESTAMP '2026-01-01', TIMESTAMP '2026-02-01', TIMESTAMP '2026-03-01']) AS month) m
  WHERE month + due > subscribed_at AND NOT (cancels AND month + due > changed_at)
), events AS (
  SELECT 'subscribed' AS kind, i, user_id, subscribed_at AS happened_at, coalesce(former_plan, plan) AS plan FROM payers
  UNION ALL
  SELECT 'changed', i, user_id, changed_at, plan FROM payers WHERE former_plan IS NOT NULL AND NOT cancels
  UNION ALL
  SELECT 'cancelled', i, user_id, changed_at, plan FROM payers WHERE cancels
  UNION ALL
  SELECT 'charged', i, user_id, happened_at, plan FROM charged
)
SELECT
  CAST(CAST(md5(concat_ws(' ', 'billing', kind, user_id, happened_at)) AS UUID) AS VARCHAR) AS event_id,
  kind, user_id, happened_at AS t, moment(happened_at) AS happened_at, plan,
  CASE kind WHEN 'charged' THEN price(plan) END AS amount_eur
FROM events;

-- The check digits 00 are of no account that there is.
CREATE TABLE payees AS
SELECT
  a.artist_id,
  CASE
    WHEN u(a.i, 'company') < 0.4 THEN replace(a.name, 'The ', '') || ' ' || pick(['Ltd', 'GmbH', 'SARL', 'AB'], u(a.i, 'company kind'))
    ELSE pick(c.given, u(a.i, 'payee given')) || ' ' || pick(c.family, u(a.i, 'payee family'))
  END AS payee,
  CASE
    WHEN u(a.i, 'no account') >= 0.02 THEN c.code || '00' || numbered('', 18, scattered(a.i, 'account') % 1000000000000000000)
  END AS iban,
  c.code AS tax_country
FROM artists a
JOIN countries c ON c.code = coalesce(a.country, pick(getvariable('known_countries'), u(a.i, 'tax country')));

-- ---- who follows whom: a few many, most a few. A third follow back; one in thirty thought better of it.

CREATE TABLE follows AS
WITH drawn AS (
  SELECT i * 64 + k AS n, i AS follower, place(getvariable('user_count'), u2(i * 64 + k, 'followed')) AS followed
  FROM range(getvariable('user_count')) r(i), range(32) s(k)
  WHERE k < place(20, u2(i, 'follows'))
), mutual AS (
  SELECT n, follower, followed FROM drawn
  UNION ALL
  SELECT n + 32, followed, follower FROM drawn WHERE u(n, 'back') < 0.35
)
SELECT
  min(n) AS n, follower, followed,
  TIMESTAMP '2019-05-01' + to_seconds(place(2520 * 86400, 1 - u2(min(n), 'since'))) AS since
FROM mutual
WHERE follower <> followed
GROUP BY follower, followed;

CREATE TABLE follow_events AS
WITH events AS (
  SELECT n, 'followed' AS kind, follower, followed, since AS happened_at FROM follows
  UNION ALL
  SELECT n, 'unfollowed', follower, followed, least(since + to_seconds(3600 + place(90 * 86400, u(n, 'until'))), TIMESTAMP '2026-03-31 23:00:00')
  FROM follows
  WHERE u(n, 'unfollows') < 0.033
)
SELECT
  kind, numbered('u', 8, follower + 1) AS follower_id, numbered('u', 8, followed + 1) AS followed_id,
  CAST(happened_at AS TIMESTAMPTZ) AS happened_at, n
FROM events;

-- ---- files

COPY (SELECT * EXCLUDE (i) FROM users ORDER BY i) TO 'users.csv' (FORMAT csv, HEADER);
COPY (SELECT * EXCLUDE (i) FROM artists ORDER BY i) TO 'artists.jsonl' (FORMAT json);
COPY (SELECT * EXCLUDE (i, genre) FROM tracks ORDER BY i) TO 'tracks.parquet' (FORMAT parquet, COMPRESSION zstd);
-- One file a month, in the order of arrival. What arrives after the quarter has not arrived yet.
CREATE MACRO arrived(month) AS TABLE
  SELECT * EXCLUDE (i, received_at), moment(received_at) AS received_at
  FROM deliveries d
  WHERE d.received_at >= month AND d.received_at < month + INTERVAL 1 MONTH
  ORDER BY d.received_at, d.i, d.attempt;
COPY (FROM arrived(TIMESTAMP '2026-01-01')) TO 'play-events-2026-01.jsonl.gz' (FORMAT json, COMPRESSION gzip);
COPY (FROM arrived(TIMESTAMP '2026-02-01')) TO 'play-events-2026-02.jsonl.gz' (FORMAT json, COMPRESSION gzip);
COPY (FROM arrived(TIMESTAMP '2026-03-01')) TO 'play-events-2026-03.jsonl.gz' (FORMAT json, COMPRESSION gzip);

COPY (SELECT * FROM label_events ORDER BY happened_at, event_id) TO 'label-events.jsonl' (FORMAT json);
COPY (SELECT * EXCLUDE (t) FROM billing WHERE t < TIMESTAMP '2026-01-01' ORDER BY t, event_id)
  TO 'billing-2025.csv' (FORMAT csv, HEADER);
CREATE MACRO billed(month) AS TABLE
  SELECT * EXCLUDE (t) FROM billing WHERE t >= month AND t < month + INTERVAL 1 MONTH ORDER BY t, event_id;
COPY (FROM billed(TIMESTAMP '2026-01-01')) TO 'billing-2026-01.csv' (FORMAT csv, HEADER);
COPY (FROM billed(TIMESTAMP '2026-02-01')) TO 'billing-2026-02.csv' (FORMAT csv, HEADER);
COPY (FROM billed(TIMESTAMP '2026-03-01')) TO 'billing-2026-03.csv' (FORMAT csv, HEADER);
COPY (SELECT * FROM payees ORDER BY artist_id) TO 'payees.csv' (FORMAT csv, HEADER);
COPY (SELECT * EXCLUDE (n) FROM follow_events ORDER BY happened_at, n, kind)
  TO 'follow-events.parquet' (FORMAT parquet, COMPRESSION zstd);
-- What arrives next, to be tried: each day is the same one a week before, shifted, and what was still on its way. On the
-- second day a phone that lay in a drawer since January is charged again.
CREATE MACRO arrives(day) AS TABLE
  WITH next AS (
    SELECT
      CAST(CAST(md5('next ' || event_id) AS UUID) AS VARCHAR) AS event_id, user_id, track_id,
      moment(played_at::TIMESTAMP + INTERVAL 7 DAY) AS played_at, played_ms, ended_by, found_by, offline, device, country, attempt,
      received_at + INTERVAL 7 DAY AS t, i
    FROM deliveries
    WHERE received_at >= day - INTERVAL 7 DAY AND received_at < day - INTERVAL 6 DAY
    UNION ALL
    SELECT
      event_id, user_id, track_id, played_at, played_ms, ended_by, found_by, offline, device, country, attempt, received_at, i
    FROM deliveries
    WHERE received_at >= day AND received_at < day + INTERVAL 1 DAY
    UNION ALL
    SELECT
      CAST(CAST(md5('drawer ' || event_id) AS UUID) AS VARCHAR), user_id, track_id,
      moment(played_at::TIMESTAMP + INTERVAL 30 SECOND), played_ms, ended_by, found_by, true, device, country, 1,
      day + INTERVAL 9 HOUR, i
    FROM deliveries
    WHERE day = TIMESTAMP '2026-04-02' AND i < 40 AND attempt = 1 AND received_at < TIMESTAMP '2026-02-01'
  )
  SELECT * EXCLUDE (t, i), moment(t) AS received_at FROM next ORDER BY t, i, event_id, attempt;
COPY (FROM arrives(TIMESTAMP '2026-04-01')) TO 'play-events-2026-04-01.jsonl.gz' (FORMAT json, COMPRESSION gzip);
COPY (FROM arrives(TIMESTAMP '2026-04-02')) TO 'play-events-2026-04-02.jsonl.gz' (FORMAT json, COMPRESSION gzip);
