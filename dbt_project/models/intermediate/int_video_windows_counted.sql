{%- set window = var('virality_window_minutes') -%}
{%- set epoch = "timestamp '1970-01-01 00:00:00 UTC'" -%}

{# The live gold is as of a video's newest event; here its minutes are cut by the clock. #}
with

videos as (

    select
        *,
        floor({{ seconds_between(epoch, query_time()) }} / 60) as this_minute

    from {{ ref('stg_content__virality') }}

),

windows_cut as (

    select
        *,
        map_values(map_filter(
            minute_counts,
            (minute, counts) -> minute > this_minute - {{ window }}
            and minute <= this_minute
        )) as recent_counts,
        map_values(map_filter(
            minute_counts,
            (minute, counts) -> minute > this_minute - 2 * {{ window }}
            and minute <= this_minute - {{ window }}
        )) as earlier_counts

    from videos

),

counted as (

    select
        video_id,
        impressions,
        plays,
        likes,
        shares,
        newest_event_at,
        updated_at,
        reduce(
            recent_counts,
            cast(0 as bigint),
            (total, counts) -> total + counts.impressions,
            total -> total
        ) as recent_impressions,
        reduce(
            recent_counts,
            cast(0 as bigint),
            (total, counts) -> total + 5 * counts.likes + 10 * counts.shares,
            total -> total
        ) as recent_points,
        reduce(
            earlier_counts,
            cast(0 as bigint),
            (total, counts) -> total + counts.impressions,
            total -> total
        ) as earlier_impressions,
        reduce(
            earlier_counts,
            cast(0 as bigint),
            (total, counts) -> total + 5 * counts.likes + 10 * counts.shares,
            total -> total
        ) as earlier_points

    from windows_cut

)

select * from counted
