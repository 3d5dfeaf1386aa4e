# State machines of breakers, several rules at once, groups of markets, commands.

story a limit state that lasts becomes a pause, and the reopening auction goes on while its price is outside its collar
# Told 100, 5 %: 95 to 105. The ask at 95 is a limit state until 16 s, then a pause until 26 s, then an auction. Its collar is
# 95 - 4.75 = 90.25, so 90, to 105; after one extension 95 - 9.5 = 85.5, so 86.
config unit
set breakers [{"name": "luld", "markets": [0], "ranges": [{"reference": {"type": "set", "price": 100}, "width": {"type": "ppm", "ppm": 50000}}], "test": {"type": "quote"}, "action": {"type": "limit_state", "hold_ns": 15000000000, "close_ns": null, "close_only_ns": 0}, "exit": {"after_ns": 10000000000, "auction_ns": 5000000000, "extension": {"after_ns": 5000000000, "most": null, "collar": {"step_ppm": 50000, "flat": null, "rounding": {"type": "half_up", "step": 1}}, "re_reference": null}}}]
given alice 10000
given bob 10000
index BTC 100
> marked BTC 100 index 100
at 1s
sell alice BTC 5 @ 90
> bounded alice BTC sell @ 90 capped 95 by luld from 100
> accepted alice #1 BTC sell 5 @ 95
> tripped BTC luld by quote 95 below 95 to 105 from 100 until 16s
> phase BTC continuous to limit_state until 16s
buy bob BTC 1 @ 90
> accepted bob #2 BTC buy 1 @ 90
at 16s
pulse
> phase BTC limit_state to pause until 26s
at 26s
pulse
> phase BTC pause to call_auction until 31s
sell alice BTC 5 @ 88
> accepted alice #3 BTC sell 5 @ 88
buy bob BTC 5 @ 88
> accepted bob #4 BTC buy 5 @ 88
at 31s
pulse
> tripped BTC luld by auction 88 below 90 to 105 from 100 until 36s
> phase BTC call_auction to call_auction until 36s
at 36s
pulse
> uncrossed BTC 5 @ 88 surplus 1
> fill bob #2 BTC buy 1 @ 88 fee 0 auction
> fill alice #3 BTC sell 1 @ 88 fee 0 auction
> fill bob #4 BTC buy 4 @ 88 fee 0 auction
> fill alice #3 BTC sell 4 @ 88 fee 0 auction
> phase BTC call_auction to continuous
> tripped BTC luld by quote 95 below 95 to 105 from 100 until 51s
> phase BTC continuous to limit_state until 51s

story a limit state ends when its quotes are gone, and a straddle has no timer
config unit
set breakers [{"name": "luld", "markets": [0], "ranges": [{"reference": {"type": "set", "price": 100}, "width": {"type": "ppm", "ppm": 50000}}], "test": {"type": "quote"}, "action": {"type": "limit_state", "hold_ns": 15000000000, "close_ns": 86400000000000, "close_only_ns": 600000000000}, "exit": {"after_ns": 10000000000}}]
given alice 10000
given bob 10000
index BTC 100
> marked BTC 100 index 100
at 1s
buy bob BTC 1 @ 90
> accepted bob #1 BTC buy 1 @ 90
> phase BTC continuous to straddle
sell alice BTC 5 @ 95
> accepted alice #2 BTC sell 5 @ 95
> tripped BTC luld by quote 95 below 95 to 105 from 100 until 16s
> phase BTC straddle to limit_state until 16s
cancel alice BTC #2
> cancelled alice #2 BTC sell 5 @ 95 user
> phase BTC limit_state to straddle
cancel bob BTC #1
> cancelled bob #1 BTC buy 1 @ 90 user
> phase BTC straddle to continuous
at 85900s
sell alice BTC 5 @ 95
> accepted alice #3 BTC sell 5 @ 95
> tripped BTC luld by quote 95 below 95 to 105 from 100 until 85915s
> phase BTC continuous to limit_state until 85915s
at 85915s
pulse
> phase BTC limit_state to close_only until 86400s

story two rules that one trade trips are both named, and the later end counts
config unit
set breakers [{"name": "short", "markets": [0], "ranges": [{"reference": {"type": "set", "price": 100}, "width": {"type": "ticks", "ticks": 5}}], "test": {"type": "trade"}, "action": {"type": "interrupt", "phase": "halted"}, "exit": {"after_ns": 10000000000}}, {"name": "long", "markets": [0], "ranges": [{"reference": {"type": "set", "price": 100}, "width": {"type": "ppm", "ppm": 40000}}], "test": {"type": "trade"}, "action": {"type": "interrupt", "phase": "reduce_only"}, "exit": {"after_ns": 60000000000}}]
given alice 10000
given bob 10000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 1 @ 106
> accepted alice #1 BTC sell 1 @ 106
at 1s
buy bob BTC 1 @ 106
> accepted bob #2 BTC buy 1 @ 106
> tripped BTC short by trade 106 above 95 to 105 from 100 until 11s
> tripped BTC long by trade 106 above 96 to 104 from 100 until 61s
> phase BTC continuous to halted until 61s
> cancelled bob #2 BTC buy 1 @ 106 breaker

story a trigger in one market halts its group, and what the operator has set stays
config unit
set breakers [{"name": "lead", "markets": [0], "interrupts": {"group": [1]}, "ranges": [{"reference": {"type": "window", "prices": "mark", "window_ns": 60000000000}, "width": {"type": "ppm", "ppm": 100000}}], "test": {"type": "mark"}, "action": {"type": "interrupt", "phase": "pause"}, "exit": {"after_ns": 5000000000}}]
index BTC 100
> marked BTC 100 index 100
at 1s
index BTC 80
> tripped BTC lead by mark 80 below 90 to 110 from 100 until 6s
> phase BTC continuous to pause until 6s
> phase ETH continuous to pause until 6s
> marked BTC 80 index 80
at 6s
pulse
> phase BTC pause to continuous
> phase ETH pause to continuous
phase ETH reduce_only
> phase ETH continuous to reduce_only
at 62s
index BTC 80
> tripped BTC lead by mark 80 below 90 to 110 from 100 until 67s
> phase BTC continuous to pause until 67s
> marked BTC 80 index 80
at 63s
index BTC 60
> marked BTC 60 index 60

story levels of an index halt the venue once a day, by the time of the day
# 7 and 13 % of 1000: 930 and 870. In the last hour the first level does nothing.
config unit
set breakers [{"name": "levels", "markets": [0], "interrupts": "venue", "ranges": [{"reference": {"type": "set", "price": 1000}, "width": {"type": "levels", "ppm": [70000, 130000]}}], "rounding": {"type": "half_up", "step": 1}, "test": {"type": "index"}, "action": {"type": "schedule", "rows": [{"level": 1, "from_ns": 0, "phase": "halted", "after_ns": 900000000000, "auction_ns": 60000000000}, {"level": 1, "from_ns": 82800000000000, "phase": null, "after_ns": null, "auction_ns": 0}, {"level": 2, "from_ns": 0, "phase": "closed", "after_ns": null, "auction_ns": 0}]}}]
index BTC 1000
> marked BTC 1000 index 1000
at 10s
index BTC 931
> marked BTC 931 index 931
index BTC 930
> tripped BTC levels by index 930 below 931 to 0 from 1000 until 910s
> phase BTC continuous to halted until 910s
> phase ETH continuous to halted until 910s
> marked BTC 930 index 930
at 910s
pulse
> phase BTC halted to call_auction until 970s
> phase ETH halted to call_auction until 970s
at 970s
pulse
> phase BTC call_auction to continuous
> phase ETH call_auction to continuous
index BTC 925
> marked BTC 925 index 925
at 82800s
index BTC 929
> marked BTC 929 index 929
index BTC 870
> tripped BTC levels by index 870 below 871 to 0 from 1000
> phase BTC continuous to closed
> phase ETH continuous to closed
> marked BTC 870 index 870

story a gap in time is followed by an auction, and rows are not summed
config unit
set breakers [{"name": "gap", "markets": [0], "test": {"type": "gap"}, "action": {"type": "gaps", "rows": [{"gap_ns": 10000000000, "after_ns": 60000000000}, {"gap_ns": 60000000000, "after_ns": 300000000000}]}}]
at 1s
pulse
at 10s
pulse
at 80s
pulse
> tripped BTC gap by gap 70000000000 above 0 to 0 from 60000000000 until 380s
> phase BTC continuous to call_auction until 380s
at 380s
pulse
> phase BTC call_auction to continuous
> tripped BTC gap by gap 300000000000 above 0 to 0 from 60000000000 until 680s
> phase BTC continuous to call_auction until 680s

story a rule is told its price, changed, switched off, and made to act
config unit
set breakers [{"name": "band", "markets": [0], "ranges": [{"reference": {"type": "set", "price": null}, "width": {"type": "ppm", "ppm": 50000}}], "test": {"type": "entry"}, "action": {"type": "cap"}}, {"name": "manual", "markets": [0], "test": {"type": "manual"}, "action": {"type": "interrupt", "phase": "halted"}, "exit": {"after_ns": null}}]
given alice 10000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 1 @ 200
> accepted alice #1 BTC buy 1 @ 200
rule everywhere band price 100
> rule everywhere band price 100
buy alice BTC 1 @ 200
> bounded alice BTC buy @ 200 capped 105 by band from 100
> accepted alice #2 BTC buy 1 @ 105
rule BTC band width 10000
> rule BTC band width 10000
buy alice BTC 1 @ 200
> bounded alice BTC buy @ 200 capped 101 by band from 100
> accepted alice #3 BTC buy 1 @ 101
rule BTC band enabled 0
> rule BTC band enabled 0
buy alice BTC 1 @ 200
> accepted alice #4 BTC buy 1 @ 200
rule ETH band enabled 1
> refused rule UnknownRule
rule BTC manual width 10000
> refused rule BadField
interrupt BTC manual halted at 0 from 0 until 9s
> tripped BTC manual by command 0 above 0 to 0 from 0 until 9s
> phase BTC continuous to halted until 9s
interrupt BTC manual reduce_only at 90 below 95 to 105 from 100 until 20s
> tripped BTC manual by command 90 below 95 to 105 from 100 until 20s
> phase BTC halted to halted until 20s
interrupt BTC band continuous at 0 from 0 until 30s
> refused interrupt BadField

story a sweep stops at the bound, or is refused as a whole
config unit
set breakers [{"name": "stop", "markets": [0], "ranges": [{"reference": {"type": "set", "price": 100}, "width": {"type": "ticks", "ticks": 5}}], "test": {"type": "trade"}, "action": {"type": "stop"}}, {"name": "whole", "markets": [1], "ranges": [{"reference": {"type": "set", "price": 100}, "width": {"type": "ticks", "ticks": 5}}], "test": {"type": "trade"}, "action": {"type": "reject"}}]
given alice 10000
given bob 10000
index BTC 100
> marked BTC 100 index 100
index ETH 100
> marked ETH 100 index 100
sell alice BTC 1 @ 105
> accepted alice #1 BTC sell 1 @ 105
sell alice BTC 1 @ 106
> accepted alice #2 BTC sell 1 @ 106
sell alice ETH 1 @ 105
> accepted alice #3 ETH sell 1 @ 105
sell alice ETH 1 @ 106
> accepted alice #4 ETH sell 1 @ 106
buy bob BTC 2 @ 110
> accepted bob #5 BTC buy 2 @ 110
> fill alice #1 BTC sell 1 @ 105 fee 0 maker
> fill bob #5 BTC buy 1 @ 105 fee 0 taker
> bounded bob BTC buy @ 110 stopped 105 by stop from 100 #5
> cancelled bob #5 BTC buy 1 @ 110 breaker
buy bob ETH 2 @ 110
> bounded bob ETH buy @ 110 refused 105 by whole from 100
> refused place BandRefuses
buy bob ETH 1 @ 110
> accepted bob #6 ETH buy 1 @ 110
> fill alice #3 ETH sell 1 @ 105 fee 0 maker
> fill bob #6 ETH buy 1 @ 105 fee 0 taker

story an order that does not rest may be spared, and what rests may go into the auction
config unit
set breakers [{"name": "vi", "markets": [0], "ranges": [{"reference": {"type": "set", "price": 100}, "width": {"type": "ticks", "ticks": 5}}], "test": {"type": "trade", "immediate": "spared", "rest": "rests"}, "action": {"type": "interrupt", "phase": "call_auction"}, "exit": {"after_ns": 5000000000}}]
given alice 10000
given bob 10000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 1 @ 105
> accepted alice #1 BTC sell 1 @ 105
sell alice BTC 1 @ 106
> accepted alice #2 BTC sell 1 @ 106
buy bob BTC 2 @ 110 ioc
> accepted bob #3 BTC buy 2 @ 110 ioc
> fill alice #1 BTC sell 1 @ 105 fee 0 maker
> fill bob #3 BTC buy 1 @ 105 fee 0 taker
> bounded bob BTC buy @ 110 stopped 105 by vi from 100 #3
> cancelled bob #3 BTC buy 1 @ 110 breaker
buy bob BTC 2 @ 110
> accepted bob #4 BTC buy 2 @ 110
> tripped BTC vi by trade 106 above 95 to 105 from 100 until 5s
> phase BTC continuous to call_auction until 5s
at 5s
pulse
> uncrossed BTC 1 @ 110 surplus 1
> fill bob #4 BTC buy 1 @ 110 fee 0 auction
> fill alice #2 BTC sell 1 @ 110 fee 0 auction
> phase BTC call_auction to continuous

story a cooling-off keeps everybody inside the bounds that were left
# The trade at 100 is 5 s old when the rule is asked; 10 % of it is 90 to 110.
config unit
set breakers [{"name": "vcm", "markets": [0], "ranges": [{"reference": {"type": "aged", "prices": "trade", "age_ns": 5000000000, "or_first": false}, "width": {"type": "ppm", "ppm": 100000}}], "test": {"type": "trade", "rest": "cancelled"}, "action": {"type": "interrupt", "phase": "cooling_off"}, "exit": {"after_ns": 300000000000}}]
given alice 10000
given bob 10000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 1 @ 100
> accepted alice #1 BTC sell 1 @ 100
buy bob BTC 1 @ 100
> accepted bob #2 BTC buy 1 @ 100
> fill alice #1 BTC sell 1 @ 100 fee 0 maker
> fill bob #2 BTC buy 1 @ 100 fee 0 taker
at 6s
sell alice BTC 1 @ 111
> accepted alice #3 BTC sell 1 @ 111
buy bob BTC 1 @ 111
> accepted bob #4 BTC buy 1 @ 111
> tripped BTC vcm by trade 111 above 90 to 110 from 100 until 306s
> phase BTC continuous to cooling_off until 306s
> cancelled bob #4 BTC buy 1 @ 111 breaker
buy bob BTC 1 @ 111
> bounded bob BTC buy @ 111 capped 110 by vcm from 100
> accepted bob #5 BTC buy 1 @ 110
block BTC alice buys 1 @ 100 from bob
> refused block PhaseRefuses

story an auction that would trip another rule goes on
# 107 is outside 100 +- 5, which begins it; it would end at 115, outside 100 +- 10, which adds its own 20 s, once a day.
config unit
set breakers [{"name": "near", "markets": [0], "ranges": [{"reference": {"type": "auction"}, "width": {"type": "ticks", "ticks": 5}}], "test": {"type": "trade", "rest": "rests", "auction": true}, "action": {"type": "interrupt", "phase": "call_auction"}, "exit": {"after_ns": 5000000000}, "rearm": {"auction": true}}, {"name": "far", "markets": [0], "ranges": [{"reference": {"type": "set", "price": 100}, "width": {"type": "ticks", "ticks": 10}}], "test": {"type": "trade", "rest": "rests", "auction": true}, "action": {"type": "interrupt", "phase": "call_auction"}, "exit": {"after_ns": 20000000000}, "rearm": {"per_day": 1}}]
given alice 10000
given bob 10000
index BTC 100
> marked BTC 100 index 100
phase BTC call_auction until 1s
> phase BTC continuous to call_auction until 1s
sell alice BTC 1 @ 100
> accepted alice #1 BTC sell 1 @ 100
buy bob BTC 1 @ 100
> accepted bob #2 BTC buy 1 @ 100
at 1s
pulse
> uncrossed BTC 1 @ 100 surplus 0
> fill bob #2 BTC buy 1 @ 100 fee 0 auction
> fill alice #1 BTC sell 1 @ 100 fee 0 auction
> phase BTC call_auction to continuous
sell alice BTC 1 @ 107
> accepted alice #3 BTC sell 1 @ 107
buy bob BTC 1 @ 115
> accepted bob #4 BTC buy 1 @ 115
> tripped BTC near by trade 107 above 95 to 105 from 100 until 6s
> phase BTC continuous to call_auction until 6s
cancel alice BTC #3
> cancelled alice #3 BTC sell 1 @ 107 user
sell alice BTC 1 @ 115
> accepted alice #5 BTC sell 1 @ 115
at 6s
pulse
> tripped BTC far by auction 115 above 90 to 110 from 100 until 26s
> phase BTC call_auction to call_auction until 26s
at 26s
pulse
> uncrossed BTC 1 @ 115 surplus 0
> fill bob #4 BTC buy 1 @ 115 fee 0 auction
> fill alice #5 BTC sell 1 @ 115 fee 0 auction
> phase BTC call_auction to continuous

story liquidations of a while are counted
config unit
set breakers [{"name": "cascade", "markets": [0], "test": {"type": "count", "of": "liquidations", "window_ns": 10000000000, "least": 2}, "action": {"type": "interrupt", "phase": "pause"}, "exit": {"after_ns": 5000000000}}]
given alice 100
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
at 1s
index BTC 94
> marked BTC 94 index 94
> liquidation alice equity 40 below 47
> liquidation bob equity 40 below 47
> closing alice #2 BTC sell 10 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 10 @ 92 fee 0 maker
> fill alice #2 BTC sell 10 @ 92 fee 0 closing
> ended alice closed equity 20
at 2s
pulse
> closing bob #3 BTC sell 10 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 10 @ 92 fee 0 maker
> fill bob #3 BTC sell 10 @ 92 fee 0 closing
> ended bob closed equity 20
> tripped BTC cascade by count 2 above 0 to 0 from 2 until 7s
> phase BTC continuous to pause until 7s

story while a rule acts the mark stands and money stays
# At 89 Alice would have 40 of 45. The mark stays at 100 until the rule is over, and with the next index she is below.
config unit
set breakers [{"name": "hold", "markets": [0], "test": {"type": "manual"}, "action": {"type": "interrupt", "phase": "guarded"}, "exit": {"after_ns": null, "meanwhile": {"mark": "stands", "gates_withdrawals": true}}}]
given alice 150
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 89
> accepted carol #1 BTC buy 10 @ 89
interrupt BTC hold guarded at 0 from 0 until 9s
> tripped BTC hold by command 0 above 0 to 0 from 0 until 9s
> phase BTC continuous to guarded until 9s
index BTC 89
> marked BTC 100 index 89
withdraw bob 10 USD
> refused withdraw WithdrawalsGated
at 9s
withdraw bob 10 USD
> phase BTC guarded to continuous
> withdrawn bob 10 USD
index BTC 89
> marked BTC 89 index 89
> liquidation alice equity 40 below 45
> closing alice #2 BTC sell 10 @ 85 bankruptcy 85 own
> fill carol #1 BTC buy 10 @ 89 fee 0 maker
> fill alice #2 BTC sell 10 @ 89 fee 0 closing
> ended alice closed equity 40

story while a rule acts nobody is liquidated
config unit
set breakers [{"name": "hold", "markets": [1], "test": {"type": "manual"}, "action": {"type": "interrupt", "phase": "cooling_off"}, "exit": {"after_ns": null, "meanwhile": {"liquidation_rounds": 0}}}]
given alice 150
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 89
> accepted carol #1 BTC buy 10 @ 89
interrupt ETH hold cooling_off at 0 from 0 until 9s
> tripped ETH hold by command 0 above 0 to 0 from 0 until 9s
> phase ETH continuous to cooling_off until 9s
index BTC 89
> marked BTC 89 index 89
> liquidation alice equity 40 below 45
pulse
at 9s
pulse
> phase ETH cooling_off to continuous
> closing alice #2 BTC sell 10 @ 85 bankruptcy 85 own
> fill carol #1 BTC buy 10 @ 89 fee 0 maker
> fill alice #2 BTC sell 10 @ 89 fee 0 closing
> ended alice closed equity 40

story while a rule acts margin rates are multiplied and nobody new has more than a leverage
# Maintenance of 5 % times 4 is 200 of 1000: Alice has 150. Initial of 10 % is at least one in two then: four lots need 200, two 100.
config unit
set breakers [{"name": "hold", "markets": [0], "test": {"type": "manual"}, "action": {"type": "interrupt", "phase": "cooling_off"}, "exit": {"after_ns": null, "meanwhile": {"margin": {"maintenance_ppm": 4000000, "leverage_max": 2}}}}]
given alice 150
given bob 1000
given carol 150
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
interrupt BTC hold cooling_off at 0 from 0 until 9s
> tripped BTC hold by command 0 above 0 to 0 from 0 until 9s
> phase BTC continuous to cooling_off until 9s
> multiplied BTC initial 1000000 maintenance 4000000 leverage 2
> liquidation alice equity 150 below 200
buy carol BTC 4 @ 90
> refused place MarginShort
buy carol BTC 2 @ 90
> accepted carol #1 BTC buy 2 @ 90
at 9s
pulse
> phase BTC cooling_off to continuous
> multiplied BTC initial 1000000 maintenance 1000000
> ended alice recovered equity 150
buy carol BTC 4 @ 90
> accepted carol #2 BTC buy 4 @ 90

story a cap is a price of the market
# 3 +- 1 to the nearest 10 is 0 and 0: no price is inside, and the nearest to the bound is 1. What is there already is left as it is.
config unit
set breakers [{"name": "band", "markets": [0], "ranges": [{"reference": {"type": "last", "prices": "trade"}, "width": {"type": "ticks", "ticks": 1}}], "rounding": {"type": "half_up", "step": 10}, "test": {"type": "entry"}, "action": {"type": "cap"}}]
given alice 10000
given bob 10000
index BTC 3
> marked BTC 3 index 3
sell alice BTC 1 @ 3
> accepted alice #1 BTC sell 1 @ 3
buy bob BTC 1 @ 3
> accepted bob #2 BTC buy 1 @ 3
> fill alice #1 BTC sell 1 @ 3 fee 0 maker
> fill bob #2 BTC buy 1 @ 3 fee 0 taker
buy bob BTC 1 @ 5
> bounded bob BTC buy @ 5 capped 1 by band from 3
> accepted bob #3 BTC buy 1 @ 1
buy bob BTC 1 @ 1
> accepted bob #4 BTC buy 1 @ 1

story a rule needs the prices of the row that applies, not of the others
config unit
set breakers [{"name": "band", "markets": [0], "ranges": [{"reference": {"type": "mark"}, "width": {"type": "tiers", "by": null, "rows": [{"from": 0, "width": {"type": "ticks", "ticks": 5}}, {"from": 500, "width": {"type": "ppm", "ppm": 50000, "of": {"type": "set", "price": null}}}]}}], "test": {"type": "entry"}, "action": {"type": "cap"}}]
given alice 10000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 1 @ 120
> bounded alice BTC buy @ 120 capped 105 by band from 100
> accepted alice #1 BTC buy 1 @ 105
index BTC 600
> marked BTC 600 index 600
buy alice BTC 1 @ 700
> accepted alice #2 BTC buy 1 @ 700

story hours that reach past the day end with it
config unit
set breakers [{"name": "band", "markets": [0], "ranges": [{"reference": {"type": "mark"}, "width": {"type": "hours", "of": {"type": "ticks", "ticks": 5}, "rows": [{"from_ns": 82800000000000, "until_ns": 90000000000000, "multiple_ppm": 2000000}]}}], "test": {"type": "entry"}, "action": {"type": "cap"}}]
given alice 10000
at 82800s
index BTC 100
> marked BTC 100 index 100
buy alice BTC 1 @ 120
> bounded alice BTC buy @ 120 capped 110 by band from 100
> accepted alice #1 BTC buy 1 @ 110
at 86400s
buy alice BTC 1 @ 120
> bounded alice BTC buy @ 120 capped 105 by band from 100
> accepted alice #2 BTC buy 1 @ 105

story no rule is asked about a mark that stands
# The second index is measured from the first one, 89, from which a mark of 100 is more than 5 % away.
config unit
set breakers [{"name": "hold", "markets": [0], "test": {"type": "manual"}, "action": {"type": "interrupt", "phase": "guarded"}, "exit": {"after_ns": null, "meanwhile": {"mark": "stands"}}}, {"name": "far", "markets": [0], "ranges": [{"reference": {"type": "index"}, "width": {"type": "ppm", "ppm": 50000}}], "test": {"type": "mark"}, "action": {"type": "interrupt", "phase": "pause"}, "exit": {"after_ns": null}}]
index BTC 100
> marked BTC 100 index 100
interrupt BTC hold guarded at 0 from 0 until 9s
> tripped BTC hold by command 0 above 0 to 0 from 0 until 9s
> phase BTC continuous to guarded until 9s
index BTC 89
> marked BTC 100 index 89
index BTC 88
> marked BTC 100 index 88
at 9s
index BTC 80
> phase BTC guarded to continuous
> tripped BTC far by mark 80 below 84 to 92 from 88
> phase BTC continuous to pause
> marked BTC 80 index 80

story a touch at its bound is looked at again when its rule is armed again
config unit
set breakers [{"name": "luld", "markets": [0], "ranges": [{"reference": {"type": "set", "price": 100}, "width": {"type": "ticks", "ticks": 5}}], "test": {"type": "quote"}, "action": {"type": "limit_state", "hold_ns": 5000000000, "close_ns": null, "close_only_ns": 0}, "exit": {"after_ns": 5000000000}, "rearm": {"cooldown_ns": 20000000000}}]
given alice 10000
index BTC 100
> marked BTC 100 index 100
at 1s
buy alice BTC 1 @ 105
> accepted alice #1 BTC buy 1 @ 105
> tripped BTC luld by quote 105 above 95 to 105 from 100 until 6s
> phase BTC continuous to limit_state until 6s
at 2s
cancel alice BTC #1
> cancelled alice #1 BTC buy 1 @ 105 user
> phase BTC limit_state to continuous
buy alice BTC 1 @ 105
> accepted alice #2 BTC buy 1 @ 105
at 20s
buy alice ETH 1 @ 105
> refused place NoMark
at 21s
buy alice ETH 1 @ 105
> refused place NoMark
> tripped BTC luld by quote 105 above 95 to 105 from 100 until 26s
> phase BTC continuous to limit_state until 26s

story an interruption by a command brings references no price, whatever its rule tests
# The call ends at 120 in the step of the interruption, so that the last trade stays 100 and the bound 105.
config unit
set breakers [{"name": "band", "markets": [0], "ranges": [{"reference": {"type": "last", "prices": "trade"}, "width": {"type": "ticks", "ticks": 5}}], "test": {"type": "entry", "passive": true}, "action": {"type": "cap"}}]
given alice 10000
given bob 10000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 1 @ 100
> accepted alice #1 BTC sell 1 @ 100
buy bob BTC 1 @ 100
> accepted bob #2 BTC buy 1 @ 100
> fill alice #1 BTC sell 1 @ 100 fee 0 maker
> fill bob #2 BTC buy 1 @ 100 fee 0 taker
phase BTC call_auction until 5s
> phase BTC continuous to call_auction until 5s
sell alice BTC 1 @ 120
> accepted alice #3 BTC sell 1 @ 120
buy bob BTC 1 @ 120
> accepted bob #4 BTC buy 1 @ 120
at 5s
interrupt BTC band reduce_only at 0 from 0 until 9s
> uncrossed BTC 1 @ 120 surplus 0
> fill bob #4 BTC buy 1 @ 120 fee 0 auction
> fill alice #3 BTC sell 1 @ 120 fee 0 auction
> phase BTC call_auction to continuous
> tripped BTC band by entry 0 above 0 to 0 from 0 until 9s
> phase BTC continuous to reduce_only until 9s
at 9s
sell alice BTC 1 @ 104
> phase BTC reduce_only to continuous
> accepted alice #5 BTC sell 1 @ 104
buy bob BTC 1 @ 130
> bounded bob BTC buy @ 130 capped 105 by band from 100
> accepted bob #6 BTC buy 1 @ 105
> fill alice #5 BTC sell 1 @ 104 fee 0 maker
> fill bob #6 BTC buy 1 @ 104 fee 0 taker

story an interruption without a price is none of a level
config unit
set breakers [{"name": "levels", "markets": [0], "ranges": [{"reference": {"type": "set", "price": 1000}, "width": {"type": "levels", "ppm": [70000, 130000]}}], "test": {"type": "index"}, "action": {"type": "schedule", "rows": [{"level": 2, "from_ns": 0, "phase": "halted", "after_ns": 60000000000, "auction_ns": 0}]}}]
index BTC 1000
> marked BTC 1000 index 1000
interrupt BTC levels halted at 0 from 1000 until 5s
> tripped BTC levels by index 0 above 0 to 0 from 1000 until 5s
> phase BTC continuous to halted until 5s
at 5s
index BTC 870
> phase BTC halted to continuous
> tripped BTC levels by index 870 below 871 to 0 from 1000 until 65s
> phase BTC continuous to halted until 65s
> marked BTC 870 index 870

story a call that a collar keeps going keeps the rule that acts in it
# The call would end at 120, and only 95 to 105 are inside the collar; the rule keeps money inside as long as the call lasts.
config unit
set markets.BTC.auction {"collar": {"around": "reference", "width_ppm": 50000, "width_min": 0, "action": "refuse"}}
set breakers [{"name": "hold", "markets": [0], "test": {"type": "manual"}, "action": {"type": "interrupt", "phase": "call_auction"}, "exit": {"after_ns": null, "meanwhile": {"gates_withdrawals": true}}}]
given alice 10000
given bob 10000
index BTC 100
> marked BTC 100 index 100
interrupt BTC hold call_auction at 0 from 0 until 5s
> tripped BTC hold by command 0 above 0 to 0 from 0 until 5s
> phase BTC continuous to call_auction until 5s
sell alice BTC 1 @ 120
> accepted alice #1 BTC sell 1 @ 120
buy bob BTC 1 @ 120
> accepted bob #2 BTC buy 1 @ 120
at 5s
withdraw bob 10 USD
> phase BTC call_auction to call_auction
> refused withdraw WithdrawalsGated
phase BTC continuous
> uncrossed BTC 1 @ 120 surplus 0
> fill bob #2 BTC buy 1 @ 120 fee 0 auction
> fill alice #1 BTC sell 1 @ 120 fee 0 auction
> phase BTC call_auction to continuous
withdraw bob 10 USD
> withdrawn bob 10 USD

story what an account in liquidation offers in a call is counted, and what it trades there
# Carol buys 6 of Alice's 10 lots at 90: 540. The operator's call stays as it is, and the trips are told all the same.
config unit
set markets.BTC.auction {"liquidations": true}
set breakers [{"name": "orders", "markets": [0], "test": {"type": "count", "of": "liquidations", "window_ns": 1000000000, "least": 1}, "action": {"type": "interrupt", "phase": "pause"}, "exit": {"after_ns": 5000000000}}, {"name": "value", "markets": [0], "test": {"type": "count", "of": "liquidated", "window_ns": 1000000000, "least": 540}, "action": {"type": "interrupt", "phase": "guarded"}, "exit": {"after_ns": 5000000000}}]
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
phase BTC call_auction
> phase BTC continuous to call_auction
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 resting
> tripped BTC orders by count 1 above 0 to 0 from 1 until 5s
buy carol BTC 6 @ 91
> accepted carol #2 BTC buy 6 @ 91
phase BTC continuous
> uncrossed BTC 6 @ 90 surplus -4
> fill carol #2 BTC buy 6 @ 90 fee 0 auction
> fill alice #1 BTC sell 6 @ 90 fee 0 auction-closing
> cancelled alice #1 BTC sell 4 @ 90 rest
> phase BTC call_auction to continuous
> tripped BTC value by count 540 above 0 to 0 from 540 until 5s
> phase BTC continuous to guarded until 5s

story while an auction of a rule would clear the mark is made of its price
# The index says 80 or 81, the auction 90: their mean, down, is 85. An auction that would not clear leaves the mark to the index, and
# after it the index alone counts.
config unit
set breakers [{"name": "call", "markets": [0], "test": {"type": "manual"}, "action": {"type": "interrupt", "phase": "call_auction"}, "exit": {"after_ns": null, "meanwhile": {"mark": "auction"}}}]
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
interrupt BTC call call_auction at 0 from 0 until 9s
> tripped BTC call by command 0 above 0 to 0 from 0 until 9s
> phase BTC continuous to call_auction until 9s
index BTC 81
> marked BTC 81 index 81
buy alice BTC 2 @ 90
> accepted alice #1 BTC buy 2 @ 90
index BTC 80
> marked BTC 80 index 80
sell bob BTC 1 @ 90
> accepted bob #2 BTC sell 1 @ 90
index BTC 80
> marked BTC 85 index 80
index BTC 81
> marked BTC 85 index 81
at 9s
index BTC 80
> uncrossed BTC 1 @ 90 surplus 1
> fill alice #1 BTC buy 1 @ 90 fee 0 auction
> fill bob #2 BTC sell 1 @ 90 fee 0 auction
> phase BTC call_auction to continuous
> marked BTC 80 index 80

story the mark that stands may count as well, and the band around the index holds
# The reopening auction would clear at 90. The median of 80, 90 and the mark of 100 is 90, of 95, 90 and 90 as well, and 13 % below an
# index of 104 is 90.48, so that the mark is 91 there.
config unit
set markets.BTC.mark {"method": "index", "basis_samples": 1, "index_band_ppm": 130000}
set breakers [{"name": "call", "markets": [0], "test": {"type": "manual"}, "action": {"type": "interrupt", "phase": "halted"}, "exit": {"after_ns": null, "auction_ns": 5000000000, "meanwhile": {"mark": "auction_and_mark"}}}]
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
interrupt BTC call halted at 0 from 0 until 9s
> tripped BTC call by command 0 above 0 to 0 from 0 until 9s
> phase BTC continuous to halted until 9s
index BTC 99
> marked BTC 99 index 99
at 9s
pulse
> phase BTC halted to call_auction until 14s
buy alice BTC 2 @ 90
> accepted alice #1 BTC buy 2 @ 90
sell bob BTC 1 @ 90
> accepted bob #2 BTC sell 1 @ 90
index BTC 80
> marked BTC 90 index 80
index BTC 80
> marked BTC 90 index 80
index BTC 95
> marked BTC 90 index 95
index BTC 104
> marked BTC 91 index 104
at 14s
index BTC 80
> uncrossed BTC 1 @ 90 surplus 1
> fill alice #1 BTC buy 1 @ 90 fee 0 auction
> fill bob #2 BTC sell 1 @ 90 fee 0 auction
> phase BTC call_auction to continuous
> marked BTC 80 index 80
