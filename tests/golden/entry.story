# What may enter the book of a market, and a market that is not cleared.

story limits at entry, in their order
# Steps of 5 ticks and 10 lots, 20 lots at least, notional from 3000 to 10000, two open orders per account and three in the book.
config unit
set limits.orders_max 3
set markets.BTC.entry {"price_step": 5, "qty_step": 10, "qty_min": 20, "notional_min": 3000, "notional_max": 10000, "open_orders_max": 2}
given alice 10000
given bob 10000
given carol 10000
index BTC 100
> marked BTC 100 index 100
at 5s
buy alice BTC 15 @ 101
> refused place QtyOutOfRange
buy alice BTC 25 @ 10001
> refused place QtyOffStep
buy alice BTC 20 @ 10001
> refused place PriceOutOfRange
buy alice BTC 20 @ 101
> refused place PriceOffStep
buy alice BTC 20 @ 100
> refused place NotionalOutOfRange
buy alice BTC 110 @ 100
> refused place NotionalOutOfRange
buy alice BTC 20 market
> refused place NotionalOutOfRange
term alice BTC expiry 5s
buy alice BTC 20 @ 100
> refused place NotionalOutOfRange
term alice BTC expiry 5s
buy alice BTC 30 @ 100
> refused place ExpiryPast
buy alice BTC 30 @ 100
> accepted alice #1 BTC buy 30 @ 100
term alice BTC stop 110 mark
buy alice BTC 30 market
> accepted alice #2 BTC buy 30 market waiting
> armed alice #2 BTC buy stop 110 mark
buy alice BTC 40 @ 95
> refused place OpenOrdersLimit
term alice BTC stop 100 mark
buy alice BTC 30 market
> refused place TriggerBeyond
term alice BTC stop 110 mark
buy alice BTC 30 market
> refused place OpenOrdersLimit
# What does not rest has room.
buy alice BTC 30 @ 100 ioc
> accepted alice #3 BTC buy 30 @ 100 ioc
> cancelled alice #3 BTC buy 30 @ 100 rest
sell bob BTC 30 @ 110
> accepted bob #4 BTC sell 30 @ 110
sell carol BTC 30 @ 110
> refused place BookFull
replace alice BTC #1 with 35 @ 100
> refused replace QtyOffStep
replace alice BTC #1 with 30 @ 101
> refused replace PriceOffStep
replace alice BTC #1 with 20 @ 100
> refused replace NotionalOutOfRange

story a reduce-only order may be as small as it must
# A notional of 2000 is below 3000; a block has no such limit, and neither has the way out of it.
config unit
set markets.BTC.entry {"price_step": 1, "qty_step": 1, "qty_min": 1, "notional_min": 3000, "notional_max": null, "open_orders_max": null}
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 20 @ 100 from bob
> fill alice BTC buy 20 @ 100 block
> fill bob BTC sell 20 @ 100 block
sell alice BTC 20 @ 100
> refused place NotionalOutOfRange
sell alice BTC 20 @ 100 reduce
> accepted alice #1 BTC sell 20 @ 100 reduce

story a market that is not cleared matches and reports, and nothing else
# No money, no index, no fee, no position. A band binds once there is a mark: 5 % above 100.
config unit
set markets.BTC.cleared false
set markets.BTC.fees.taker_ppm 10000
set breakers [{"name": "band", "markets": [0], "ranges": [{"reference": {"type": "mark"}, "width": {"type": "ppm", "ppm": 50000}}], "test": {"type": "entry"}, "action": {"type": "cap"}}]
open alice
> opened alice
open bob
> opened bob
sell alice BTC 100 @ 100
> accepted alice #1 BTC sell 100 @ 100
buy bob BTC 60 @ 200
> accepted bob #2 BTC buy 60 @ 200
> fill alice #1 BTC sell 60 @ 100 fee 0 maker
> fill bob #2 BTC buy 60 @ 100 fee 0 taker
check bob position BTC 0
check fees 0
block BTC alice buys 1 @ 100 from bob
> refused block PhaseRefuses
sell bob BTC 1 @ 100 ioc reduce
> refused place NotReducing
index BTC 100
> marked BTC 100 index 100
buy bob BTC 50 @ 200
> bounded bob BTC buy @ 200 capped 105 by band from 100
> accepted bob #3 BTC buy 50 @ 105
> fill alice #1 BTC sell 40 @ 100 fee 0 maker
> fill bob #3 BTC buy 40 @ 100 fee 0 taker
