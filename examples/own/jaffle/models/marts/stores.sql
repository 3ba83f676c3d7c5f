select store_id, city, opened from {{ source('outside', 'stores') }}
