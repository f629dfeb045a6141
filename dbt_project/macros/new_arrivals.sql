{# Three scans with literals: Iceberg skips files by one column's range, not by an `or`. #}
{% macro new_arrivals(events, last=none) -%}
    {%- if not (execute and is_incremental()) -%}{{ return(events) }}{%- endif -%}
    {%- set held = offsets_held(greatest_in_files() if last is none else last) -%}
    {%- set epoch = held[0][0] if held else 0 -%}
    {%- set fences = {} -%}
    {%- for row in held %}{% do fences.update({row[1] | int: row[2] | int}) %}{% endfor -%}
    {%- set known = range((fences | max) + 1) | list if fences else [0] -%}
    {%- set newer = [] -%}
    {%- for partition in known %}{% do newer.append(fences.get(partition, -1)) %}{% endfor -%}
    (
        select * from {{ events }} where topic_epoch > {{ epoch }}
        union all
        select * from {{ events }} where topic_epoch = {{ epoch }} and kafka_partition > {{ known | last }}
        union all
        select * from {{ events }} where topic_epoch = {{ epoch }} and kafka_offset > {{ newer | min }} and (
        {% for fence in newer %}(kafka_partition = {{ loop.index0 }} and kafka_offset > {{ fence }}){{ ' or ' if not loop.last }}{% endfor %})
        {{- backfilled(events, epoch, newer) }}
    )
{%- endmacro %}
