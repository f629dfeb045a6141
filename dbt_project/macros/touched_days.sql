{# Literals, since partitions are skipped by a literal and not by a subquery. #}
{% macro touched_days(records, arrived_at) -%}
    {%- if not (execute and is_incremental()) -%}{{ return('true') }}{%- endif -%}
    {%- set epoch = "timestamp '1970-01-01 01:00:00 UTC'" -%}
    {%- set asked = " or event_date between date '" ~ var('backfill_from') ~ "' and date '" ~ var('backfill_to') ~ "'"
        if var('backfill_from', none) is not none else '' -%}
    {%- set days = run_query(
        'select distinct event_date from ' ~ records ~ ' where ' ~ arrived_at
        ~ ' >= (select coalesce(max(updated_at), ' ~ epoch ~ ") - interval '1' hour from " ~ this
        ~ ')' ~ asked ~ ' order by event_date'
    ).rows -%}
    {%- if not days -%}{{ return('false') }}{%- endif -%}
    event_date between date '{{ days[0][0] }}' and date '{{ days[-1][0] }}'
    and event_date in ({% for day in days %}date '{{ day[0] }}'{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}
