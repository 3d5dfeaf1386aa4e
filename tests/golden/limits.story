# What liquidations do at most in a period of 10 s, and when money has to stay. In each, Alice holds 10 lots from 100 with 100 of her own.

story a period closes a share of a position, or a notional if that is more
# A fifth of 10 lots is 2, 300 are 3 lots at 93. The next period begins at 10 s: a fifth of 7 is 2, so again 3.
config unit
set block_limits {"period_ns": 10000000000, "position": {"share_ppm": 200000, "notional_min": 300}, "account_notional": null, "account_fund_loss": null, "rounds": null, "adl_rounds": null}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 91
> accepted carol #1 BTC buy 10 @ 91
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> limited alice BTC position 7
> closing alice #2 BTC sell 3 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 3 @ 91 fee 0 maker
> fill alice #2 BTC sell 3 @ 91 fee 0 closing
pulse
> limited alice BTC position 7
at 9s
index BTC 93
> marked BTC 93 index 93
> limited alice BTC position 7
at 10s
index BTC 93
> marked BTC 93 index 93
> limited alice BTC position 4
> closing alice #3 BTC sell 3 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 3 @ 91 fee 0 maker
> fill alice #3 BTC sell 3 @ 91 fee 0 closing

story a period closes so much notional of one account
# 500 are 5 lots at 93 (465); 35 are left, not a lot.
config unit
set block_limits {"period_ns": 10000000000, "position": null, "account_notional": 500, "account_fund_loss": null, "rounds": null, "adl_rounds": null}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 91
> accepted carol #1 BTC buy 10 @ 91
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> limited alice BTC notional 5
> closing alice #2 BTC sell 5 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 5 @ 91 fee 0 maker
> fill alice #2 BTC sell 5 @ 91 fee 0 closing
index BTC 90
> marked BTC 90 index 90
> limited alice BTC notional 5

story the funds pay so much for one account in a period, then winners come
# 20 pay for four lots of 5, though the fund has 100.
config unit
set block_limits {"period_ns": 10000000000, "position": null, "account_notional": null, "account_fund_loss": 20, "rounds": null, "adl_rounds": null}
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
> fill carol #1 BTC buy 4 @ 85 fee 0 maker
> fill alice #3 BTC sell 4 @ 85 fee 0 closing
> cancelled alice #3 BTC sell 6 @ 77 rest
> fund-paid main alice BTC 20
> limited alice BTC fund
> adl alice BTC sell 6 @ 90
> adl-fill bob BTC buy 6 @ 90 gives 30
> ended alice closed equity 0

story a debt waits for the periods in which the fund may pay it
# Sold at 85 without a limit Alice owes 50: 20, 20 and 10.
config unit
set block_limits {"period_ns": 10000000000, "position": null, "account_notional": null, "account_fund_loss": 20, "rounds": null, "adl_rounds": null}
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "limit": {"type": "none"}}
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
> closing alice #2 BTC sell 10 @ 1 bankruptcy 90 own
> fill carol #1 BTC buy 10 @ 85 fee 0 maker
> fill alice #2 BTC sell 10 @ 85 fee 0 closing
> fund-paid main alice BTC 20
> limited alice BTC fund
pulse
at 10s
index BTC 85
> marked BTC 85 index 85
> fund-paid main alice BTC 20
> limited alice BTC fund
at 20s
index BTC 85
> marked BTC 85 index 85
> fund-paid main alice BTC 10
> ended alice bankrupt equity 0
check funds 50

story a period has so many rounds, and so many of them deleverage
# Three rounds, one of them by winners. Erin's turn comes in the next period.
config unit
set limits.liquidation_rounds_per_step 16
set block_limits {"period_ns": 10000000000, "position": null, "account_notional": null, "account_fund_loss": null, "rounds": 3, "adl_rounds": 1}
given alice 100
given bob 1000
given dave 100
given erin 100
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
block BTC dave buys 10 @ 100 from bob
> fill dave BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
block BTC erin buys 9 @ 100 from bob
> fill erin BTC buy 9 @ 100 block
> fill bob BTC sell 9 @ 100 block
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -50 below 43
> liquidation dave equity -50 below 43
> liquidation erin equity -35 below 39
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 10 @ 90 rest
> adl alice BTC sell 10 @ 90
> adl-fill bob BTC buy 10 @ 90 gives 50
> ended alice closed equity 0
> closing dave #2 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled dave #2 BTC sell 10 @ 90 rest
> limited dave BTC adl 10
> closing erin #3 BTC sell 9 @ 89 bankruptcy 89 own
> cancelled erin #3 BTC sell 9 @ 89 rest
> limited erin BTC adl 9
index BTC 85
> marked BTC 85 index 85
> limited dave rounds
at 10s
pulse
> closing dave #4 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled dave #4 BTC sell 10 @ 90 rest
> adl dave BTC sell 10 @ 90
> adl-fill bob BTC buy 10 @ 90 gives 50
> ended dave closed equity 0
> closing erin #5 BTC sell 9 @ 89 bankruptcy 89 own
> cancelled erin #5 BTC sell 9 @ 89 rest
> limited erin BTC adl 9

story a step may be a period by itself
config unit
set limits.liquidation_rounds_per_step 16
set block_limits {"period_ns": 0, "position": null, "account_notional": null, "account_fund_loss": null, "rounds": 1, "adl_rounds": null}
given alice 100
given bob 1000
given dave 100
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
block BTC dave buys 10 @ 100 from bob
> fill dave BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -50 below 43
> liquidation dave equity -50 below 43
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 10 @ 90 rest
> adl alice BTC sell 10 @ 90
> adl-fill bob BTC buy 10 @ 90 gives 50
> ended alice closed equity 0
> limited dave rounds
pulse
> closing dave #2 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled dave #2 BTC sell 10 @ 90 rest
> adl dave BTC sell 10 @ 90
> adl-fill bob BTC buy 10 @ 90 gives 50
> ended dave closed equity 0

story after an account was seen below zero nobody takes money out for a while
config unit
set withdrawal_gate {"duration_ns": 50000000000, "trigger": "negative_equity"}
given alice 100
given bob 1000
open group 7 erin
> opened erin
open group 7 frank
> opened frank
deposit erin 10 USD
> deposited erin 10 USD
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
at 5s
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -50 below 43
> gated alice until 55s
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 10 @ 90 rest
> adl alice BTC sell 10 @ 90
> adl-fill bob BTC buy 10 @ 90 gives 50
> ended alice closed equity 0
withdraw bob 1 USD
> refused withdraw WithdrawalsGated
transfer erin frank 1 USD
> refused transfer WithdrawalsGated
deposit bob 1 USD
> deposited bob 1 USD
at 54s
withdraw bob 1 USD
> refused withdraw WithdrawalsGated
at 55s
withdraw bob 1 USD
> withdrawn bob 1 USD
transfer erin frank 1 USD
> transferred erin frank 1 USD

story a gate may close for uncovered losses only
# Alice below zero closes nothing while others carry it. Sold without a limit, Dave's loss stays uncovered.
config unit
set withdrawal_gate {"duration_ns": 50000000000, "trigger": "uncovered_loss"}
set markets.ETH.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "limit": {"type": "none"}}
given alice 100
given bob 1000
given carol 1000
given dave 100
index BTC 100
> marked BTC 100 index 100
index ETH 100
> marked ETH 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
block ETH dave buys 10 @ 100 from bob
> fill dave ETH buy 10 @ 100 block
> fill bob ETH sell 10 @ 100 block
buy carol ETH 10 @ 85
> accepted carol #1 ETH buy 10 @ 85
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -50 below 43
> closing alice #2 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #2 BTC sell 10 @ 90 rest
> adl alice BTC sell 10 @ 90
> adl-fill bob BTC buy 10 @ 90 gives 50
> ended alice closed equity 0
withdraw bob 1 USD
> withdrawn bob 1 USD
index ETH 85
> marked ETH 85 index 85
> liquidation dave equity -50 below 43
> closing dave #3 ETH sell 10 @ 1 bankruptcy 90 own
> fill carol #1 ETH buy 10 @ 85 fee 0 maker
> fill dave #3 ETH sell 10 @ 85 fee 0 closing
> bad-debt dave 50
> gated dave until 50s
> ended dave bankrupt equity 0
withdraw bob 1 USD
> refused withdraw WithdrawalsGated

story lots that deleveraging leaves open are an uncovered loss
# At the mark of 85 a lot lacks 5, which the fund does not have.
config unit
set withdrawal_gate {"duration_ns": 50000000000, "trigger": "uncovered_loss"}
set markets.BTC.adl.price "mark"
given alice 100
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -50 below 43
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 10 @ 90 rest
> adl alice BTC sell 10 @ 85
> adl-rest alice BTC 10
> gated alice until 50s
withdraw bob 1 USD
> refused withdraw WithdrawalsGated

story everybody carries a loss in proportion to equity
# Sold at 85 without a limit Alice owes 50. Bob has 1150, Carol 1000, Dave 850: 19.17, 16.67 and 14.17.
config unit
set last_resort "socialise_equity"
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "limit": {"type": "none"}}
given alice 100
given bob 1000
given carol 1000
given dave 850
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
> closing alice #2 BTC sell 10 @ 1 bankruptcy 90 own
> fill carol #1 BTC buy 10 @ 85 fee 0 maker
> fill alice #2 BTC sell 10 @ 85 fee 0 closing
> socialised bob BTC 19
> socialised carol BTC 17
> socialised dave BTC 14
> ended alice bankrupt equity 0
check shortfall 0

story a limit of some phases throttles liquidations of a guarded market alone
# 500 are 5 lots at 93 (465). In the guarded market Alice loses so many and then none; Dave, whose market is not, all at once. She
# loses the rest, in the same period, when her market is guarded no more.
config unit
set block_limits {"period_ns": 10000000000, "position": null, "account_notional": 500, "account_fund_loss": null, "rounds": null, "adl_rounds": null, "phases": ["guarded"]}
given alice 100
given bob 5000
given carol 5000
given dave 100
index BTC 100
> marked BTC 100 index 100
index ETH 100
> marked ETH 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
block ETH dave buys 10 @ 100 from bob
> fill dave ETH buy 10 @ 100 block
> fill bob ETH sell 10 @ 100 block
buy carol BTC 20 @ 91
> accepted carol #1 BTC buy 20 @ 91
buy carol ETH 20 @ 91
> accepted carol #2 ETH buy 20 @ 91
phase BTC guarded
> phase BTC continuous to guarded
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> limited alice BTC notional 5
> closing alice #3 BTC sell 5 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 5 @ 91 fee 0 maker
> fill alice #3 BTC sell 5 @ 91 fee 0 closing
index ETH 93
> marked ETH 93 index 93
> liquidation dave equity 30 below 47
> limited alice BTC notional 5
pulse
> closing dave #4 ETH sell 10 @ 90 bankruptcy 90 own
> fill carol #2 ETH buy 10 @ 91 fee 0 maker
> fill dave #4 ETH sell 10 @ 91 fee 0 closing
> ended dave closed equity 10
phase BTC continuous
> phase BTC guarded to continuous
index BTC 93
> marked BTC 93 index 93
> closing alice #5 BTC sell 5 @ 89 bankruptcy 89 own
> fill carol #1 BTC buy 5 @ 91 fee 0 maker
> fill alice #5 BTC sell 5 @ 91 fee 0 closing
> ended alice closed equity 10

story what is closed while no limit holds is not counted
# Alice loses 10 of 20 lots at 93, worth 930; then, where the limit holds, 500 are 5 of the 10 left at 92 (460).
config unit
set markets.BTC.liquidation.slice_ppm 500000
set markets.BTC.liquidation.slice_qty_min 10
set block_limits {"period_ns": 10000000000, "position": {"share_ppm": 1000000, "notional_min": 0}, "account_notional": 500, "account_fund_loss": null, "rounds": null, "adl_rounds": null, "phases": ["guarded", "reduce_only"]}
given alice 200
given bob 5000
given carol 5000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 20 @ 100 from bob
> fill alice BTC buy 20 @ 100 block
> fill bob BTC sell 20 @ 100 block
buy carol BTC 20 @ 91
> accepted carol #1 BTC buy 20 @ 91
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 60 below 93
> closing alice #2 BTC sell 10 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 10 @ 91 fee 0 maker
> fill alice #2 BTC sell 10 @ 91 fee 0 closing
phase BTC reduce_only
> phase BTC continuous to reduce_only
index BTC 92
> marked BTC 92 index 92
> limited alice BTC notional 5
> closing alice #3 BTC sell 5 @ 89 bankruptcy 89 own
> fill carol #1 BTC buy 5 @ 91 fee 0 maker
> fill alice #3 BTC sell 5 @ 91 fee 0 closing
> ended alice recovered equity 25
