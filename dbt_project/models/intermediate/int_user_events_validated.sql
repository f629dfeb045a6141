with

events as (

    select * from {{ ref('stg_shop__events') }}

),

validated as (

    select
        *,
        case
            when error is not null then error
            when event_id = '' then 'event_id_empty'
            when event_type not in ('login', 'click', 'purchase', 'logout')
                then 'event_type_unknown'
            when user_id is null then 'user_id_invalid'
            when coalesce(source, '') not in ('web', 'mobile') then 'source_unknown'
            when not regexp_like(coalesce(page, ''), '^/[!-~]{0,199}\z')
                then 'page_invalid'
        end as rejection_reason

    from events

)

select * from validated
