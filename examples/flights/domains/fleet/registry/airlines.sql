SELECT carrier, name
FROM codes
