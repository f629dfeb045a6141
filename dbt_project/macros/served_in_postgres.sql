{% macro run_in_postgres(statement) -%}
    {% do run_query("call " ~ this.database ~ ".system.execute(query => '" ~ statement | replace("'", "''") ~ "')") %}
{%- endmacro %}

{# Stages of a run that was killed are in the schema of their hour, and go with it. #}
{% macro stage_opened(stage_schema, stages, oldest) -%}
do $$
declare left_behind text;
begin
    perform pg_advisory_xact_lock(hashtext('{{ stages }}'));
    create schema if not exists {{ stage_schema }};
    create table if not exists {{ this.schema }}.refreshed_at (
        table_name text primary key, refreshed_at timestamptz not null, newest_data_at timestamptz
    );
    for left_behind in
        select nspname from pg_namespace where nspname ~ '^{{ stages }}[0-9]+$' and nspname < '{{ oldest }}'
    loop
        execute format('drop schema %I cascade', left_behind);
    end loop;
end $$
{%- endmacro %}

{% macro stage_published(stage, whole) -%}
    {%- set kept, fresh = this.include(database=false), stage.include(database=false) -%}
do $$
begin
    set local lock_timeout = '10s';
    perform pg_advisory_xact_lock(hashtext('{{ kept }}'));
    alter table {{ fresh }} add primary key ({{ config.require('unique_key') | join(', ') }});
    insert into {{ this.schema }}.refreshed_at
        select '{{ this.identifier }}', '{{ run_started_at.isoformat() }}', max(updated_at) from {{ fresh }}
        on conflict (table_name) do update set
            refreshed_at = excluded.refreshed_at, newest_data_at = excluded.newest_data_at;
    if {{ shape_in_postgres(kept) }} is not distinct from {{ shape_in_postgres(fresh) }} then
        {{ stage_merged(kept, fresh, whole) }};
        drop table {{ fresh }};
    elsif {{ whole }} then
        drop table if exists {{ kept }};
        alter table {{ fresh }} rename to {{ this.identifier }};
        alter table {{ stage.schema }}.{{ this.identifier }} set schema {{ this.schema }};
        analyze {{ kept }};
    else
        raise exception 'the columns of {{ kept }} are not its model''s: run dbt with --full-refresh';
    end if;
end $$
{%- endmacro %}

{% macro stage_merged(kept, fresh, whole) -%}
    {%- set keys, columns = config.require('unique_key'), model.columns | list -%}
    {%- set rest = columns | reject('in', keys) | list -%}
    merge into {{ kept }} as kept using {{ fresh }} as fresh
    on {% for key in keys %}kept.{{ key }} = fresh.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
    when matched and (kept.{{ rest | join(', kept.') }}) is distinct from (fresh.{{ rest | join(', fresh.') }})
        then update set ({{ rest | join(', ') }}) = row(fresh.{{ rest | join(', fresh.') }})
    when not matched then insert values (fresh.{{ columns | join(', fresh.') }})
    {{ 'when not matched by source then delete' if whole }}
{%- endmacro %}

{% macro shape_in_postgres(table) -%}
    (
        select array_agg(format(
            '%s %s %s', attname, format_type(atttypid, atttypmod), array_position(indkey::int2[], attnum)
        ) order by attnum)
        from pg_attribute left join pg_index on indrelid = attrelid and indisprimary
        where attrelid = to_regclass('{{ table }}') and attnum > 0 and not attisdropped
    )
{%- endmacro %}
