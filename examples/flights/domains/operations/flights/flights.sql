-- Scheduled and actual departures as moments in UTC: time_hour is the hour of the schedule, already in UTC, and a delay
-- counts from there. The log's own clock times are local, write midnight as 2400 and repeat an hour in November.
WITH recorded AS (
  SELECT *, time_hour + to_minutes(minute) AS scheduled_departure
  FROM records
)
SELECT
  r.scheduled_departure,
  make_date(r.year, r.month, r.day) AS flight_date,
  r.carrier,
  r.flight AS flight_number,
  r.tailnum AS tail_number,
  r.origin,
  r.dest AS destination,
  r.scheduled_departure + to_minutes(r.dep_delay) AS actual_departure,
  r.dep_delay AS departure_delay_min,
  r.arr_delay AS arrival_delay_min,
  r.air_time AS air_time_min,
  r.distance AS distance_mi,
  CASE
    WHEN r.dep_time IS NULL THEN 'cancelled'
    WHEN r.arr_delay IS NULL THEN 'arrival unknown'
    ELSE 'arrived'
  END AS outcome,
  CASE WHEN r.tailnum IS NOT NULL THEN p.tail_number IS NOT NULL END AS aircraft_registered,
  a.faa IS NOT NULL AS destination_listed
FROM recorded r
LEFT JOIN planes p ON p.tail_number = r.tailnum
LEFT JOIN airports a ON a.faa = r.dest
