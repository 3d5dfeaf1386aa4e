# Margin calls and liquidations that end well.

story a margin call comes below the call requirement and is cleared by a deposit, not by the mark
# 10 lots from 100 with equity 100. At 96: equity 60, call requirement 960 x 5 % x 1.25 = 60, not below. At 95: equity 50,
# requirement 59.375 up to 60, maintenance 48.
config unit
set margin_call_ppm 1250000
given alice 100
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
index BTC 96
> marked BTC 96 index 96
index BTC 95
> marked BTC 95 index 95
> called alice equity 50 below 60
index BTC 100
> marked BTC 100 index 100
deposit alice 1 USD
> deposited alice 1 USD
> cleared alice equity 101

story the worst account is called first, ties by number
# At 95, Alice, Bob and Carol hold 10 lots each with equity 52, 51 and 52; requirement 60, maintenance 48.
config unit
set margin_call_ppm 1250000
given alice 102
given bob 101
given carol 102
given dave 10000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from dave
> fill alice BTC buy 10 @ 100 block
> fill dave BTC sell 10 @ 100 block
block BTC carol buys 10 @ 100 from dave
> fill carol BTC buy 10 @ 100 block
> fill dave BTC sell 10 @ 100 block
block BTC bob buys 10 @ 100 from dave
> fill bob BTC buy 10 @ 100 block
> fill dave BTC sell 10 @ 100 block
index BTC 95
> marked BTC 95 index 95
> called bob equity 51 below 60
> called alice equity 52 below 60
> called carol equity 52 below 60

story slices of a fifth close a position until it has recovered
# At 94: equity 40, maintenance 47. Bankruptcy price 94 - 40 / 10 = 90. A fifth of 10 lots is 2. Sold at 93 for 186, fee
# 0.5 % up to 1: equity 40 - 2 - 1 = 37 against 8 x 94 x 5 % = 37.6 up to 38. Two more of 8 (1.6 up to 2): 34 against 29.
# Her own order goes first.
config unit
set markets.BTC.liquidation.slice_ppm 200000
set markets.BTC.liquidation.fee_ppm 5000
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
sell alice BTC 1 @ 120
> accepted alice #2 BTC sell 1 @ 120
index BTC 94
> marked BTC 94 index 94
> liquidation alice equity 40 below 47
> cancelled alice #2 BTC sell 1 @ 120 liquidation
> closing alice #3 BTC sell 2 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 2 @ 93 fee 0 maker
> fill alice #3 BTC sell 2 @ 93 fee 0 closing
> fund-received main alice BTC 1
sell alice BTC 1 @ 120
> refused place InLiquidation
pulse
> closing alice #4 BTC sell 2 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 2 @ 93 fee 0 maker
> fill alice #4 BTC sell 2 @ 93 fee 0 closing
> fund-received main alice BTC 1
> ended alice recovered equity 34
check alice position BTC 6
check alice equity 34
check funds 2

story a position up to the full-close size goes at once
# 10 x 94 = 940 is not above 940.
config unit
set markets.BTC.liquidation.slice_ppm 200000
set markets.BTC.liquidation.full_below 940
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
> closing alice #2 BTC sell 10 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 10 @ 93 fee 0 maker
> fill alice #2 BTC sell 10 @ 93 fee 0 closing
> ended alice closed equity 30
check alice balance 30

story what is above the bankruptcy price pays the fee, and no more
# Bankruptcy price 90. Sold 6 at 91 and 4 at 90 for 906; 2 % of that would be 19, the surplus over 900 is 6.
config unit
set markets.BTC.liquidation.fee_ppm 20000
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 6 @ 91
> accepted carol #1 BTC buy 6 @ 91
buy carol BTC 4 @ 90
> accepted carol #2 BTC buy 4 @ 90
buy carol BTC 9 @ 89
> accepted carol #3 BTC buy 9 @ 89
index BTC 94
> marked BTC 94 index 94
> liquidation alice equity 40 below 47
> closing alice #4 BTC sell 10 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 6 @ 91 fee 0 maker
> fill alice #4 BTC sell 6 @ 91 fee 0 closing
> fill carol #2 BTC buy 4 @ 90 fee 0 maker
> fill alice #4 BTC sell 4 @ 90 fee 0 closing
> fund-received main alice BTC 6
> ended alice closed equity 0
check alice balance 0
check funds 6

story a short is bought back below its bankruptcy price
# 10 lots short from 100, equity 40 at 106, maintenance 53. Bankruptcy price 106 + 40 / 10 = 110. The last lot is offered at 111 only:
# a round that closes nothing parks the account until the next index.
config unit
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC bob buys 10 @ 100 from alice
> fill bob BTC buy 10 @ 100 block
> fill alice BTC sell 10 @ 100 block
sell carol BTC 9 @ 110
> accepted carol #1 BTC sell 9 @ 110
sell carol BTC 9 @ 111
> accepted carol #2 BTC sell 9 @ 111
index BTC 106
> marked BTC 106 index 106
> liquidation alice equity 40 below 53
> closing alice #3 BTC buy 10 @ 110 bankruptcy 110 own
> fill carol #1 BTC sell 9 @ 110 fee 0 maker
> fill alice #3 BTC buy 9 @ 110 fee 0 closing
> cancelled alice #3 BTC buy 1 @ 110 rest
pulse
> closing alice #4 BTC buy 1 @ 110 bankruptcy 110 own
> cancelled alice #4 BTC buy 1 @ 110 rest
index BTC 106
> marked BTC 106 index 106
> closing alice #5 BTC buy 1 @ 110 bankruptcy 110 own
> cancelled alice #5 BTC buy 1 @ 110 rest

story a parked account waits for the next index
# Nobody bids: nothing is closed and the account is parked. A pulse does not wake it, an index of any market does.
config unit
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
index BTC 94
> marked BTC 94 index 94
> liquidation alice equity 40 below 47
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 10 @ 90 rest
pulse
buy carol BTC 10 @ 93
> accepted carol #2 BTC buy 10 @ 93
pulse
deposit alice 1 USD
> deposited alice 1 USD
withdraw alice 1 USD
> refused withdraw InLiquidation
index ETH 50
> marked ETH 50 index 50
> closing alice #3 BTC sell 10 @ 90 bankruptcy 90 own
> fill carol #2 BTC buy 10 @ 93 fee 0 maker
> fill alice #3 BTC sell 10 @ 93 fee 0 closing
> ended alice closed equity 31

story a parked account that has recovered leaves at the next index
config unit
given alice 100
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
index BTC 94
> marked BTC 94 index 94
> liquidation alice equity 40 below 47
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 10 @ 90 rest
index BTC 95
> marked BTC 95 index 95
> ended alice recovered equity 50

story of two positions the one with the greater requirement goes first, ties to the lower market
# 5 lots each of BTC and ETH, both at 90: equity 0, maintenance 22.5 up to 23 each. Share 0, bankruptcy price 90.
config unit
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
index ETH 100
> marked ETH 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
block ETH alice buys 5 @ 100 from bob
> fill alice ETH buy 5 @ 100 block
> fill bob ETH sell 5 @ 100 block
buy carol BTC 5 @ 90
> accepted carol #1 BTC buy 5 @ 90
buy carol ETH 5 @ 90
> accepted carol #2 ETH buy 5 @ 90
index ETH 90
> marked ETH 90 index 90
index BTC 90
> marked BTC 90 index 90
> liquidation alice equity 0 below 46
> closing alice #3 BTC sell 5 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 5 @ 90 fee 0 maker
> fill alice #3 BTC sell 5 @ 90 fee 0 closing
pulse
> closing alice #4 ETH sell 5 @ 90 bankruptcy 90 own
> fill carol #2 ETH buy 5 @ 90 fee 0 maker
> fill alice #4 ETH sell 5 @ 90 fee 0 closing
> ended alice closed equity 0

story another asset is sold for a debt, as little as pays it
# 100 of gold count 0.9 % of the index each: 84.6 down to 84 at 94. Equity 10 + 84 - 60 = 34, maintenance 47, bankruptcy price
# 94 - 34 / 10 = 91. Sold at 91, Alice owes 80: 94 of gold are worth 79.5, 95 are worth 80.37, so 95 go for 80.
config unit
set assets.GOLD.collateral {"market": 0, "value_num": 1, "value_den": 100, "weight_ppm": 900000}
given alice 10
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
deposit alice 100 GOLD
> deposited alice 100 GOLD
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 91
> accepted carol #1 BTC buy 10 @ 91
index BTC 94
> marked BTC 94 index 94
> liquidation alice equity 34 below 47
> closing alice #2 BTC sell 10 @ 91 bankruptcy 91 own
> fill carol #1 BTC buy 10 @ 91 fee 0 maker
> fill alice #2 BTC sell 10 @ 91 fee 0 closing
> sold alice 95 GOLD for 80
> ended alice closed equity 4
check alice balance 0
check users GOLD 5
check users USD 2000
check funds 0
withdraw alice 5 GOLD
> withdrawn alice 5 GOLD
