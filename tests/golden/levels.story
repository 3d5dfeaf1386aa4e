# Levels of margin: calls with a deadline, the fill level, close-out and backstop. docs/mechanics.md sections 3, 4, 6.3 and 8.

story a call says what is missing and until when, and a deposit cures it
# 10 lots from 100 with equity 100. At 95: equity 50, call requirement 950 x 5 % x 1.25 = 59.375 up to 60: 10 are missing. 9 do not cure it.
config unit
set margin_call_ppm 1250000
set margin_call_grace_ns 60000000000
given alice 100
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
at 10s
index BTC 95
> marked BTC 95 index 95
> called alice equity 50 below 60
> due alice lacks 10 until 70s
at 20s
deposit alice 9 USD
> deposited alice 9 USD
deposit alice 1 USD
> deposited alice 1 USD
> cleared alice equity 60
at 80s
pulse

story the deadline passes, and slices are sold until the call is covered
# Maintenance is 47.5 up to 48, which she covers all along. A fifth of 10 lots is 2, sold at 94: equity 50 - 2; 8 x 95 x 6.25 % = 47.5 up to
# 48. Bankruptcy price 95 - 50 / 10.
config unit
set margin_call_ppm 1250000
set margin_call_grace_ns 60000000000
set markets.BTC.liquidation.slice_ppm 200000
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 20 @ 94
> accepted carol #1 BTC buy 20 @ 94
at 10s
index BTC 95
> marked BTC 95 index 95
> called alice equity 50 below 60
> due alice lacks 10 until 70s
at 69999ms
pulse
at 70s
pulse
> liquidation alice equity 50 of 48 for-call
> closing alice #2 BTC sell 2 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 2 @ 94 fee 0 maker
> fill alice #2 BTC sell 2 @ 94 fee 0 closing
> ended alice recovered equity 48
> cleared alice equity 48
check alice position BTC 8

story the lots that restore the call are sold where the policy restores
# What is missing is 10; a lot of 95 frees 95 x 6.25 % = 5.9375: 1.68 lots, down to 1. Sold at 95: equity 50, 9 x 95 x 6.25 % = 53.4 up to 54: 4 are
# missing: one lot again, 8 x 5.9375 = 47.5 up to 48.
config unit
set margin_call_ppm 1250000
set margin_call_grace_ns 60000000000
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "policy": {"type": "restore", "buffer_ppm": 0}}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 20 @ 95
> accepted carol #1 BTC buy 20 @ 95
index BTC 95
> marked BTC 95 index 95
> called alice equity 50 below 60
> due alice lacks 10 until 60s
at 60s
pulse
> liquidation alice equity 50 of 48 for-call
> closing alice #2 BTC sell 1 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 1 @ 95 fee 0 maker
> fill alice #2 BTC sell 1 @ 95 fee 0 closing
pulse
> closing alice #3 BTC sell 1 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 1 @ 95 fee 0 maker
> fill alice #3 BTC sell 1 @ 95 fee 0 closing
> ended alice recovered equity 50
> cleared alice equity 50

story a price that came back cures the call at its deadline, and maintenance liquidates before it
# All are called at 95; Alice and Carol pay 7 and 5, which is too little. At 94 they have 47 of maintenance 47, and Bob has 40. At 96 they have 67
# and Bob 60, and 960 x 6.25 % are 60.
config unit
set margin_call_ppm 1250000
set margin_call_grace_ns 60000000000
given alice 100
given bob 100
given carol 102
given dave 10000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from dave
> fill alice BTC buy 10 @ 100 block
> fill dave BTC sell 10 @ 100 block
block BTC bob buys 10 @ 100 from dave
> fill bob BTC buy 10 @ 100 block
> fill dave BTC sell 10 @ 100 block
block BTC carol buys 10 @ 100 from dave
> fill carol BTC buy 10 @ 100 block
> fill dave BTC sell 10 @ 100 block
at 1s
index BTC 95
> marked BTC 95 index 95
> called alice equity 50 below 60
> due alice lacks 10 until 61s
> called bob equity 50 below 60
> due bob lacks 10 until 61s
> called carol equity 52 below 60
> due carol lacks 8 until 61s
at 2s
deposit alice 7 USD
> deposited alice 7 USD
deposit carol 5 USD
> deposited carol 5 USD
at 3s
index BTC 94
> marked BTC 94 index 94
> liquidation bob equity 40 below 47
> closing bob #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled bob #1 BTC sell 10 @ 90 rest
at 4s
index BTC 96
> marked BTC 96 index 96
> ended bob recovered equity 60
> cleared bob equity 60
at 70s
pulse
> cleared alice equity 67
> cleared carol equity 67

story calls and their deadlines go on while the market is halted, and the closing waits
config unit
set margin_call_ppm 1250000
set margin_call_grace_ns 60000000000
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
at 1s
phase BTC halted
> phase BTC continuous to halted
index BTC 95
> marked BTC 95 index 95
> called alice equity 50 below 60
> due alice lacks 10 until 61s
at 61s
pulse
> liquidation alice equity 50 of 48 for-call
at 62s
phase BTC continuous
> phase BTC halted to continuous
index BTC 95
> marked BTC 95 index 95
> closing alice #2 BTC sell 10 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 10 @ 94 fee 0 maker
> fill alice #2 BTC sell 10 @ 94 fee 0 closing
> ended alice closed equity 40
> cleared alice equity 40

story who cannot be liquidated is called anew at the deadline
config unit
set margin_call_ppm 1250000
set margin_call_grace_ns 60000000000
set markets.BTC.liquidation.enabled false
given alice 100
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
index BTC 95
> marked BTC 95 index 95
> called alice equity 50 below 60
> due alice lacks 10 until 60s
at 60s
index BTC 93
> called alice equity 50 below 60
> due alice lacks 10 until 120s
> marked BTC 93 index 93
at 120s
pulse
> called alice equity 30 below 59
> due alice lacks 29 until 180s

story below two thirds of maintenance the backstop takes the account over before the book is asked
# At 94 equity is 40 of maintenance 47: not below 31.3, so the book is asked for a tenth, and Carol buys it at 94. At 92 the 9 lots have 22, and 28 are
# two thirds of 41.4 up to 42: they go to Dave at 92 - 22 / 9 = 89.6 up to 90, and Carol keeps her bid of 91.
config unit
set backstop 3
set levels.backstop {"num": 2, "den": 3}
set markets.BTC.liquidation.slice_qty_min 1
set markets.BTC.liquidation.slice_ppm 100000
given alice 100
given bob 1000
given carol 1000
given dave 1
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 1 @ 94
> accepted carol #1 BTC buy 1 @ 94
index BTC 94
> marked BTC 94 index 94
> liquidation alice equity 40 below 47
> closing alice #2 BTC sell 1 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 1 @ 94 fee 0 maker
> fill alice #2 BTC sell 1 @ 94 fee 0 closing
deposit dave 1000 USD
> deposited dave 1000 USD
buy carol BTC 20 @ 91
> accepted carol #3 BTC buy 20 @ 91
index BTC 92
> marked BTC 92 index 92
> level alice backstop equity 22 of 42
> taken alice BTC sell 9 @ 90 by dave
> ended alice closed equity 4
check dave position BTC 9
check carol position BTC 1

story the backstop takes every position, each with its share of the equity, and what it cannot bear goes to the book
# Long 10 BTC and short 10 ETH from 100 with 200. At 92 and 106: equity 60, maintenance 46 + 53 = 99, two thirds are 66. BTC has 60 x 46 / 99 = 27
# of it: 92 - 2 = 90. ETH has 32: 106 + 3 = 109. Dave can bear one: 10 x 90 need 92 of his 100, and 20 of profit against the mark.
# Then 10 x 106 need 106 more.
config unit
set backstop 3
set levels.backstop {"num": 2, "den": 3}
given alice 200
given bob 10000
given carol 10000
given dave 100
index BTC 100
> marked BTC 100 index 100
index ETH 100
> marked ETH 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
block ETH bob buys 10 @ 100 from alice
> fill bob ETH buy 10 @ 100 block
> fill alice ETH sell 10 @ 100 block
sell carol ETH 10 @ 107
> accepted carol #1 ETH sell 10 @ 107
index ETH 106
> marked ETH 106 index 106
index BTC 92
> marked BTC 92 index 92
> liquidation alice equity 60 below 99
> level alice backstop equity 60 of 99
> taken alice BTC sell 10 @ 90 by dave
> closing alice #2 ETH buy 10 @ 110 bankruptcy 110 own
> fill carol #1 ETH sell 10 @ 107 fee 0 maker
> fill alice #2 ETH buy 10 @ 107 fee 0 closing
> ended alice closed equity 30
check dave position BTC 10
check dave position ETH 0

story below the close-out level positions go whole, above it in slices
# At 94 equity 40 is not below four fifths of 47: a tenth of the lots. At 93 9 lots have 40 - 1 - 9 = 30 of 41.85 up to 42, of which 33.6 are four
# fifths: all of them.
config unit
set levels.close_out {"below": {"num": 4, "den": 5}, "book": true}
set markets.BTC.liquidation.slice_ppm 100000
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 20 @ 93
> accepted carol #1 BTC buy 20 @ 93
index BTC 94
> marked BTC 94 index 94
> liquidation alice equity 40 below 47
> closing alice #2 BTC sell 1 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 1 @ 93 fee 0 maker
> fill alice #2 BTC sell 1 @ 93 fee 0 closing
index BTC 93
> marked BTC 93 index 93
> level alice close-out equity 30 of 42
> closing alice #3 BTC sell 9 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 9 @ 93 fee 0 maker
> fill alice #3 BTC sell 9 @ 93 fee 0 closing
> ended alice closed equity 30

story a close-out that passes the book by goes to volunteers first
config unit
set levels.close_out {"below": {"num": 4, "den": 5}, "book": false}
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "assignment": {"price": "bankruptcy", "order": "queue", "stage": "before_fund"}}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
volunteer carol BTC 20
> volunteers carol BTC 20
buy bob BTC 20 @ 93
> accepted bob #1 BTC buy 20 @ 93
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> level alice close-out equity 30 of 47
> assigned alice BTC sell 10 @ 90 to carol leaves 10
> ended alice closed equity 0

story an order whose trade its account could not carry is cancelled when it is met
# Half of the way from maintenance to initial margin. Alice's bid for 10 @ 100 at a mark of 98: equity 100 - 20 = 80; 49 + (98 - 49) / 2 = 73.5 up to
# 74: it trades. Carol's at 97: 100 - 30 = 70; 48.5 up to 49 + 24 = 73: it goes, and Dave's, who has more, is next.
config unit
set levels.fill {"num": 1, "den": 2}
given alice 100
given bob 1000
given carol 100
given dave 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 10 @ 100
> accepted alice #1 BTC buy 10 @ 100
buy carol BTC 10 @ 100
> accepted carol #2 BTC buy 10 @ 100
buy dave BTC 5 @ 99
> accepted dave #3 BTC buy 5 @ 99
index BTC 98
> marked BTC 98 index 98
sell bob BTC 10 @ 100
> accepted bob #4 BTC sell 10 @ 100
> fill alice #1 BTC buy 10 @ 100 fee 0 maker
> fill bob #4 BTC sell 10 @ 100 fee 0 taker
index BTC 97
> marked BTC 97 index 97
sell bob BTC 3 @ 99
> accepted bob #5 BTC sell 3 @ 99
> cancelled carol #2 BTC buy 10 @ 100 margin
> fill dave #3 BTC buy 3 @ 99 fee 0 maker
> fill bob #5 BTC sell 3 @ 99 fee 0 taker

story with the level at initial margin a trade needs all of it, and one that makes no position larger needs nothing
# Alice holds 10 lots with equity 50 at a mark of 95, against 95 of initial margin. Her offer reduces; her bid would add.
config unit
set levels.fill {"num": 1, "den": 1}
given alice 110
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy alice BTC 1 @ 97
> accepted alice #1 BTC buy 1 @ 97
sell alice BTC 4 @ 98
> accepted alice #2 BTC sell 4 @ 98
index BTC 95
> marked BTC 95 index 95
buy bob BTC 4 @ 98
> accepted bob #3 BTC buy 4 @ 98
> fill alice #2 BTC sell 4 @ 98 fee 0 maker
> fill bob #3 BTC buy 4 @ 98 fee 0 taker
sell bob BTC 1 @ 97
> accepted bob #4 BTC sell 1 @ 97
> fill alice #1 BTC buy 1 @ 97 fee 0 maker
> fill bob #4 BTC sell 1 @ 97 fee 0 taker
check alice position BTC 7

story what is sure for a fill-or-kill order is the first order that an account shows, if it carries it
# At 97 Alice cannot carry 10 @ 100. Dave's first order counts with the 2 that it shows, his second does not. 3 is more than 2.
config unit
set levels.fill {"num": 1, "den": 2}
given alice 100
given bob 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 10 @ 100
> accepted alice #1 BTC buy 10 @ 100
term dave BTC display 2
buy dave BTC 5 @ 99
> accepted dave #2 BTC buy 5 @ 99
> shown dave #2 BTC buy 2 @ 99 behind 3
buy dave BTC 5 @ 99
> accepted dave #3 BTC buy 5 @ 99
index BTC 97
> marked BTC 97 index 97
sell bob BTC 3 @ 99 fok
> refused place NotFillable
sell bob BTC 2 @ 99 fok
> accepted bob #4 BTC sell 2 @ 99 fok
> cancelled alice #1 BTC buy 10 @ 100 margin
> fill dave #2 BTC buy 2 @ 99 fee 0 maker
> fill bob #4 BTC sell 2 @ 99 fee 0 taker
> shown dave #2 BTC buy 2 @ 99 behind 1

story an order that falls away in an auction leaves the others to it
# At 100 10 trade and nothing is over. Alice's bid goes, since at 97 it leaves her 100 - 30 of 73; what is left is uncrossed again.
config unit
set levels.fill {"num": 1, "den": 2}
set markets.BTC.phase "call_auction"
given alice 100
given bob 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 10 @ 100
> accepted alice #1 BTC buy 10 @ 100
buy dave BTC 5 @ 99
> accepted dave #2 BTC buy 5 @ 99
sell bob BTC 10 @ 99
> accepted bob #3 BTC sell 10 @ 99
index BTC 97
> marked BTC 97 index 97
phase BTC continuous
> uncrossed BTC 10 @ 100 surplus 0
> cancelled alice #1 BTC buy 10 @ 100 margin
> uncrossed BTC 5 @ 99 surplus -5
> fill dave #2 BTC buy 5 @ 99 fee 0 auction
> fill bob #3 BTC sell 5 @ 99 fee 0 auction
> phase BTC call_auction to continuous

story below the close-out level a position is offered in the call whole as well
config unit
set levels.close_out {"below": {"num": 4, "den": 5}, "book": true}
set markets.BTC.liquidation.slice_ppm 100000
set markets.BTC.auction {"liquidations": true}
given alice 100
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
phase BTC call_auction
> phase BTC continuous to call_auction
index BTC 94
> marked BTC 94 index 94
> liquidation alice equity 40 below 47
> closing alice #1 BTC sell 1 @ 90 bankruptcy 90 resting
index BTC 93
> marked BTC 93 index 93
> cancelled alice #1 BTC sell 1 @ 90 liquidation
> level alice close-out equity 30 of 47
> closing alice #2 BTC sell 10 @ 90 bankruptcy 90 resting

story who has exactly the close-out level is not below it
# At 90 equity 36 is four fifths of 45: a tenth of the lots goes, not all. 90 - 3.6 up to 87 is the bankruptcy price.
config unit
set levels.close_out {"below": {"num": 4, "den": 5}, "book": true}
set markets.BTC.liquidation.slice_ppm 100000
given alice 136
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 20 @ 89
> accepted carol #1 BTC buy 20 @ 89
index BTC 90
> marked BTC 90 index 90
> liquidation alice equity 36 below 45
> closing alice #2 BTC sell 1 @ 87 bankruptcy 87 own
> fill carol #1 BTC buy 1 @ 89 fee 0 maker
> fill alice #2 BTC sell 1 @ 89 fee 0 closing

story who has exactly the backstop level is sold in the book
# At 90 equity 30 is two thirds of 45.
config unit
set backstop 3
set levels.backstop {"num": 2, "den": 3}
given alice 130
given bob 1000
given carol 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 20 @ 89
> accepted carol #1 BTC buy 20 @ 89
index BTC 90
> marked BTC 90 index 90
> liquidation alice equity 30 below 45
> closing alice #2 BTC sell 10 @ 87 bankruptcy 87 own
> fill carol #1 BTC buy 10 @ 89 fee 0 maker
> fill alice #2 BTC sell 10 @ 89 fee 0 closing
> ended alice closed equity 20

story the way from maintenance to initial margin is rounded up
# 9 @ 100 at a mark of 96: equity 101 - 36 = 65. Maintenance 43.2 up to 44, initial 86.4 up to 87: half of 43 is 21.5, up to 22, and 66 are asked for.
config unit
set levels.fill {"num": 1, "den": 2}
given alice 101
given bob 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 9 @ 100
> accepted alice #1 BTC buy 9 @ 100
index BTC 96
> marked BTC 96 index 96
sell bob BTC 3 @ 100
> accepted bob #2 BTC sell 3 @ 100
> cancelled alice #1 BTC buy 9 @ 100 margin

story a call that is covered to the unit at its deadline is cured
# At 96 equity is 60, and 960 x 6.25 % are 60.
config unit
set margin_call_ppm 1250000
set margin_call_grace_ns 60000000000
given alice 100
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
at 10s
index BTC 95
> marked BTC 95 index 95
> called alice equity 50 below 60
> due alice lacks 10 until 70s
index BTC 96
> marked BTC 96 index 96
at 70s
pulse
> cleared alice equity 60

story in an auction in which everything fell away nothing traded, and a market order has no price to rest at
# At 91 Alice has 100 - 45 = 55. With 5 lots more she would have 10: maintenance 45.5 up to 46, and half of the 45 to initial margin, 23.
config unit
set levels.fill {"num": 1, "den": 2}
set markets.BTC.auction {"preset": "euronext"}
given alice 100
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
phase BTC call_auction
> phase BTC continuous to call_auction
buy alice BTC 5 @ 100
> accepted alice #1 BTC buy 5 @ 100
sell bob BTC 5 market
> accepted bob #2 BTC sell 5 market
index BTC 91
> marked BTC 91 index 91
phase BTC continuous
> uncrossed BTC 5 @ 91 surplus 0
> cancelled alice #1 BTC buy 5 @ 100 margin
> cancelled bob #2 BTC sell 5 @ 0 rest
> phase BTC call_auction to continuous
