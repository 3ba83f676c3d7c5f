WITH days AS (
  SELECT
    station,
    local_date,
    avg(temperature_f) AS temperature_f,
    max(wind_speed_mph) FILTER (WHERE wind_speed_mph <= 231) AS wind_speed_mph,  -- One row blows at 1,048.
    sum(precipitation_in) AS precipitation_in,
    min(visibility_mi) AS visibility_mi
  FROM weather
  GROUP BY station, local_date
), delays AS (
  SELECT
    flight_date,
    origin,
    carrier,
    count(*) AS flights,
    count(*) FILTER (WHERE outcome = 'cancelled') AS cancelled,
    count(arrival_delay_min) AS arrived,
    count(*) FILTER (WHERE arrival_delay_min >= 15) AS late,
    avg(departure_delay_min) AS departure_delay_min,
    avg(arrival_delay_min) AS arrival_delay_min
  FROM flights
  GROUP BY flight_date, origin, carrier
)
SELECT
  d.flight_date,
  d.origin,
  d.carrier,
  a.name AS airline,
  d.flights,
  d.cancelled,
  d.arrived,
  d.late,
  round(100.0 * d.late / nullif(d.arrived, 0), 1) AS late_pct,
  round(d.departure_delay_min, 1) AS departure_delay_min,
  round(d.arrival_delay_min, 1) AS arrival_delay_min,
  round(w.temperature_f, 1) AS temperature_f,
  round(w.wind_speed_mph, 1) AS wind_speed_mph,
  round(w.precipitation_in, 2) AS precipitation_in,
  w.visibility_mi
FROM delays d
JOIN airlines a ON a.carrier = d.carrier
LEFT JOIN days w ON w.station = d.origin AND w.local_date = d.flight_date
