# Funds with a cap and a drawdown trigger, and losses that are shared.

story what a fund has above its cap moves to the fees
config unit
set funds [{"name": "main", "cap": 50}]
set markets.BTC.liquidation.fee_ppm 20000
given alice 100
given bob 1000
given carol 1000
fund main 45
> funded main 45
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 93
> accepted carol #1 BTC buy 10 @ 93
# The fee of 2 % of 930 is 18.6, up to 19.
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> closing alice #2 BTC sell 10 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 10 @ 93 fee 0 maker
> fill alice #2 BTC sell 10 @ 93 fee 0 closing
> fund-received main alice BTC 19
> fund-capped main 14
> ended alice closed equity 11
check funds 50
check fees 14
fund main 5
> funded main 5
> fund-capped main 5
check funds 50
check fees 19

story a market draws on its fund up to the trigger, then winners come first
# The fund has 100, the trigger is at 30 %. At 85 the bankruptcy price is 90: a sale at 85 costs 5 a lot, six lots are the line; the rest goes to Bob.
# Exactly the line does not fire.
config unit
set funds [{"name": "main", "drawdown": {"trigger_ppm": 300000, "stop_ppm": 250000, "inclusive": false, "window_ns": 80000000000}}]
given alice 100
given bob 1000
given carol 1000
fund main 100
> funded main 100
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 85
> accepted carol #1 BTC buy 10 @ 85
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -50 below 43
> closing alice #2 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #2 BTC sell 10 @ 90 rest
> closing alice #3 BTC sell 10 @ 77 bankruptcy 90 backed
> fill carol #1 BTC buy 6 @ 85 fee 0 maker
> fill alice #3 BTC sell 6 @ 85 fee 0 closing
> cancelled alice #3 BTC sell 4 @ 77 rest
> fund-paid main alice BTC 30
> adl alice BTC sell 4 @ 90
> adl-fill bob BTC buy 4 @ 90 gives 20
> ended alice closed equity 0
check funds 70
check bob position BTC -6

story an inclusive trigger fires at the line; while it is on the fund backs no sale; it is released below the stop
# As before, and the trigger fires at 30. Dave's position is then closed by winners at once, though the fund has 70. 100 s later the window
# has forgotten the loss, the trigger is off, and the fund may pay 30 % of 70: Erin's bankruptcy price is 75, a sale at 73 costs 20.
config unit
set funds [{"name": "main", "drawdown": {"trigger_ppm": 300000, "stop_ppm": 250000, "inclusive": true, "window_ns": 80000000000}}]
given alice 100
given bob 1000
given carol 2000
given dave 100
given erin 100
fund main 100
> funded main 100
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
block BTC dave buys 10 @ 100 from bob
> fill dave BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 20 @ 85
> accepted carol #1 BTC buy 20 @ 85
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -50 below 43
> liquidation dave equity -50 below 43
> closing alice #2 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #2 BTC sell 10 @ 90 rest
> closing alice #3 BTC sell 10 @ 77 bankruptcy 90 backed
> fill carol #1 BTC buy 6 @ 85 fee 0 maker
> fill alice #3 BTC sell 6 @ 85 fee 0 closing
> cancelled alice #3 BTC sell 4 @ 77 rest
> fund-paid main alice BTC 30
> drawdown main BTC on lost 30 of 100
> adl alice BTC sell 4 @ 90
> adl-fill bob BTC buy 4 @ 90 gives 20
> ended alice closed equity 0
pulse
> closing dave #4 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled dave #4 BTC sell 10 @ 90 rest
> adl dave BTC sell 10 @ 90
> adl-fill bob BTC buy 10 @ 90 gives 50
> ended dave closed equity 0
check funds 70
cancel carol all
> cancelled carol #1 BTC buy 14 @ 85 user
at 100s
block BTC erin buys 10 @ 85 from bob
> fill erin BTC buy 10 @ 85 block
> fill bob BTC sell 10 @ 85 block
buy carol BTC 10 @ 73
> accepted carol #5 BTC buy 10 @ 73
index BTC 73
> marked BTC 73 index 73
> liquidation erin equity -20 below 37
> closing erin #6 BTC sell 10 @ 75 bankruptcy 75 own
> cancelled erin #6 BTC sell 10 @ 75 rest
> drawdown main BTC off lost 0 of 70
> closing erin #7 BTC sell 10 @ 66 bankruptcy 75 backed
> fill carol #5 BTC buy 10 @ 73 fee 0 maker
> fill erin #7 BTC sell 10 @ 73 fee 0 closing
> fund-paid main erin BTC 20
> ended erin closed equity 0
check funds 50

story a fund pays a debt in parts
# Alice sold her position far below: she owes 50. The fund pays at most 20 at once, and has 100.
config unit
set funds [{"name": "main", "paid_max": 20}]
given alice 100
given bob 1000
given carol 1000
fund main 100
> funded main 100
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 85
> accepted carol #1 BTC buy 10 @ 85
sell alice BTC 10 @ 85
> accepted alice #2 BTC sell 10 @ 85
> fill carol #1 BTC buy 10 @ 85 fee 0 maker
> fill alice #2 BTC sell 10 @ 85 fee 0 taker
> liquidation alice equity -50 below 0
index BTC 85
> marked BTC 85 index 85
> fund-paid main alice BTC 20
pulse
> fund-paid main alice BTC 20
pulse
> fund-paid main alice BTC 10
> ended alice bankrupt equity 0
check alice balance 0
check funds 50

story the fund of the market pays the rest of a debt, too
# The first fund has nothing to do with ETH. Ten lots sell for 850 without a limit; the other fund, with 40, cannot pay the 50 below 900 whole,
# then pays the debt in two parts of 20.
config unit
set funds [{"name": "main"}, {"name": "other", "paid_max": 20}]
set markets.ETH.fund 1
set markets.ETH.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 0, "limit": {"type": "none"}}
given alice 100
given bob 1000
given carol 1000
fund other 40
> funded other 40
fund main 100
> funded main 100
index ETH 100
> marked ETH 100 index 100
block ETH alice buys 10 @ 100 from bob
> fill alice ETH buy 10 @ 100 block
> fill bob ETH sell 10 @ 100 block
buy carol ETH 10 @ 85
> accepted carol #1 ETH buy 10 @ 85
index ETH 85
> marked ETH 85 index 85
> liquidation alice equity -50 below 43
> closing alice #2 ETH sell 10 @ 1 bankruptcy 90 own
> fill carol #1 ETH buy 10 @ 85 fee 0 maker
> fill alice #2 ETH sell 10 @ 85 fee 0 closing
> fund-paid other alice ETH 20
pulse
> fund-paid other alice ETH 20
> bad-debt alice 10
> ended alice bankrupt equity 0
check funds 100
check shortfall 10

story what a market has drawn counts towards the line
# Of 100 the fund pays 30 at most for one market: 20 for Alice, and 10 of the 50 that Dave owes.
config unit
set funds [{"name": "main", "drawdown": {"trigger_ppm": 300000, "stop_ppm": 250000, "inclusive": false, "window_ns": 80000000000}}]
given alice 130
given bob 1000
given carol 1000
given dave 100
fund main 100
> funded main 100
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
block BTC dave buys 10 @ 100 from bob
> fill dave BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 20 @ 85
> accepted carol #1 BTC buy 20 @ 85
sell alice BTC 10 @ 85
> accepted alice #2 BTC sell 10 @ 85
> fill carol #1 BTC buy 10 @ 85 fee 0 maker
> fill alice #2 BTC sell 10 @ 85 fee 0 taker
> liquidation alice equity -20 below 0
sell dave BTC 10 @ 85
> accepted dave #3 BTC sell 10 @ 85
> fill carol #1 BTC buy 10 @ 85 fee 0 maker
> fill dave #3 BTC sell 10 @ 85 fee 0 taker
> liquidation dave equity -50 below 0
index BTC 85
> marked BTC 85 index 85
> fund-paid main alice BTC 20
> ended alice bankrupt equity 0
pulse
> fund-paid main dave BTC 10
> bad-debt dave 40
> ended dave bankrupt equity 0
check funds 70
check shortfall 40

story both sides carry a loss by lots, the fees first, rounded up
# Alice owes 51 and the fund is empty; 9 have been earned in fees. 42 over 30 lots of longs and shorts are 1.4 a lot, up to 2: 60 are collected, and
# 18 go to the fund.
config unit
set last_resort {"two_sided": {"rate_step": 1, "rounding": "ceil", "fee_pool": true}}
set markets.BTC.fees.taker_ppm 10000
given alice 108
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
block BTC carol buys 5 @ 100 from bob
> fill carol BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
buy carol BTC 10 @ 85
> accepted carol #1 BTC buy 10 @ 85
sell alice BTC 10 @ 85
> accepted alice #2 BTC sell 10 @ 85
> fill carol #1 BTC buy 10 @ 85 fee 0 maker
> fill alice #2 BTC sell 10 @ 85 fee 9 taker
> liquidation alice equity -51 below 0
index BTC 85
> marked BTC 85 index 85
> fees-paid alice BTC 9
> socialised bob BTC 30
> socialised carol BTC 30
> fund-received main alice BTC 18
> ended alice bankrupt equity 0
check alice balance 0
check funds 18
check fees 0
check shortfall 0

story rounded down the rest stays as bad debt
config unit
set last_resort {"two_sided": {"rate_step": 1, "rounding": "floor", "fee_pool": false}}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
block BTC carol buys 5 @ 100 from bob
> fill carol BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
buy carol BTC 10 @ 85
> accepted carol #1 BTC buy 10 @ 85
sell alice BTC 10 @ 85
> accepted alice #2 BTC sell 10 @ 85
> fill carol #1 BTC buy 10 @ 85 fee 0 maker
> fill alice #2 BTC sell 10 @ 85 fee 0 taker
> liquidation alice equity -50 below 0
index BTC 85
> marked BTC 85 index 85
> socialised bob BTC 15
> socialised carol BTC 15
> bad-debt alice 20
> ended alice bankrupt equity 0
check alice balance 0
check shortfall 20

story nobody holds a position: the fees pay, and the rest is nobody's
# The fees once stayed where they were when the last position of a market was the defaulter's. Alice owes 51, her fee was 9.
config unit
set last_resort {"two_sided": {"rate_step": 1, "rounding": "ceil", "fee_pool": true}}
set markets.BTC.fees.taker_ppm 10000
given alice 108
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy bob BTC 10 @ 85
> accepted bob #1 BTC buy 10 @ 85
sell alice BTC 10 @ 85
> accepted alice #2 BTC sell 10 @ 85
> fill bob #1 BTC buy 10 @ 85 fee 0 maker
> fill alice #2 BTC sell 10 @ 85 fee 9 taker
> liquidation alice equity -51 below 0
index BTC 85
> marked BTC 85 index 85
> fees-paid alice BTC 9
> bad-debt alice 42
> ended alice bankrupt equity 0
check fees 0
check shortfall 42

story whoever withdraws during a shortfall leaves its share behind
# Alice owes 50 that nobody pays; Bob and Carol claim 2,150 of the 2,100 that there are. A withdrawal of 430 leaves 50 / 2,150 of it behind: 10. One of 300
# then leaves 40 of 1,720: 6.98, up to 7. The fund's 33 end it.
config unit
set last_resort "withdrawal_factor"
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy bob BTC 10 @ 85
> accepted bob #1 BTC buy 10 @ 85
sell alice BTC 10 @ 85
> accepted alice #2 BTC sell 10 @ 85
> fill bob #1 BTC buy 10 @ 85 fee 0 maker
> fill alice #2 BTC sell 10 @ 85 fee 0 taker
> liquidation alice equity -50 below 0
index BTC 85
> marked BTC 85 index 85
> bad-debt alice 50
> ended alice bankrupt equity 0
check bob balance 1150
check shortfall 50
withdraw bob 430 USD
> left bob 10
> withdrawn bob 420 USD
withdraw carol 300 USD
> left carol 7
> withdrawn carol 293 USD
check shortfall 33
fund main 33
> funded main 33
withdraw carol 300 USD
> withdrawn carol 300 USD
check carol balance 400

story a debtor's next deposits pay what others paid for it, in their order
# Alice owes 50: the fund pays its 20, Bob, the only winner, 30. A deposit of 25 pays the fund and 5 of Bob's claim, one of 100 the rest.
config unit
set claims true
set last_resort "socialise"
given alice 100
given bob 1000
given carol 1000
fund main 20
> funded main 20
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 85
> accepted carol #1 BTC buy 10 @ 85
sell alice BTC 10 @ 85
> accepted alice #2 BTC sell 10 @ 85
> fill carol #1 BTC buy 10 @ 85 fee 0 maker
> fill alice #2 BTC sell 10 @ 85 fee 0 taker
> liquidation alice equity -50 below 0
index BTC 85
> marked BTC 85 index 85
> fund-paid main alice BTC 20
> socialised bob BTC 30
> ended alice bankrupt equity 0
deposit alice 25 USD
> deposited alice 25 USD
> claim-paid alice 20 to fund
> claim-paid alice 5 to bob
check alice balance 0
check funds 20
deposit alice 100 USD
> deposited alice 100 USD
> claim-paid alice 25 to bob
check alice balance 75
check bob balance 1000

story a claim of the shortfall is worth no more than the shortfall
# Alice owes 50 that nobody pays. Bob leaves 50 x 430 / 2,150 = 10 of it behind; Alice's deposit pays the other 40.
config unit
set claims true
set last_resort "withdrawal_factor"
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy bob BTC 10 @ 85
> accepted bob #1 BTC buy 10 @ 85
sell alice BTC 10 @ 85
> accepted alice #2 BTC sell 10 @ 85
> fill bob #1 BTC buy 10 @ 85 fee 0 maker
> fill alice #2 BTC sell 10 @ 85 fee 0 taker
> liquidation alice equity -50 below 0
index BTC 85
> marked BTC 85 index 85
> bad-debt alice 50
> ended alice bankrupt equity 0
withdraw bob 430 USD
> left bob 10
> withdrawn bob 420 USD
deposit alice 60 USD
> deposited alice 60 USD
> claim-paid alice 40 to shortfall
check alice balance 20
check shortfall 0

story at the mark while the fund can pay, then at the bankruptcy price
# At 80 Alice has 100 + 800 - 1000 = -100: bankruptcy price 90, so a lot at the mark lacks 10. The fund of 35 pays that for 3 lots; 7 stay. Then
# she has -100 + 30 = -70, still 10 a lot; the 5 in the fund do not pay for one, so Bob is closed at 90 and gives up 10 a lot.
config unit
set markets.BTC.adl {"enabled": true, "method": "queue", "price": "mark", "band_ppm": null, "fallback": "bankruptcy"}
set markets.BTC.liquidation.fund_limit_ppm 0
fund main 35
> funded main 35
given alice 100
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
index BTC 80
> marked BTC 80 index 80
> liquidation alice equity -100 below 40
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 10 @ 90 rest
> closing alice #2 BTC sell 10 @ 80 bankruptcy 90 backed
> cancelled alice #2 BTC sell 10 @ 80 rest
> adl alice BTC sell 10 @ 80
> adl-fill bob BTC buy 3 @ 80 gives 0
> fund-paid main alice BTC 30
> adl-rest alice BTC 7
pulse
> closing alice #3 BTC sell 7 @ 90 bankruptcy 90 own
> cancelled alice #3 BTC sell 7 @ 90 rest
> closing alice #4 BTC sell 7 @ 80 bankruptcy 90 backed
> cancelled alice #4 BTC sell 7 @ 80 rest
> adl alice BTC sell 7 @ 90
> adl-fill bob BTC buy 7 @ 90 gives 70
> ended alice closed equity 0
check alice balance 0
check bob balance 1130
check funds 5

story who is taken over whole loses the margin that is left
# At 92 Alice has 100 - 80 = 20 below 46 and a bankruptcy price of 90. Her whole position is sold at 92: the 20 above it are the fund's.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 1000000, "fund_limit_ppm": 0, "fee_rule": {"type": "whole"}}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 92
> accepted carol #1 BTC buy 10 @ 92
index BTC 92
> marked BTC 92 index 92
> liquidation alice equity 20 below 46
> closing alice #2 BTC sell 10 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 10 @ 92 fee 0 maker
> fill alice #2 BTC sell 10 @ 92 fee 0 closing
> fund-received main alice BTC 20
> ended alice closed equity 0
check funds 20

story who is cut keeps it
# The same in halves: five are sold, nothing is due. 20 do not reach the 23 of the five that stay; these are her whole position then, and the
# 20 above their bankruptcy price of 88 are the fund's.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 500000, "slice_qty_min": 1, "full_below": 460, "fee_ppm": 1000000, "fund_limit_ppm": 0, "fee_rule": {"type": "whole"}}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 92
> accepted carol #1 BTC buy 10 @ 92
index BTC 92
> marked BTC 92 index 92
> liquidation alice equity 20 below 46
> closing alice #2 BTC sell 5 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 5 @ 92 fee 0 maker
> fill alice #2 BTC sell 5 @ 92 fee 0 closing
pulse
> closing alice #3 BTC sell 5 @ 88 bankruptcy 88 own
> fill carol #1 BTC buy 5 @ 92 fee 0 maker
> fill alice #3 BTC sell 5 @ 92 fee 0 closing
> fund-received main alice BTC 20
> ended alice closed equity 0
check funds 20
