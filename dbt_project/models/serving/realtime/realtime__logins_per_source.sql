{{ config(
    alias='logins_per_source',
    unique_key=['window_start', 'source'],
    meta={'changes_only': true},
) }}

with

counts as (

    select * from {{ ref('stg_shop__logins_per_source') }}

),

served as (

    select
        window_start,
        source,
        login_count,
        updated_at

    from counts

)

select * from served
