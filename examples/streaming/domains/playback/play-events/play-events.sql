-- A player that hears no answer sends its report again: the first arrival is the play, and the others are counted. One
-- that comes again in a later file finds its key taken, and the mode, append, leaves it out.
SELECT
  event_id,
  user_id,
  track_id,
  played_at,
  CAST(played_at AS DATE) AS play_date,
  played_ms,
  ended_by,
  found_by,
  offline,
  device.kind AS device_kind,
  device.os AS device_os,
  device.app_version AS app_version,
  country,
  received_at,
  count(*) OVER (PARTITION BY event_id) AS deliveries
FROM player_reports
QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY received_at, attempt) = 1
