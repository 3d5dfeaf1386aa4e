# Orders that wait for a price.

story a stop waits outside the book and fires at the first trade at its trigger
# A trade at 96 does not fire 95, one at 95 does. Blocks are no trades in the book. A stop that the last trade would fire is refused.
config unit
given alice 1000
given bob 1000
given carol 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 95 from bob
> fill alice BTC buy 5 @ 95 block
> fill bob BTC sell 5 @ 95 block
buy dave BTC 5 @ 94
> accepted dave #1 BTC buy 5 @ 94
term alice BTC stop 95 last
sell alice BTC 5 market
> accepted alice #2 BTC sell 5 market waiting
> armed alice #2 BTC sell stop 95 last
replace alice BTC #2 with 4 @ 95
> refused replace UnknownOrder
buy bob BTC 2 @ 96
> accepted bob #3 BTC buy 2 @ 96
sell carol BTC 2 @ 96
> accepted carol #4 BTC sell 2 @ 96
> fill bob #3 BTC buy 2 @ 96 fee 0 maker
> fill carol #4 BTC sell 2 @ 96 fee 0 taker
buy bob BTC 2 @ 95
> accepted bob #5 BTC buy 2 @ 95
sell carol BTC 2 @ 95
> accepted carol #6 BTC sell 2 @ 95
> fill bob #5 BTC buy 2 @ 95 fee 0 maker
> fill carol #6 BTC sell 2 @ 95 fee 0 taker
> triggered alice #2 BTC sell at 95
> accepted alice #2 BTC sell 5 market
> fill dave #1 BTC buy 5 @ 94 fee 0 maker
> fill alice #2 BTC sell 5 @ 94 fee 0 taker
term carol BTC stop 94 last
sell carol BTC 1 market
> refused place TriggerBeyond
term carol BTC take-profit 94 last
sell carol BTC 1 market
> refused place TriggerBeyond

story last, mark and index are watched apart
# Three take-profits of a buyer at 95. The mark is the last trade: an index of 94 fires the one that watches the index, whose trade at 95
# fires the one that watches trades, and the mark follows at the next index.
config unit
set markets.BTC.mark {"method": "last", "basis_samples": 1}
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
sell bob BTC 1 @ 100
> accepted bob #1 BTC sell 1 @ 100
buy carol BTC 1 @ 100
> accepted carol #2 BTC buy 1 @ 100
> fill bob #1 BTC sell 1 @ 100 fee 0 maker
> fill carol #2 BTC buy 1 @ 100 fee 0 taker
term alice BTC take-profit 95 last
buy alice BTC 1 @ 95
> accepted alice #3 BTC buy 1 @ 95 waiting
> armed alice #3 BTC buy take-profit 95 last
term alice BTC take-profit 95 mark
buy alice BTC 1 @ 95
> accepted alice #4 BTC buy 1 @ 95 waiting
> armed alice #4 BTC buy take-profit 95 mark
term alice BTC take-profit 95 index
buy alice BTC 1 @ 95
> accepted alice #5 BTC buy 1 @ 95 waiting
> armed alice #5 BTC buy take-profit 95 index
index BTC 94
> marked BTC 100 index 94
> triggered alice #5 BTC buy at 94
> accepted alice #5 BTC buy 1 @ 95
sell carol BTC 1 @ 95
> accepted carol #6 BTC sell 1 @ 95
> fill alice #5 BTC buy 1 @ 95 fee 0 maker
> fill carol #6 BTC sell 1 @ 95 fee 0 taker
> triggered alice #3 BTC buy at 95
> accepted alice #3 BTC buy 1 @ 95
index BTC 94
> marked BTC 95 index 94
> triggered alice #4 BTC buy at 95
> accepted alice #4 BTC buy 1 @ 95

story a trailing stop follows the best mark and fires an offset behind it
# From 100 to 103; 99 is 4 below, 98 is 5 below.
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
buy carol BTC 5 @ 97
> accepted carol #1 BTC buy 5 @ 97
term alice BTC trailing 5 mark
sell alice BTC 5 market
> accepted alice #2 BTC sell 5 market waiting
> armed alice #2 BTC sell trailing 5 mark
index BTC 103
> marked BTC 103 index 103
index BTC 99
> marked BTC 99 index 99
index BTC 98
> marked BTC 98 index 98
> triggered alice #2 BTC sell at 98
> accepted alice #2 BTC sell 5 market
> fill carol #1 BTC buy 5 @ 97 fee 0 maker
> fill alice #2 BTC sell 5 @ 97 fee 0 taker

story a trailing stop without a price starts with the first that it observes
# Nothing has traded when Bob's buy is armed. 100 and then 99 are its best; 102 is 3 above.
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
term bob BTC trailing 3 last
buy bob BTC 1 @ 110
> accepted bob #1 BTC buy 1 @ 110 waiting
> armed bob #1 BTC buy trailing 3 last
buy carol BTC 1 @ 100
> accepted carol #2 BTC buy 1 @ 100
sell alice BTC 1 @ 100
> accepted alice #3 BTC sell 1 @ 100
> fill carol #2 BTC buy 1 @ 100 fee 0 maker
> fill alice #3 BTC sell 1 @ 100 fee 0 taker
buy carol BTC 1 @ 99
> accepted carol #4 BTC buy 1 @ 99
sell alice BTC 1 @ 99
> accepted alice #5 BTC sell 1 @ 99
> fill carol #4 BTC buy 1 @ 99 fee 0 maker
> fill alice #5 BTC sell 1 @ 99 fee 0 taker
buy carol BTC 1 @ 102
> accepted carol #6 BTC buy 1 @ 102
sell alice BTC 1 @ 102
> accepted alice #7 BTC sell 1 @ 102
> fill carol #6 BTC buy 1 @ 102 fee 0 maker
> fill alice #7 BTC sell 1 @ 102 fee 0 taker
> triggered bob #1 BTC buy at 102
> accepted bob #1 BTC buy 1 @ 110

story an iceberg that waited is shown when it comes to rest
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
term alice BTC stop 105 last
term alice BTC display 2
buy alice BTC 5 @ 104
> accepted alice #1 BTC buy 5 @ 104 waiting
> armed alice #1 BTC buy stop 105 last
sell bob BTC 1 @ 105
> accepted bob #2 BTC sell 1 @ 105
buy carol BTC 1 @ 105
> accepted carol #3 BTC buy 1 @ 105
> fill bob #2 BTC sell 1 @ 105 fee 0 maker
> fill carol #3 BTC buy 1 @ 105 fee 0 taker
> triggered alice #1 BTC buy at 105
> accepted alice #1 BTC buy 5 @ 104
> shown alice #1 BTC buy 2 @ 104 behind 3

story stops set off stops, first fired first sent
# The trade at 95 fires Alice and Carol, by acceptance. Alice sells at 94, which fires Bob, behind Carol. She sells 1 at 93, and Bob the last 1.
config unit
given alice 1000
given bob 1000
given carol 1000
given dave 1000
given erin 1000
index BTC 100
> marked BTC 100 index 100
buy dave BTC 1 @ 95
> accepted dave #1 BTC buy 1 @ 95
buy dave BTC 2 @ 94
> accepted dave #2 BTC buy 2 @ 94
buy dave BTC 2 @ 93
> accepted dave #3 BTC buy 2 @ 93
term bob BTC stop 94 last
sell bob BTC 2 market
> accepted bob #4 BTC sell 2 market waiting
> armed bob #4 BTC sell stop 94 last
term alice BTC stop 95 last
sell alice BTC 2 market
> accepted alice #5 BTC sell 2 market waiting
> armed alice #5 BTC sell stop 95 last
term carol BTC stop 95 last
sell carol BTC 1 market
> accepted carol #6 BTC sell 1 market waiting
> armed carol #6 BTC sell stop 95 last
sell erin BTC 1 market
> accepted erin #7 BTC sell 1 market
> fill dave #1 BTC buy 1 @ 95 fee 0 maker
> fill erin #7 BTC sell 1 @ 95 fee 0 taker
> triggered alice #5 BTC sell at 95
> accepted alice #5 BTC sell 2 market
> fill dave #2 BTC buy 2 @ 94 fee 0 maker
> fill alice #5 BTC sell 2 @ 94 fee 0 taker
> triggered carol #6 BTC sell at 95
> accepted carol #6 BTC sell 1 market
> fill dave #3 BTC buy 1 @ 93 fee 0 maker
> fill carol #6 BTC sell 1 @ 93 fee 0 taker
> triggered bob #4 BTC sell at 94
> accepted bob #4 BTC sell 2 market
> fill dave #3 BTC buy 1 @ 93 fee 0 maker
> fill bob #4 BTC sell 1 @ 93 fee 0 taker
> cancelled bob #4 BTC sell 1 @ 0 rest

story a step sends so many fired orders and no more; the others wait, and can be cancelled
# One per step. Bob's is cancelled while it is queued; that same step sends Carol's.
config unit
set limits.triggers_per_step 1
given alice 1000
given bob 1000
given carol 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
buy dave BTC 5 @ 94
> accepted dave #1 BTC buy 5 @ 94
term alice BTC stop 95 mark
sell alice BTC 1 market
> accepted alice #2 BTC sell 1 market waiting
> armed alice #2 BTC sell stop 95 mark
term bob BTC stop 95 mark
sell bob BTC 1 market
> accepted bob #3 BTC sell 1 market waiting
> armed bob #3 BTC sell stop 95 mark
term carol BTC stop 95 mark
sell carol BTC 1 market
> accepted carol #4 BTC sell 1 market waiting
> armed carol #4 BTC sell stop 95 mark
index BTC 95
> marked BTC 95 index 95
> triggered alice #2 BTC sell at 95
> accepted alice #2 BTC sell 1 market
> fill dave #1 BTC buy 1 @ 94 fee 0 maker
> fill alice #2 BTC sell 1 @ 94 fee 0 taker
cancel bob BTC #3
> cancelled bob #3 BTC sell 1 @ 0 user
> triggered carol #4 BTC sell at 95
> accepted carol #4 BTC sell 1 market
> fill dave #1 BTC buy 1 @ 94 fee 0 maker
> fill carol #4 BTC sell 1 @ 94 fee 0 taker

story a fired order waits for a phase that admits it
# A halt places nothing; an auction places orders with a trigger of every type. The price fires them at once, and they are sent when trading is.
config unit
given alice 1000
given bob 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
buy dave BTC 5 @ 94
> accepted dave #1 BTC buy 5 @ 94
term alice BTC stop 95 mark
sell alice BTC 1 market
> accepted alice #2 BTC sell 1 market waiting
> armed alice #2 BTC sell stop 95 mark
phase BTC halted
> phase BTC continuous to halted
term bob BTC stop 95 mark
sell bob BTC 1 market
> refused place PhaseRefuses
phase BTC call_auction
> phase BTC halted to call_auction
term bob BTC stop 95 mark
sell bob BTC 1 market
> accepted bob #3 BTC sell 1 market waiting
> armed bob #3 BTC sell stop 95 mark
index BTC 95
> marked BTC 95 index 95
index BTC 99
> marked BTC 99 index 99
phase BTC continuous
> phase BTC call_auction to continuous
> triggered alice #2 BTC sell at 95
> accepted alice #2 BTC sell 1 market
> fill dave #1 BTC buy 1 @ 94 fee 0 maker
> fill alice #2 BTC sell 1 @ 94 fee 0 taker
> triggered bob #3 BTC sell at 95
> accepted bob #3 BTC sell 1 market
> fill dave #1 BTC buy 1 @ 94 fee 0 maker
> fill bob #3 BTC sell 1 @ 94 fee 0 taker

story what a fired order may not do any more cancels it
# Alice's position is gone when her reduce-only stop fires, and Carol bids above the limit of her post-only one.
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
term alice BTC stop 95 mark
sell alice BTC 5 market reduce
> accepted alice #1 BTC sell 5 market reduce+waiting
> armed alice #1 BTC sell stop 95 mark
term alice BTC stop 95 mark
sell alice BTC 1 @ 90 post
> accepted alice #2 BTC sell 1 @ 90 post+waiting
> armed alice #2 BTC sell stop 95 mark
block BTC bob buys 5 @ 100 from alice
> fill bob BTC buy 5 @ 100 block
> fill alice BTC sell 5 @ 100 block
buy carol BTC 1 @ 94
> accepted carol #3 BTC buy 1 @ 94
index BTC 95
> marked BTC 95 index 95
> triggered alice #1 BTC sell at 95
> cancelled alice #1 BTC sell 5 @ 0 refused NotReducing
> triggered alice #2 BTC sell at 95
> cancelled alice #2 BTC sell 1 @ 90 refused WouldTake

story a stop by the mark acts before health is looked at
# At 94 ten lots from 100 leave 40 against a maintenance of 47. Sold at 94 in the same step they leave 40, and nobody is liquidated.
config unit
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 94
> accepted carol #1 BTC buy 10 @ 94
term alice BTC stop 95 mark
sell alice BTC 10 market reduce
> accepted alice #2 BTC sell 10 market reduce+waiting
> armed alice #2 BTC sell stop 95 mark
index BTC 94
> marked BTC 94 index 94
> triggered alice #2 BTC sell at 94
> accepted alice #2 BTC sell 10 market reduce
> fill carol #1 BTC buy 10 @ 94 fee 0 maker
> fill alice #2 BTC sell 10 @ 94 fee 0 taker
check alice balance 40

story a liquidation cancels what waits with what rests
config unit
given alice 100
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
term alice BTC stop 80 mark
sell alice BTC 10 market
> accepted alice #1 BTC sell 10 market waiting
> armed alice #1 BTC sell stop 80 mark
sell alice BTC 1 @ 120
> accepted alice #2 BTC sell 1 @ 120
index BTC 94
> marked BTC 94 index 94
> liquidation alice equity 40 below 47
> cancelled alice #2 BTC sell 1 @ 120 liquidation
> cancelled alice #1 BTC sell 10 @ 0 liquidation
> closing alice #3 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #3 BTC sell 10 @ 90 rest
