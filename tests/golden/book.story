# Orders, the book and the limits on what may enter it.

story an incoming order fills at the resting prices, best price first and then longest resting
# Taker fee 0.25 %, rounded up per fill: 1.25 -> 2, 1.25 -> 2, 0.505 -> 1.
config unit
set markets.BTC.fees.taker_ppm 2500
given alice 1000
given bob 1000
given carol 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
at 1s
sell alice BTC 4 @ 101
> accepted alice #1 BTC sell 4 @ 101
sell bob BTC 5 @ 100
> accepted bob #2 BTC sell 5 @ 100
sell carol BTC 5 @ 100
> accepted carol #3 BTC sell 5 @ 100
buy dave BTC 12 @ 102
> accepted dave #4 BTC buy 12 @ 102
> fill bob #2 BTC sell 5 @ 100 fee 0 maker
> fill dave #4 BTC buy 5 @ 100 fee 2 taker
> fill carol #3 BTC sell 5 @ 100 fee 0 maker
> fill dave #4 BTC buy 5 @ 100 fee 2 taker
> fill alice #1 BTC sell 2 @ 101 fee 0 maker
> fill dave #4 BTC buy 2 @ 101 fee 1 taker
check dave balance 995
check dave position BTC 12
check dave cost BTC 1202
check fees 5

story a cancel in the middle of a level leaves the others in their order
config unit
given alice 1000
given bob 1000
given carol 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 5 @ 100
> accepted alice #1 BTC sell 5 @ 100
sell bob BTC 5 @ 100
> accepted bob #2 BTC sell 5 @ 100
sell carol BTC 5 @ 100
> accepted carol #3 BTC sell 5 @ 100
cancel bob BTC #2
> cancelled bob #2 BTC sell 5 @ 100 user
cancel bob BTC #2
> refused cancel UnknownOrder
cancel bob BTC #3
> refused cancel NotYourOrder
buy dave BTC 7 @ 100
> accepted dave #4 BTC buy 7 @ 100
> fill alice #1 BTC sell 5 @ 100 fee 0 maker
> fill dave #4 BTC buy 5 @ 100 fee 0 taker
> fill carol #3 BTC sell 2 @ 100 fee 0 maker
> fill dave #4 BTC buy 2 @ 100 fee 0 taker

story a smaller quantity at the same price keeps its place
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 5 @ 100
> accepted alice #1 BTC sell 5 @ 100
sell bob BTC 5 @ 100
> accepted bob #2 BTC sell 5 @ 100
replace alice BTC #1 with 3 @ 100
> replaced alice #1 BTC sell 3 @ 100 kept
buy carol BTC 4 @ 100
> accepted carol #3 BTC buy 4 @ 100
> fill alice #1 BTC sell 3 @ 100 fee 0 maker
> fill carol #3 BTC buy 3 @ 100 fee 0 taker
> fill bob #2 BTC sell 1 @ 100 fee 0 maker
> fill carol #3 BTC buy 1 @ 100 fee 0 taker

story a larger quantity goes to the back of its level
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 5 @ 100
> accepted alice #1 BTC sell 5 @ 100
sell bob BTC 5 @ 100
> accepted bob #2 BTC sell 5 @ 100
replace alice BTC #1 with 6 @ 100
> replaced alice #1 BTC sell 6 @ 100 moved
buy carol BTC 6 @ 100
> accepted carol #3 BTC buy 6 @ 100
> fill bob #2 BTC sell 5 @ 100 fee 0 maker
> fill carol #3 BTC buy 5 @ 100 fee 0 taker
> fill alice #1 BTC sell 1 @ 100 fee 0 maker
> fill carol #3 BTC buy 1 @ 100 fee 0 taker

story a replace into the spread trades and its rest rests under the old number
config unit
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 3 @ 99
> accepted alice #1 BTC buy 3 @ 99
sell bob BTC 5 @ 101
> accepted bob #2 BTC sell 5 @ 101
replace bob BTC #2 with 5 @ 99
> replaced bob #2 BTC sell 5 @ 99 moved
> fill alice #1 BTC buy 3 @ 99 fee 0 maker
> fill bob #2 BTC sell 3 @ 99 fee 0 taker
buy alice BTC 2 @ 99
> accepted alice #3 BTC buy 2 @ 99
> fill bob #2 BTC sell 2 @ 99 fee 0 maker
> fill alice #3 BTC buy 2 @ 99 fee 0 taker

story a post-only order is refused when it would take, and its replace as well
config unit
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 3 @ 99
> accepted alice #1 BTC buy 3 @ 99
sell bob BTC 3 @ 99 post
> refused place WouldTake
sell bob BTC 3 @ 100 post
> accepted bob #2 BTC sell 3 @ 100 post
replace bob BTC #2 with 3 @ 99
> refused replace WouldTake
replace bob BTC #2 with 4 @ 101
> replaced bob #2 BTC sell 4 @ 101 moved
# A market order cannot be post-only.
buy alice BTC 1 market post
> refused place BadField
buy alice BTC 4 @ 101
> accepted alice #3 BTC buy 4 @ 101
> fill bob #2 BTC sell 4 @ 101 fee 0 maker
> fill alice #3 BTC buy 4 @ 101 fee 0 taker

story fill-or-kill is judged on all levels at once
config unit
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 5 @ 100
> accepted alice #1 BTC sell 5 @ 100
sell alice BTC 5 @ 101
> accepted alice #2 BTC sell 5 @ 101
buy bob BTC 10 @ 100 fok
> refused place NotFillable
buy bob BTC 11 @ 101 fok
> refused place NotFillable
buy bob BTC 10 @ 101 fok
> accepted bob #3 BTC buy 10 @ 101 fok
> fill alice #1 BTC sell 5 @ 100 fee 0 maker
> fill bob #3 BTC buy 5 @ 100 fee 0 taker
> fill alice #2 BTC sell 5 @ 101 fee 0 maker
> fill bob #3 BTC buy 5 @ 101 fee 0 taker

story immediate-or-cancel and market orders never rest
config unit
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 2 @ 101
> accepted alice #1 BTC sell 2 @ 101
buy bob BTC 3 @ 100 ioc
> accepted bob #2 BTC buy 3 @ 100 ioc
> cancelled bob #2 BTC buy 3 @ 100 rest
buy bob BTC 3 @ 101 ioc
> accepted bob #3 BTC buy 3 @ 101 ioc
> fill alice #1 BTC sell 2 @ 101 fee 0 maker
> fill bob #3 BTC buy 2 @ 101 fee 0 taker
> cancelled bob #3 BTC buy 1 @ 101 rest
buy bob BTC 3 market
> accepted bob #4 BTC buy 3 market
> cancelled bob #4 BTC buy 3 @ 0 rest

story initial margin covers the order, the open loss and the fee exactly
# 10 lots at 100: initial margin 100. At 101 the open loss is 10 and the fee of 1 % of 1010 is 11: 121.
config unit
set markets.BTC.fees.taker_ppm 10000
given alice 121
given bob 120
index BTC 100
> marked BTC 100 index 100
buy bob BTC 10 @ 101
> refused place MarginShort
buy alice BTC 10 @ 101
> accepted alice #1 BTC buy 10 @ 101
withdraw alice 22 USD
> refused withdraw MarginShort
withdraw alice 21 USD
> withdrawn alice 21 USD

story orders of both sides count, the larger side decides
# Resting buys of 10 need 100; a sell of 10 needs no more, an eleventh lot does.
config unit
given alice 100
index BTC 100
> marked BTC 100 index 100
buy alice BTC 10 @ 100
> accepted alice #1 BTC buy 10 @ 100
sell alice BTC 10 @ 101
> accepted alice #2 BTC sell 10 @ 101
sell alice BTC 1 @ 101
> refused place MarginShort

story a reduce-only order may only make the position smaller
config unit
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy bob BTC 20 @ 100
> accepted bob #1 BTC buy 20 @ 100
sell alice BTC 11 market reduce
> refused place NotReducing
sell alice BTC 11 @ 100 reduce
> refused place NotReducing
buy alice BTC 1 market reduce
> refused place NotReducing
sell alice BTC 10 market reduce
> accepted alice #2 BTC sell 10 market reduce
> fill bob #1 BTC buy 10 @ 100 fee 0 maker
> fill alice #2 BTC sell 10 @ 100 fee 0 taker
sell alice BTC 1 market reduce
> refused place NotReducing

story a reduce-only phase admits what closes and refuses what opens
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy bob BTC 10 @ 100
> accepted bob #1 BTC buy 10 @ 100
phase BTC reduce_only until 60s
> phase BTC continuous to reduce_only until 60s
sell alice BTC 4 @ 100
> refused place PhaseRefuses
sell alice BTC 4 @ 100 ioc
> accepted alice #2 BTC sell 4 @ 100 ioc
> fill bob #1 BTC buy 4 @ 100 fee 0 maker
> fill alice #2 BTC sell 4 @ 100 fee 0 taker
sell carol BTC 1 @ 100 ioc
> refused place NotReducing
block BTC alice buys 1 @ 100 from bob
> refused block PhaseRefuses
replace bob BTC #1 with 6 @ 99
> refused replace PhaseRefuses
replace bob BTC #1 with 5 @ 100
> replaced bob #1 BTC buy 5 @ 100 kept
at 60s
pulse
> phase BTC reduce_only to continuous

story open interest is judged after a block, not on its size
# The limit is 15. Ten are open; six more are too many, five are not; a block that hands five on opens none.
config unit
set markets.BTC.order_qty_max 10
set markets.BTC.position_max 10
set markets.BTC.open_interest_max 15
given alice 1000
given bob 1000
given carol 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
block BTC carol buys 6 @ 100 from dave
> refused block OpenInterestLimit
block BTC carol buys 5 @ 100 from dave
> fill carol BTC buy 5 @ 100 block
> fill dave BTC sell 5 @ 100 block
block BTC carol buys 5 @ 100 from alice
> fill carol BTC buy 5 @ 100 block
> fill alice BTC sell 5 @ 100 block
block BTC carol buys 1 @ 100 from alice
> refused block PositionLimit
sell dave BTC 1 @ 100
> refused place OpenInterestLimit
buy carol BTC 1 @ 100
> refused place PositionLimit
sell alice BTC 5 @ 100
> accepted alice #1 BTC sell 5 @ 100

story what is released of an entry cost is cut towards zero, for shorts as well
# Alice buys 3 for 301 and sells 1: trunc(301 / 3) = 100 is released. Bob sold 3 for 301: his cost is -301 and
# trunc(-301 / 3) = -100, not -101. One lot at 110: Alice gains 10, Bob loses 10.
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 2 @ 100 from bob
> fill alice BTC buy 2 @ 100 block
> fill bob BTC sell 2 @ 100 block
block BTC alice buys 1 @ 101 from bob
> fill alice BTC buy 1 @ 101 block
> fill bob BTC sell 1 @ 101 block
check bob cost BTC -301
block BTC carol buys 1 @ 110 from alice
> fill carol BTC buy 1 @ 110 block
> fill alice BTC sell 1 @ 110 block
check alice balance 1010
check alice cost BTC 201
block BTC bob buys 1 @ 110 from carol
> fill bob BTC buy 1 @ 110 block
> fill carol BTC sell 1 @ 110 block
check bob balance 990
check bob cost BTC -201

story every refusal is an event and changes nothing
config unit
set limits.accounts_max 2
set limits.orders_max 1
at 5s
given alice 1000
given bob 1000
buy alice BTC 1 @ 100
> refused place NoMark
index BTC 100
> marked BTC 100 index 100
at 4s
pulse
> refused pulse TimeBackwards
at 5s
nonsense
> refused nonsense UnknownCommand
open
> refused open AccountsFull
buy alice =7 1 @ 100
> refused place UnknownMarket
buy =9 BTC 1 @ 100
> refused place UnknownAccount
buy alice BTC 1 @ 100 waiting
> refused place BadField
buy alice BTC 0 @ 100
> refused place QtyOutOfRange
buy alice BTC 1001 @ 100
> refused place QtyOutOfRange
buy alice BTC 1 @ 0
> refused place PriceOutOfRange
buy alice BTC 1 @ 10001
> refused place PriceOutOfRange
cancel alice BTC #1
> refused cancel UnknownOrder
buy alice BTC 1 @ 100
> accepted alice #1 BTC buy 1 @ 100
cancel bob BTC #1
> refused cancel NotYourOrder
sell bob BTC 1 @ 101
> refused place BookFull
buy alice BTC 1 @ 99 ioc reduce
> refused place NotReducing
deposit alice 1 =2
> refused deposit UnknownAsset
deposit alice 0 USD
> refused deposit AmountOutOfRange
deposit alice 998001 USD
> refused deposit AmountOutOfRange
withdraw alice 1001 USD
> refused withdraw BalanceShort
fund =1 5
> refused fund UnknownFund
index BTC 10001
> refused index PriceOutOfRange
phase BTC =13
> refused phase BadField
phase BTC halted until 5s
> refused phase BadField
block BTC alice buys 1 @ 100 from alice
> refused block BadField

story a self-trade is an ordinary trade
config unit
set markets.BTC.fees.taker_ppm 10000
given alice 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 5 @ 100
> accepted alice #1 BTC sell 5 @ 100
buy alice BTC 5 @ 100
> accepted alice #2 BTC buy 5 @ 100
> fill alice #1 BTC sell 5 @ 100 fee 0 maker
> fill alice #2 BTC buy 5 @ 100 fee 5 taker
check alice position BTC 0
check alice balance 995

story cancelling everything goes market by market, the newest order first
config unit
given alice 1000
index BTC 100
> marked BTC 100 index 100
index ETH 100
> marked ETH 100 index 100
buy alice ETH 1 @ 90
> accepted alice #1 ETH buy 1 @ 90
buy alice BTC 1 @ 90
> accepted alice #2 BTC buy 1 @ 90
sell alice BTC 1 @ 110
> accepted alice #3 BTC sell 1 @ 110
cancel alice all
> cancelled alice #3 BTC sell 1 @ 110 user
> cancelled alice #2 BTC buy 1 @ 90 user
> cancelled alice #1 ETH buy 1 @ 90 user
cancel alice BTC all
