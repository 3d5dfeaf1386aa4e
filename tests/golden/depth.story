# Rules that look at the book near the mark, and at what waits for liquidation there.

story depth that is worth less than an amount guards a market
# 5 % of 100: bids from 95. The bid of 94 is further away: 4 lots of either side are worth 400, which is enough.
# 4 lots at 99 are worth 396; where both sides show the same it is the bids. Nothing is armed before 7 s.
config unit
set breakers [{"name": "thin", "enabled": false, "markets": [0], "test": {"type": "depth", "width_ppm": 50000, "below": {"type": "value", "least": 400}}, "action": {"type": "interrupt", "phase": "guarded"}, "exit": {"after_ns": 5000000000}, "rearm": {"cooldown_ns": 6000000000}}]
given alice 10000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 3 @ 95
> accepted alice #1 BTC buy 3 @ 95
buy alice BTC 1 @ 96
> accepted alice #2 BTC buy 1 @ 96
buy alice BTC 50 @ 94
> accepted alice #3 BTC buy 50 @ 94
sell alice BTC 4 @ 103
> accepted alice #4 BTC sell 4 @ 103
rule BTC thin enabled 1
> rule BTC thin enabled 1
at 1s
index BTC 100
> marked BTC 100 index 100
index BTC 99
> marked BTC 99 index 99
> tripped BTC thin by depth 396 above 0 to 0 from 400 until 6s
> phase BTC continuous to guarded until 6s
pulse
index BTC 99
> marked BTC 99 index 99
at 6s
pulse
> phase BTC guarded to continuous
index BTC 98
> marked BTC 98 index 98
at 7s
index BTC 100
> marked BTC 100 index 100
index BTC 99
> marked BTC 99 index 99
> tripped BTC thin by depth 396 above 0 to 0 from 400 until 12s
> phase BTC continuous to guarded until 12s

story the thinner side is the one that shows less, and hidden lots do not count
config unit
set breakers [{"name": "thin", "enabled": false, "markets": [0], "test": {"type": "depth", "width_ppm": 50000, "below": {"type": "value", "least": 500}}, "action": {"type": "interrupt", "phase": "guarded"}, "exit": {"after_ns": 5000000000}}]
given alice 10000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 9 @ 99
> accepted alice #1 BTC buy 9 @ 99
sell alice BTC 4 @ 105
> accepted alice #2 BTC sell 4 @ 105
sell alice BTC 6 @ 101 hidden
> accepted alice #3 BTC sell 6 @ 101 hidden
sell alice BTC 50 @ 106
> accepted alice #4 BTC sell 50 @ 106
rule BTC thin enabled 1
> rule BTC thin enabled 1
index BTC 100
> marked BTC 100 index 100
> tripped BTC thin by depth 400 below 0 to 0 from 500 until 5s
> phase BTC continuous to guarded until 5s

story depth that falls below a share of its mean guards a market
# What is looked at in the last 10 s: nothing at 10 s, then 8 and 4 lots whose mean of 6 allows 3; with 3 it is 5, half of which is
# 2.5, so that 2 are too few. The look at 0 s, of an empty book, is too old.
config unit
set breakers [{"name": "thin", "markets": [0], "test": {"type": "depth", "width_ppm": 50000, "below": {"type": "mean", "share_ppm": 500000, "window_ns": 10000000000}}, "action": {"type": "interrupt", "phase": "guarded"}, "exit": {"after_ns": 5000000000}}]
given alice 10000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 50 @ 101
> accepted alice #1 BTC sell 50 @ 101
buy alice BTC 2 @ 100
> accepted alice #2 BTC buy 2 @ 100
buy alice BTC 1 @ 99
> accepted alice #3 BTC buy 1 @ 99
buy alice BTC 1 @ 98
> accepted alice #4 BTC buy 1 @ 98
buy alice BTC 4 @ 97
> accepted alice #5 BTC buy 4 @ 97
at 10s
index BTC 100
> marked BTC 100 index 100
cancel alice BTC #5
> cancelled alice #5 BTC buy 4 @ 97 user
at 12s
index BTC 100
> marked BTC 100 index 100
cancel alice BTC #4
> cancelled alice #4 BTC buy 1 @ 98 user
at 14s
index BTC 100
> marked BTC 100 index 100
cancel alice BTC #3
> cancelled alice #3 BTC buy 1 @ 99 user
at 16s
index BTC 100
> marked BTC 100 index 100
> tripped BTC thin by depth 2 above 0 to 0 from 3 until 21s
> phase BTC continuous to guarded until 21s
at 21s
index BTC 100
> phase BTC guarded to continuous
> marked BTC 100 index 100

story liquidations that wait above a share of the visible depth go into an auction
# Bob has 40 of 47 at 94. Half of 20 bids from 90 on is 10, and his 10 lots are not more. Alice has 30 of 45 at 90: 10 lots against 10
# bids from 81 on, half of which is 5. The auction begins before her lots meet the book, and she trades at its price.
config unit
set markets.BTC.auction {"liquidations": true}
set breakers [{"name": "load", "markets": [0], "test": {"type": "pending", "width_ppm": 100000, "share_ppm": 500000}, "action": {"type": "interrupt", "phase": "call_auction"}, "exit": {"after_ns": 5000000000}}]
given alice 130
given bob 100
given carol 10000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from carol
> fill alice BTC buy 10 @ 100 block
> fill carol BTC sell 10 @ 100 block
block BTC bob buys 10 @ 100 from carol
> fill bob BTC buy 10 @ 100 block
> fill carol BTC sell 10 @ 100 block
buy carol BTC 20 @ 92
> accepted carol #1 BTC buy 20 @ 92
buy carol BTC 50 @ 80
> accepted carol #2 BTC buy 50 @ 80
at 1s
index BTC 94
> marked BTC 94 index 94
> liquidation bob equity 40 below 47
> closing bob #3 BTC sell 10 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 10 @ 92 fee 0 maker
> fill bob #3 BTC sell 10 @ 92 fee 0 closing
> ended bob closed equity 20
at 2s
index BTC 90
> marked BTC 90 index 90
> liquidation alice equity 30 below 45
> tripped BTC load by pending 10 above 0 to 0 from 5 until 7s
> phase BTC continuous to call_auction until 7s
> closing alice #4 BTC sell 10 @ 87 bankruptcy 87 resting
at 3s
pulse
at 7s
pulse
> uncrossed BTC 10 @ 92 surplus 0
> fill carol #1 BTC buy 10 @ 92 fee 0 auction
> fill alice #4 BTC sell 10 @ 92 fee 0 auction-closing
> phase BTC call_auction to continuous
> ended alice recovered equity 50

story a short that waits is held against the asks, and without asks any lot is too many
config unit
set breakers [{"name": "load", "markets": [0], "test": {"type": "pending", "width_ppm": 100000, "share_ppm": 1000000}, "action": {"type": "interrupt", "phase": "reduce_only"}, "exit": {"after_ns": 5000000000}}]
given alice 130
given carol 10000
index BTC 100
> marked BTC 100 index 100
block BTC carol buys 1 @ 100 from alice
> fill carol BTC buy 1 @ 100 block
> fill alice BTC sell 1 @ 100 block
sell carol BTC 1 @ 250
> accepted carol #1 BTC sell 1 @ 250
at 1s
index BTC 225
> marked BTC 225 index 225
> liquidation alice equity 5 below 12
> tripped BTC load by pending 1 below 0 to 0 from 0 until 6s
> phase BTC continuous to reduce_only until 6s
> closing alice #2 BTC buy 1 @ 230 bankruptcy 230 own
> cancelled alice #2 BTC buy 1 @ 230 rest

story a look as old as the window counts no more
# At 30 s that of 4 lots at 25 s counts, half of which is 2. With that of 8 lots at 20 s it would be 3.
config unit
set breakers [{"name": "thin", "markets": [0], "test": {"type": "depth", "width_ppm": 50000, "below": {"type": "mean", "share_ppm": 500000, "window_ns": 10000000000}}, "action": {"type": "interrupt", "phase": "guarded"}, "exit": {"after_ns": 5000000000}}]
given alice 10000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 50 @ 101
> accepted alice #1 BTC sell 50 @ 101
buy alice BTC 2 @ 100
> accepted alice #2 BTC buy 2 @ 100
buy alice BTC 2 @ 99
> accepted alice #3 BTC buy 2 @ 99
buy alice BTC 4 @ 98
> accepted alice #4 BTC buy 4 @ 98
at 20s
index BTC 100
> marked BTC 100 index 100
cancel alice BTC #4
> cancelled alice #4 BTC buy 4 @ 98 user
at 25s
index BTC 100
> marked BTC 100 index 100
cancel alice BTC #3
> cancelled alice #3 BTC buy 2 @ 99 user
at 30s
index BTC 100
> marked BTC 100 index 100
