{# Blanks and other alphabets' digits are none: engines differ in what they make of them. #}
{% macro number_in(text, type) -%}
    try_cast(regexp_extract({{ text }}, '^([!-~]+)\z', 1) as {{ type }})
{%- endmacro %}
