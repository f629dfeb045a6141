{# Whole days of event time, UTC, both included: `lake backfill` gives the variables. #}
{% macro in_backfill(event_time) -%}
    {%- if var('backfill_from', none) is none -%}{{ return('false') }}{%- endif -%}
    ({{ event_time }} is not null
        and {{ event_time }} >= timestamp '{{ var("backfill_from") }} 00:00:00 UTC'
        and {{ event_time }} < timestamp '{{ var("backfill_to") }} 00:00:00 UTC' + interval '1' day)
{%- endmacro %}

{% macro backfilled(events, epoch, fences) -%}
    {%- if var('backfill_from', none) is none -%}{{ return('') }}{%- endif %}
        {% for dated in [in_backfill('event_time'), 'event_time is null and ' ~ in_backfill('kafka_timestamp')] %}
        union all
        select * from {{ events }} where {{ dated }} and (
        topic_epoch < {{ epoch }}
        {% for fence in fences %}or (topic_epoch = {{ epoch }} and kafka_partition = {{ loop.index0 }} and kafka_offset <= {{ fence }}){% endfor %})
        {% endfor %}
{%- endmacro %}
