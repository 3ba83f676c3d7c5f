SELECT
  tailnum AS tail_number,
  year AS year_built,
  type AS kind,
  manufacturer,
  model,
  engines,
  engine AS engine_kind,
  seats,
  speed AS cruising_speed_mph
FROM register
