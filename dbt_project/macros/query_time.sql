{% macro query_time() -%}
    {{ "timestamp '" ~ var('as_of') ~ "'" if var('as_of', none) else 'current_timestamp' }}
{%- endmacro %}
