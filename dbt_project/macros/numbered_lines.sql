{% macro numbered_lines(lines, number) -%}
    {{ return(adapter.dispatch('numbered_lines')(lines, number)) }}
{%- endmacro %}

{% macro default__numbered_lines(lines, number) -%}
    cross join unnest(transform({{ lines }}, line -> true))
        with ordinality as numbered ({{ number }}_exists, {{ number }})
{%- endmacro %}

{% macro spark__numbered_lines(lines, number) -%}
    lateral view explode(transform({{ lines }}, (line, place) -> place + 1)) numbered as {{ number }}
{%- endmacro %}
