{% macro seconds_between(earlier, later) -%}
    {{ return(adapter.dispatch('seconds_between')(earlier, later)) }}
{%- endmacro %}

{% macro default__seconds_between(earlier, later) -%}
    date_diff('second', {{ earlier }}, {{ later }})
{%- endmacro %}

{# Of whole milliseconds, as Trino counts. #}
{% macro spark__seconds_between(earlier, later) -%}
    ((unix_millis({{ later }}) - unix_millis({{ earlier }})) div 1000)
{%- endmacro %}
