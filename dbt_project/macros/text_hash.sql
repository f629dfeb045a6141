{% macro text_hash(parts) -%}
    {{ return(adapter.dispatch('text_hash')(parts)) }}
{%- endmacro %}

{% macro default__text_hash(parts) -%}
    lower(to_hex(md5(to_utf8(concat_ws('|'{% for part in parts %}, cast({{ part }} as varchar){% endfor %})))))
{%- endmacro %}

{% macro spark__text_hash(parts) -%}
    md5(concat_ws('|'{% for part in parts %}, cast({{ part }} as string){% endfor %}))
{%- endmacro %}
