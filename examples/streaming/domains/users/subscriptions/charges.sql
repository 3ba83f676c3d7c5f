-- recorded_at is the run's to fill.
SELECT event_id AS charge_id, user_id, happened_at AS charged_at, plan, amount_eur
FROM billing
WHERE kind = 'charged' AND happened_at < now()
