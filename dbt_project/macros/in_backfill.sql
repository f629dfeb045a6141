{# Whole days of event time, UTC, both included: `lake backfill` gives the variables. #}
{% macro in_backfill(event_time) -%}
    {%- if var('backfill_from', none) is none -%}{{ return('false') }}{%- endif -%}
    ({{ event_time }} is not null
        and {{ event_time }} >= timestamp '{{ var("backfill_from") }} 00:00:00 UTC'
        and {{ event_time }} < timestamp '{{ var("backfill_to") }} 00:00:00 UTC' + interval '1' day)
{%- endmacro %}
