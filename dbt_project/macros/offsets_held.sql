{# Of all history, the newest two days are read: each partition that has been written to lately has its greatest there. #}
{% macro offsets_held(last) -%}
    {%- set arrived_at = 'ingested_at' if last.get('ingested_at') else 'updated_at' -%}
    {%- set day = (last.get(arrived_at) or '')[:10] -%}
    {%- if day -%}
        {%- set held = offsets_where(arrived_at ~ " >= timestamp '" ~ day ~ " 00:00:00 UTC' - interval '1' day") -%}
        {%- if held | length == 1 + (last['kafka_partition'] | int) -%}{{ return(held) }}{%- endif -%}
    {%- endif -%}
    {{ return(offsets_where('true')) }}
{%- endmacro %}

{% macro offsets_where(condition) -%}
    {%- set rows = run_query(
        'select topic_epoch, kafka_partition, max(kafka_offset) from ' ~ this ~ ' where ' ~ condition ~ ' group by 1, 2'
    ).rows -%}
    {%- set latest = rows | map(attribute=0) | max -%}
    {{ return(rows | selectattr(0, 'equalto', latest) | list) }}
{%- endmacro %}
