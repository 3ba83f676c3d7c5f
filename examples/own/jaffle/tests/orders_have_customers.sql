select o.* from {{ ref('orders', v=2) }} o left join {{ ref('customers') }} c using (customer_id) where c.customer_id is null
