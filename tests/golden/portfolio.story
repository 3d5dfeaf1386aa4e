# Portfolio margin: docs/mechanics.md section 3.1. Prices of both markets fall or rise by 20 %; 10 % of the net value and 4 % of what is hedged at least.

story a hedge needs the least requirement of what it hedges, and one leg alone the worst scenario
# 10 BTC alone lose 200 of 1,000. With 10 ETH against them nothing moves: 4 % of (2,000 - 0) / 2 are 40. She may take out all but that.
config unit
set portfolios [{"name": "coins", "markets": [0, 1], "scenarios": [{"moves_ppm": [-200000, -200000], "weight_ppm": 1000000}, {"moves_ppm": [200000, 200000], "weight_ppm": 1000000}], "net_ppm": 100000, "hedged_ppm": 40000, "contract_ppm": 0, "maintenance_ppm": 500000}]
given alice 250
given bob 1000
index BTC 100
> marked BTC 100 index 100
index ETH 100
> marked ETH 100 index 100
margin alice portfolio
> margin alice portfolio
block BTC alice buys 13 @ 100 from bob
> refused block MarginShort
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
withdraw alice 51 USD
> refused withdraw MarginShort
block ETH bob buys 10 @ 100 from alice
> fill bob ETH buy 10 @ 100 block
> fill alice ETH sell 10 @ 100 block
withdraw alice 211 USD
> refused withdraw MarginShort
withdraw alice 210 USD
> withdrawn alice 210 USD
margin alice tiers
> refused margin MarginShort
margin bob portfolio
> margin bob portfolio

story prices that part endanger a hedge, and a common move does not
# At 120 and 120 equity is 50 and 4 % of 1,200 are 48, half of it 24. At 118 and 120: 30; 10 % of 20 and 4 % of 1,180 are 49.2, half of it 24.6 up to 25.
# At 117: 20 of 24.7 up to 25. ETH makes the worst row worse: 10 % of 1,200 less 6 % of 1,170; its part of 25 is 1,200 / 2,370, 13 with the
# rounding, and of the equity 10: 120 + 1. What she sells is bought from Carol at 120.
config unit
set portfolios [{"name": "coins", "markets": [0, 1], "scenarios": [{"moves_ppm": [-200000, -200000], "weight_ppm": 1000000}, {"moves_ppm": [200000, 200000], "weight_ppm": 1000000}], "net_ppm": 100000, "hedged_ppm": 40000, "contract_ppm": 0, "maintenance_ppm": 500000}]
set markets.ETH.liquidation.slice_ppm 100000
given alice 250
given bob 10000
given carol 1000
index BTC 100
> marked BTC 100 index 100
index ETH 100
> marked ETH 100 index 100
margin alice portfolio
> margin alice portfolio
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
block ETH bob buys 10 @ 100 from alice
> fill bob ETH buy 10 @ 100 block
> fill alice ETH sell 10 @ 100 block
withdraw alice 200 USD
> withdrawn alice 200 USD
index BTC 104
> marked BTC 104 index 104
index ETH 104
> marked ETH 104 index 104
index BTC 108
> marked BTC 108 index 108
index ETH 108
> marked ETH 108 index 108
index BTC 112
> marked BTC 112 index 112
index ETH 112
> marked ETH 112 index 112
index BTC 116
> marked BTC 116 index 116
index ETH 116
> marked ETH 116 index 116
index BTC 120
> marked BTC 120 index 120
index ETH 120
> marked ETH 120 index 120
sell carol ETH 1 @ 120
> accepted carol #1 ETH sell 1 @ 120
index BTC 118
> marked BTC 118 index 118
index BTC 117
> marked BTC 117 index 117
> liquidation alice equity 20 below 25
> closing alice #2 ETH buy 1 @ 121 bankruptcy 121 own
> fill carol #1 ETH sell 1 @ 120 fee 0 maker
> fill alice #2 ETH buy 1 @ 120 fee 0 closing

story the position that the worst scenario is about is closed first
# Long 10 and short 4. At 74 and 74: equity 200 - 260 + 104 = 44; 20 % of 444 are 88.8, half of it 44.4 up to 45. BTC loses 148 in it, ETH gains. BTC has 740 / 1,036
# of the 45: 32, and so 31 of the equity: 74 - 3. With 7 left 20 % of 222, half of it 22.2 up to 23, are covered.
config unit
set portfolios [{"name": "coins", "markets": [0, 1], "scenarios": [{"moves_ppm": [-200000, -200000], "weight_ppm": 1000000}, {"moves_ppm": [200000, 200000], "weight_ppm": 1000000}], "net_ppm": 100000, "hedged_ppm": 40000, "contract_ppm": 0, "maintenance_ppm": 500000}]
given alice 200
given bob 10000
given carol 1000
index BTC 100
> marked BTC 100 index 100
index ETH 100
> marked ETH 100 index 100
margin alice portfolio
> margin alice portfolio
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
block ETH bob buys 4 @ 100 from alice
> fill bob ETH buy 4 @ 100 block
> fill alice ETH sell 4 @ 100 block
buy carol BTC 3 @ 74
> accepted carol #1 BTC buy 3 @ 74
index ETH 74
> marked ETH 74 index 74
index BTC 75
> marked BTC 75 index 75
index BTC 74
> marked BTC 74 index 74
> liquidation alice equity 44 below 45
> closing alice #2 BTC sell 10 @ 71 bankruptcy 71 own
> fill carol #1 BTC buy 3 @ 74 fee 0 maker
> fill alice #2 BTC sell 3 @ 74 fee 0 closing
> cancelled alice #2 BTC sell 7 @ 71 rest
> ended alice recovered equity 44

story an order is asked for the worst of where fills could lead, and one that hedges for nothing
# 20 % down on BTC with 15 % on ETH, 30 % of 60 % up with 50 %, and 1 % of every size. A bid for 10 BTC: 200 + 10. A bid for 5 ETH could add 75 + 5.
# An offer of 5 adds nothing to the fall, in which it may stay without a fill, and makes 75 + 5 of the rise; with 15 more that would be 300 + 20, and with 5
# more 150 + 10.
config unit
set portfolios [{"name": "coins", "markets": [0, 1], "scenarios": [{"moves_ppm": [-200000, -150000], "weight_ppm": 1000000}, {"moves_ppm": [600000, 500000], "weight_ppm": 300000}], "net_ppm": 0, "hedged_ppm": 0, "contract_ppm": 10000, "maintenance_ppm": 500000}]
given alice 215
given bob 1000
index BTC 100
> marked BTC 100 index 100
index ETH 100
> marked ETH 100 index 100
margin alice portfolio
> margin alice portfolio
buy alice BTC 11 @ 100
> refused place MarginShort
buy alice BTC 10 @ 100
> accepted alice #1 BTC buy 10 @ 100
buy alice ETH 5 @ 100
> refused place MarginShort
sell alice ETH 5 @ 100
> accepted alice #2 ETH sell 5 @ 100
sell alice ETH 15 @ 100
> refused place MarginShort
sell alice ETH 5 @ 100
> accepted alice #3 ETH sell 5 @ 100
