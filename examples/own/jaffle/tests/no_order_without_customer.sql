select * from {{ ref('customers') }} where customer_lifetime_value < 0
