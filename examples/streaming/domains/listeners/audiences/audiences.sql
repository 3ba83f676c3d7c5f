SELECT
  country,
  top_genre AS genre,
  count(*) AS listeners,
  round(avg(plays_per_month), 1) AS plays_per_month,
  round(avg(hours_per_month), 1) AS hours_per_month,
  round(100.0 * count(*) FILTER (WHERE plan <> 'free') / count(*), 1) AS paying_pct,
  round(100.0 * count(*) FILTER (WHERE age_band IN ('13-17', '18-24')) / count(*), 1) AS under_25_pct
FROM profiles
GROUP BY country, top_genre
HAVING count(*) >= 10  -- Of fewer, one might be known by what they hear.
