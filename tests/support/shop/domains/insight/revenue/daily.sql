SELECT placed_on AS day, count(*) AS orders, sum(amount) AS revenue
FROM orders
GROUP BY placed_on
