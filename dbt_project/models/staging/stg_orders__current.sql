with

orders as (

    select * from {{ source('live_gold', 'orders_current') }}

),

renamed as (

    select
        order_id,
        user_id,
        current_status,
        status_changed_at,
        total_amount,
        currency,
        payment_method,
        items,
        rejected_events,
        is_deleted,
        topic_epoch,
        kafka_partition,
        kafka_offset,
        absorbed,
        updated_at

    from orders

)

select * from renamed
