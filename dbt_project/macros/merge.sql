{# Every incremental merge here writes only rows that differ, so a run with nothing new commits nothing. #}
{% macro merge_changes(target, source, unique_key, columns) -%}
    {%- set gone = config.get('meta', {}).get('gone_when') -%}
    merge into {{ target }} as kept
    using {{ source }} as fresh
    on {% for key in unique_key %}kept.{{ key }} = fresh.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
    {% if gone %}when matched and {{ gone }} then delete{% endif %}
    when matched and (
        {% for name in columns if name not in unique_key -%}
        kept.{{ name }} is distinct from fresh.{{ name }}{{ ' or ' if not loop.last }}
        {%- endfor %}
    ) then update set
        {% for name in columns if name not in unique_key %}{{ name }} = fresh.{{ name }}{{ ', ' if not loop.last }}{% endfor %}
    when not matched {{ 'and not (' ~ gone ~ ')' if gone }} then insert ({{ columns | join(', ') }})
        values ({% for name in columns %}fresh.{{ name }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{% macro trino__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) -%}
    {{ merge_changes(target, source, unique_key, dest_columns | map(attribute='name') | list) }}
{%- endmacro %}

{% macro spark__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) -%}
    {{ merge_changes(target, source, unique_key, adapter.get_columns_in_relation(target) | map(attribute='name') | list) }}
{%- endmacro %}
