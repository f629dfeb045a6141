{% macro greatest_in_files(more=[]) -%}
    {%- if not (execute and is_incremental()) -%}{{ return({}) }}{%- endif -%}
    {{ return(adapter.dispatch('greatest_in_files')(['kafka_partition', 'ingested_at', 'updated_at'] + more)) }}
{%- endmacro %}

{% macro default__greatest_in_files(columns) -%}
    {%- set listed = [] -%}
    {%- for column in columns %}
    {%- set bound = "json_extract_scalar(readable_metrics, '$." ~ column ~ ".upper_bound')" -%}
    {%- do listed.append(
        'max_by(' ~ bound ~ ', (coalesce(try_cast(' ~ bound ~ ' as bigint), 0), ' ~ bound ~ '))'
        ~ ' filter (where ' ~ bound ~ ' is not null)'
    ) -%}
    {%- endfor -%}
    {%- set files = this.incorporate(path={'identifier': this.identifier ~ '$files'}) -%}
    {%- set found = run_query('select ' ~ listed | join(', ') ~ ' from ' ~ files ~ ' where content = 0').rows[0] -%}
    {{ return(dict(zip(columns, found))) }}
{%- endmacro %}

{# The table is read instead. #}
{% macro spark__greatest_in_files(columns) -%}
    {{ return({}) }}
{%- endmacro %}

{% macro greatest_held(column, last) -%}
    {%- set held = last.get(column) -%}
    {%- if held -%}from_iso8601_timestamp_nanos('{{ held }}')
    {%- else -%}(select coalesce(max({{ column }}), timestamp '1970-01-01 00:00:00 UTC') from {{ this }})
    {%- endif -%}
{%- endmacro %}
