-- A shop as an application keeps it: ten tables, with rows. createdb shop; psql shop -f examples/own/shop.sql
CREATE TYPE order_status AS ENUM ('placed', 'paid', 'shipped', 'delivered', 'returned');

CREATE TABLE countries (
  code char(2) PRIMARY KEY,
  name text NOT NULL UNIQUE
);
CREATE TABLE customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email text NOT NULL UNIQUE,
  full_name text NOT NULL,
  phone text,
  born_on date,
  signed_up_at timestamptz NOT NULL
);
COMMENT ON TABLE customers IS 'Who has an account; guests are not here.';
COMMENT ON COLUMN customers.signed_up_at IS 'When the account was made.';
CREATE TABLE addresses (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES customers,
  street text NOT NULL,
  postcode varchar(10) NOT NULL,
  city text NOT NULL,
  country char(2) NOT NULL REFERENCES countries
);
CREATE TABLE suppliers (
  id integer PRIMARY KEY,
  name text NOT NULL,
  country char(2) REFERENCES countries
);
CREATE TABLE categories (
  id integer PRIMARY KEY,
  name text NOT NULL UNIQUE,
  parent_id integer REFERENCES categories
);
CREATE TABLE articles (
  sku varchar(12) PRIMARY KEY,
  name text NOT NULL,
  category_id integer NOT NULL REFERENCES categories,
  supplier_id integer REFERENCES suppliers,
  price numeric(10, 2) NOT NULL CHECK (price > 0),
  attributes jsonb
);
COMMENT ON COLUMN articles.price IS 'In euro, with value added tax.';
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES customers,
  deliver_to bigint REFERENCES addresses,
  status order_status NOT NULL,
  placed_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE TABLE order_lines (
  order_id bigint NOT NULL REFERENCES orders,
  line smallint NOT NULL,
  sku varchar(12) NOT NULL REFERENCES articles,
  quantity integer NOT NULL CHECK (quantity > 0),
  price numeric(10, 2) NOT NULL,
  PRIMARY KEY (order_id, line)
);
CREATE TABLE payments (
  id uuid PRIMARY KEY,
  order_id bigint NOT NULL REFERENCES orders,
  method text NOT NULL,
  amount numeric(10, 2) NOT NULL,
  paid_at timestamptz
);
CREATE TABLE reviews (
  customer_id bigint NOT NULL REFERENCES customers,
  sku varchar(12) NOT NULL REFERENCES articles,
  stars smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
  words text,
  PRIMARY KEY (customer_id, sku)
);

INSERT INTO countries VALUES ('AT', 'Austria'), ('CZ', 'Czechia'), ('DE', 'Germany'), ('ES', 'Spain'), ('FR', 'France'), ('IT', 'Italy');
INSERT INTO customers (email, full_name, phone, born_on, signed_up_at)
SELECT 'customer' || i || '@example.com', 'Customer ' || i, CASE WHEN i % 3 > 0 THEN '+49 30 ' || 1000000 + i END,
  CASE WHEN i % 5 > 0 THEN DATE '1950-01-01' + i * 37 % 20000 END, TIMESTAMPTZ '2025-01-01 00:00+00' + i * INTERVAL '7 hours'
FROM generate_series(1, 400) i;
INSERT INTO addresses (customer_id, street, postcode, city, country)
SELECT id, 'Street ' || id % 90 + 1, lpad((id * 7919 % 100000)::text, 5, '0'), 'City ' || id % 40,
  (ARRAY['AT', 'CZ', 'DE', 'ES', 'FR', 'IT'])[id % 6 + 1] FROM customers;
INSERT INTO suppliers SELECT i, 'Supplier ' || i, (ARRAY['DE', 'IT', NULL])[i % 3 + 1] FROM generate_series(1, 12) i;
INSERT INTO categories VALUES (1, 'Everything', NULL), (2, 'Kitchen', 1), (3, 'Garden', 1), (4, 'Knives', 2), (5, 'Pots', 2);
INSERT INTO articles
SELECT 'ART-' || lpad(i::text, 5, '0'), 'Article ' || i, i % 4 + 2, i % 12 + 1, (i * 37 % 9000 + 99) / 100.0,
  jsonb_build_object('weight_g', i * 10, 'colours', jsonb_build_array('red', 'blue')) FROM generate_series(1, 150) i;
INSERT INTO orders (customer_id, deliver_to, status, placed_at, updated_at)
SELECT i * 31 % 400 + 1, i * 31 % 400 + 1, (ARRAY['placed', 'paid', 'shipped', 'delivered', 'returned'])[i % 5 + 1]::order_status,
  TIMESTAMPTZ '2026-01-01 08:00+00' + i * INTERVAL '3 hours', TIMESTAMPTZ '2026-01-02 08:00+00' + i * INTERVAL '3 hours'
FROM generate_series(1, 1200) i;
INSERT INTO order_lines
SELECT o.id, l, 'ART-' || lpad(((o.id * 7 + l * 13) % 150 + 1)::text, 5, '0'), (o.id + l) % 4 + 1, (o.id * 37 % 9000 + 99) / 100.0
FROM orders o, generate_series(1, 3) l WHERE l <= o.id % 3 + 1;
INSERT INTO payments
SELECT md5('payment' || id)::uuid, id, (ARRAY['card', 'transfer', 'voucher'])[id % 3 + 1], (id * 37 % 9000 + 99) / 100.0, placed_at + INTERVAL '1 hour'
FROM orders WHERE status <> 'placed';
INSERT INTO reviews
SELECT i % 400 + 1, 'ART-' || lpad((i * 11 % 150 + 1)::text, 5, '0'), i % 5 + 1, CASE WHEN i % 2 = 0 THEN 'Good for its price.' END
FROM generate_series(1, 600) i;
