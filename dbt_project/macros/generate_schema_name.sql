{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set prefix = '' if target.name == 'prod' else env_var('LAKE_SCHEMA_PREFIX', '') -%}
    {%- set engine = 'spark_' if target.type == 'spark' else '' -%}
    {{ prefix }}{{ engine }}{{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
