-- As they come, nothing left out: fast, and with what is sent twice.
SELECT event_id, attempt, user_id, track_id, received_at, device.kind AS device_kind
FROM player_reports
