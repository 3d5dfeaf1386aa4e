# A market that is settled for good: orders that only reduce, then every position closed at one price, longs against shorts.

story a market shrinks, and is settled at the average index of the last while
# From 40 s on positions only grow smaller. 100 stood from 50 to 52 s, 110 until 57 s, 120 until 60 s: (200 + 550 + 360) / 10 = 111.
config unit
set markets.BTC.settlement {"price": {"average": {"window_ns": 10000000000}}, "reduce_only_ns": 20000000000, "notice_ns": null}
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
block BTC carol buys 4 @ 100 from bob
> fill carol BTC buy 4 @ 100 block
> fill bob BTC sell 4 @ 100 block
buy carol BTC 1 @ 90
> accepted carol #1 BTC buy 1 @ 90
sell alice BTC 2 @ 120 reduce
> accepted alice #2 BTC sell 2 @ 120 reduce
settle BTC at 60s
> settlement BTC at 60s
at 40s
pulse
> cancelled carol #1 BTC buy 1 @ 90 settlement
> phase BTC continuous to reduce_only
buy carol BTC 1 @ 90
> refused place PhaseRefuses
at 52s
index BTC 110
> marked BTC 110 index 110
at 57s
index BTC 120
> marked BTC 120 index 120
at 60s
pulse
> cancelled alice #2 BTC sell 2 @ 120 settlement
> phase BTC reduce_only to settlement
> settling BTC at 111 open 14
> settled alice BTC sell 10 @ 111 with bob
> settled carol BTC sell 4 @ 111 with bob
> phase BTC settlement to closed
check alice balance 1110
check carol balance 1044
check bob balance 846
check bob position BTC 0
index BTC 100
> refused index PhaseRefuses
phase BTC continuous
> refused phase PhaseRefuses
settle BTC at 100s
> refused settle PhaseRefuses

story a settlement looks at so many accounts in a step, and keeps others out meanwhile
# Two a step. Beginning counts as one, then Alice is passed over in search of a short. In the next step Alice and Bob are passed over in search of a long, in the last one Carol.
config unit
set limits.funding_accounts_per_step 2
set markets.BTC.settlement {"price": "mark", "reduce_only_ns": 0, "notice_ns": null}
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
block BTC carol buys 4 @ 100 from bob
> fill carol BTC buy 4 @ 100 block
> fill bob BTC sell 4 @ 100 block
settle BTC at 10s
> settlement BTC at 10s
at 10s
pulse
> phase BTC continuous to reduce_only
> phase BTC reduce_only to settlement
> settling BTC at 100 open 14
> settled alice BTC sell 10 @ 100 with bob
check bob position BTC -4
deposit alice 1 USD
> settled carol BTC sell 4 @ 100 with bob
> refused deposit TimersPending
deposit alice 1 USD
> phase BTC settlement to closed
> deposited alice 1 USD

story what is owed after a settlement is owed to the fund of that market
# Dave's 60 do not cover the 100 that he loses; the market's own fund has 30, the rest is nobody's. Liquidation is switched off, so that he comes that far.
config unit
set funds [{"name": "main"}, {"name": "other"}]
set markets.ETH.fund 1
set markets.ETH.liquidation.enabled false
set markets.ETH.settlement {"price": "index", "reduce_only_ns": 5000000000, "notice_ns": null}
given dave 60
given bob 1000
fund main 500
> funded main 500
fund other 30
> funded other 30
index ETH 100
> marked ETH 100 index 100
block ETH dave buys 5 @ 100 from bob
> fill dave ETH buy 5 @ 100 block
> fill bob ETH sell 5 @ 100 block
settle ETH at 20s
> settlement ETH at 20s
at 10s
index ETH 80
> marked ETH 80 index 80
at 20s
pulse
> phase ETH continuous to reduce_only
> phase ETH reduce_only to settlement
> settling ETH at 80 open 5
> settled dave ETH sell 5 @ 80 with bob
> phase ETH settlement to closed
> liquidation dave equity -40 below 0
> fund-paid other dave ETH 30
> bad-debt dave 10
> ended dave bankrupt equity 0
check funds 500
check shortfall 10
check bob balance 1100

story a loss that nobody carried leads to a settlement, after a notice
# Alice is sold at 85 without a limit, 5 a lot below her bankruptcy price, and the fund is empty.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "limit": {"type": "none"}}
set markets.BTC.settlement {"price": "mark", "reduce_only_ns": 50000000000, "notice_ns": 30000000000}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 12 @ 85
> accepted carol #1 BTC buy 12 @ 85
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -50 below 43
> closing alice #2 BTC sell 10 @ 1 bankruptcy 90 own
> fill carol #1 BTC buy 10 @ 85 fee 0 maker
> fill alice #2 BTC sell 10 @ 85 fee 0 closing
> bad-debt alice 50
> settlement BTC at 30s
> cancelled carol #1 BTC buy 2 @ 85 settlement
> phase BTC continuous to reduce_only
> ended alice bankrupt equity 0
at 30s
pulse
> phase BTC reduce_only to settlement
> settling BTC at 85 open 10
> settled carol BTC sell 10 @ 85 with bob
> phase BTC settlement to closed
check bob balance 1150
check shortfall 50

story a halted market comes back to shrink; a plan may be changed or dropped
config unit
set markets.BTC.settlement {"price": "index", "reduce_only_ns": 20000000000, "notice_ns": null}
given alice 100
settle ETH at 60s
> refused settle BadField
settle BTC at 60s
> refused settle NoMark
index BTC 100
> marked BTC 100 index 100
settle BTC never
> refused settle BadField
at 5s
settle BTC at 5s
> refused settle BadField
settle BTC at 70s
> settlement BTC at 70s
settle BTC at 60s
> settlement BTC at 60s
buy alice BTC 1 @ 90
> accepted alice #1 BTC buy 1 @ 90
phase BTC halted until 50s
> phase BTC continuous to halted until 50s
at 45s
pulse
> cancelled alice #1 BTC buy 1 @ 90 settlement
at 50s
pulse
> phase BTC halted to reduce_only
settle BTC never
> settlement BTC never
phase BTC continuous
> phase BTC reduce_only to continuous
at 70s
pulse
buy alice BTC 1 @ 90
> accepted alice #2 BTC buy 1 @ 90
