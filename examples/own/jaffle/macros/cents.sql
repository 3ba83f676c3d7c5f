{% macro cents_to_dollars(column) %}cast({{ column }} / 100.0 as decimal(10,2)){% endmacro %}
