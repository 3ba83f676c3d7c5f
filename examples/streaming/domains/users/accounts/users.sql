-- As people typed it, but for the case of letters: addresses and countries came in both.
SELECT
  user_id,
  signed_up_at,
  given_name,
  family_name,
  lower(email) AS email,
  phone,
  birth_date,
  street,
  postal_code,
  city,
  upper(country) AS country,
  plan,
  marketing_consent
FROM sign_ups
