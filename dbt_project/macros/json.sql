{% macro json_text(body, field) -%}
    {{ return(adapter.dispatch('json_text')(body, field)) }}
{%- endmacro %}

{% macro default__json_text(body, field) -%}
    try(json_extract_scalar({{ body }}, '$.{{ field }}'))
{%- endmacro %}

{# Spark gives an object as its text, and a long number as a double: what may be one is looked at twice. #}
{% macro spark__json_text(body, field) -%}
    {%- set lenient = spark_json_field(body, field, 'string') -%}
    {%- set text = "coalesce(get_json_object(" ~ body ~ ", '$." ~ field ~ "'), " ~ lenient ~ ")" -%}
    {%- set value = spark_json_field(body, field, 'variant') -%}
    case
        when left({{ text }}, 1) not in ('{', '[') and not regexp_like({{ text }}, '^-?[0-9.]+E') then {{ text }}
        when schema_of_variant({{ value }}) = 'STRING' then {{ text }}
        when schema_of_variant({{ value }}) not like '%<%' then cast({{ value }} as string)
    end
{%- endmacro %}

{% macro spark_json_field(body, field, type) -%}
    {%- set nested = namespace(type=type) -%}
    {%- for name in field.split('.') | reverse -%}
        {%- set column = '`' ~ name ~ '` ' ~ nested.type -%}
        {%- set nested.type = column if loop.last else 'struct<' ~ column ~ '>' -%}
    {%- endfor -%}
    from_json({{ body }}, '{{ nested.type }}').{{ field }}
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
            {%- set text = "json_extract_scalar(element_at(object, '" ~ name ~ "'), '$')" %}
            {{ text if type == 'varchar' else number_in(text, type) }}{{ ',' if not loop.last }}
            {%- endfor %}
        ) as row({% for name, type in types.items() %}{{ name }} {{ type }}{{ ', ' if not loop.last }}{% endfor %}))
    )
{%- endmacro %}

{% macro spark__json_objects(body, field, types) -%}
    {%- set schema = 'array<struct<' ~ types | join(': {0}, ') ~ ': {0}>>' -%}
    {%- set values = spark_json_field(body, field, schema.format('variant')) -%}
    transform(
        {{ spark_json_field(body, field, schema.format('string')) }},
        (object, place) -> named_struct(
            {%- for name, type in types.items() %}
            {%- set text -%}
            case
                when left(object.{{ name }}, 1) not in ('{', '[') then object.{{ name }}
                when schema_of_variant(get({{ values }}, place).{{ name }}) = 'STRING' then object.{{ name }}
            end
            {%- endset %}
            '{{ name }}', {{ text if type == 'varchar' else number_in(text, type) }}{{ ',' if not loop.last }}
            {%- endfor %}
        )
    )
{%- endmacro %}
