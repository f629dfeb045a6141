{% macro json_text(body, field) -%}
    {{ return(adapter.dispatch('json_text')(body, field)) }}
{%- endmacro %}

{% macro default__json_text(body, field) -%}
    try(json_extract_scalar({{ body }}, '$.{{ field }}'))
{%- endmacro %}

{% macro spark__json_text(body, field) -%}
    get_json_object({{ body }}, '$.{{ field }}')
{%- endmacro %}

{% macro json_fragment(body, field) -%}
    {{ return(adapter.dispatch('json_fragment')(body, field)) }}
{%- endmacro %}

{% macro default__json_fragment(body, field) -%}
    json_query({{ body }}, 'lax $.{{ field }}' null on error)
{%- endmacro %}

{% macro spark__json_fragment(body, field) -%}
    get_json_object({{ body }}, '$.{{ field }}')
{%- endmacro %}

{% macro json_objects(body, field, types) -%}
    {{ return(adapter.dispatch('json_objects')(body, field, types)) }}
{%- endmacro %}

{# json_query, unlike json_extract, gives null where nesting goes deeper than the parser. #}
{% macro default__json_objects(body, field, types) -%}
    transform(
        try(cast(json_parse(
            json_query({{ body }}, 'lax $.{{ field }}' null on error)
        ) as array(map(varchar, json)))),
        object -> cast(row(
            {%- for name, type in types.items() %}
            try_cast(json_extract_scalar(element_at(object, '{{ name }}'), '$') as {{ type }})
            {{- ',' if not loop.last }}
            {%- endfor %}
        ) as row({% for name, type in types.items() %}{{ name }} {{ type }}{{ ', ' if not loop.last }}{% endfor %}))
    )
{%- endmacro %}

{% macro spark__json_objects(body, field, types) -%}
    transform(
        from_json(
            get_json_object({{ body }}, '$.{{ field }}'),
            'array<struct<{% for name in types %}{{ name }}: string{{ ', ' if not loop.last }}{% endfor %}>>'
        ),
        object -> named_struct(
            {%- for name, type in types.items() %}
            '{{ name }}', try_cast(object.{{ name }} as {{ type | replace('varchar', 'string') }}){{ ',' if not loop.last }}
            {%- endfor %}
        )
    )
{%- endmacro %}
