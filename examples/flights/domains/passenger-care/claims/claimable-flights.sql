WITH affected AS (
  SELECT *, CAST(round(distance_mi * 1.609344) AS INTEGER) AS distance_km
  FROM flights
  WHERE outcome = 'cancelled' OR arrival_delay_min >= 180
)
SELECT
  f.scheduled_departure,
  f.origin,
  f.carrier,
  f.flight_number,
  f.flight_date,
  f.destination,
  a.name AS destination_name,
  CASE WHEN f.outcome = 'cancelled' THEN 'cancelled' ELSE 'late' END AS reason,
  f.arrival_delay_min,
  f.distance_km,
  CASE
    WHEN f.distance_km <= 1500 THEN 'short'
    WHEN f.distance_km <= 3500 THEN 'medium'
    ELSE 'long'
  END AS distance_class,
  CAST(
    CASE
      WHEN f.distance_km <= 1500 THEN 250
      WHEN f.distance_km <= 3500 THEN 400
      ELSE 600
    END AS DECIMAL(9, 2)
  ) AS amount_eur
FROM affected f
LEFT JOIN airports a ON a.faa = f.destination
