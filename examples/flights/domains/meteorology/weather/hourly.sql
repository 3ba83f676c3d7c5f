SELECT
  origin AS station,
  time_hour AS observed_at,
  make_date(year, month, day) AS local_date,
  hour AS local_hour,
  temp AS temperature_f,
  dewp AS dew_point_f,
  humid AS humidity_pct,
  wind_dir AS wind_from_deg,
  wind_speed AS wind_speed_mph,
  wind_gust AS wind_gust_mph,
  precip AS precipitation_in,
  pressure AS pressure_hpa,
  visib AS visibility_mi
FROM station_reports
