# The index made of sources, and the marks of venues.

story each source makes a new index, and too few of them leave index and mark as they are
# Weights 3, 2 and 2: with 100 and 106 the weight 3 has passed the half of 5; with three, 100, 104 and 106 reach 3, 5 and 7 of 7.
config unit
set markets.BTC.index {"rule": "median", "sources_min": 2, "liquidates_stale": true, "sources": [{"name": "one", "weight": 3, "stale_ns": 10000000000}, {"name": "two", "weight": 2, "stale_ns": 10000000000}, {"name": "three", "weight": 2, "stale_ns": 5000000000}]}
at 1s
source BTC 0 100
index BTC 100
> refused index BadField
at 2s
source BTC 1 106
> index BTC stale to degraded with 2
> marked BTC 100 index 100
source BTC 2 103 to 105
> index BTC degraded to live with 3
> marked BTC 104 index 104
at 7s
pulse
> index BTC live to degraded with 2
at 11s
source BTC 1 90
> index BTC degraded to stale with 1
source BTC 2 90
> index BTC stale to degraded with 2
> marked BTC 90 index 90

story a crossed, late or unknown source is refused and changes nothing
config unit
set markets.BTC.index {"rule": "median", "sources_min": 1, "liquidates_stale": true, "sources": [{"name": "one", "weight": 1, "stale_ns": 5000000000}]}
at 10s
source BTC 0 105 to 104
> refused source SourceCrossed
source BTC 0 105 seen 5s
> refused source SourceStale
source BTC 0 105 seen 6s
> index BTC stale to live with 1
> marked BTC 105 index 105
source BTC 0 106 seen 5999ms
> refused source SourceStale
source BTC 0 106 seen 11s
> refused source BadField
source BTC 1 106
> refused source BadField
source ETH 0 106
> refused source BadField
source BTC 0 0
> refused source PriceOutOfRange
source BTC 0 105 to 10001
> refused source PriceOutOfRange
at 11s
phase BTC closed
> index BTC live to stale with 0
> phase BTC continuous to closed
source BTC 0 106
> refused source PhaseRefuses

story one source beyond five per cent of the median has no weight, and two leave the median (Binance)
# 100, 102 and 108: the median is 102, 108 is 5.9 % off: (100 + 3 x 102) / 4 = 101.5. With 94 for 100 there are two: 102.
config unit
set markets.BTC.index {"rule": {"mean": {"outlier_ppm": 50000}}, "sources_min": 3, "liquidates_stale": true, "sources": [{"name": "one", "weight": 1, "stale_ns": 10000000000}, {"name": "two", "weight": 3, "stale_ns": 10000000000}, {"name": "three", "weight": 1, "stale_ns": 10000000000}]}
source BTC 0 100
source BTC 1 102
source BTC 2 108
> index BTC stale to live with 3
> marked BTC 101 index 101
source BTC 0 94
> marked BTC 102 index 102

story while the index is stale nobody is liquidated, if the market says so
# Funding of 4 % of 980 is 40: Alice has 108 - 20 - 40 = 48, below 49. Her round finds no market and she is parked; the next price lets it go on.
config unit
set markets.BTC.index {"rule": "median", "sources_min": 1, "liquidates_stale": false, "sources": [{"name": "one", "weight": 1, "stale_ns": 5000000000}]}
set markets.BTC.funding {"first_ns": 60000000000, "interval_ns": 60000000000, "interest_ppb": 40000000, "clamp_ppb": 40000000, "cap_ppb": 40000000, "impact_qty": 1}
given alice 108
given bob 1000
source BTC 0 100
> index BTC stale to live with 1
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
source BTC 0 98
> marked BTC 98 index 98
at 60s
pulse
> index BTC live to stale with 0
> funding BTC rate 40000000 mark 98
> paid alice BTC 40 on 10
> paid bob BTC -39 on -10
> liquidation alice equity 48 below 49
pulse
at 61s
source BTC 0 98
> index BTC stale to live with 1
> marked BTC 98 index 98
> closing alice #1 BTC sell 10 @ 94 bankruptcy 94 own
> cancelled alice #1 BTC sell 10 @ 94 rest

story a stale index keeps nobody from being liquidated where the market does not say so
config unit
set markets.BTC.index {"rule": "median", "sources_min": 1, "liquidates_stale": true, "sources": [{"name": "one", "weight": 1, "stale_ns": 5000000000}]}
set markets.BTC.funding {"first_ns": 60000000000, "interval_ns": 60000000000, "interest_ppb": 40000000, "clamp_ppb": 40000000, "cap_ppb": 40000000, "impact_qty": 1}
given alice 108
given bob 1000
source BTC 0 100
> index BTC stale to live with 1
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
source BTC 0 98
> marked BTC 98 index 98
at 60s
pulse
> index BTC live to stale with 0
> funding BTC rate 40000000 mark 98
> paid alice BTC 40 on 10
> paid bob BTC -39 on -10
> liquidation alice equity 48 below 49
> closing alice #1 BTC sell 10 @ 94 bankruptcy 94 own
> cancelled alice #1 BTC sell 10 @ 94 rest

story the mark is at most a hundredth of the last one away from it (HIP-3)
# A hundredth of 1000 is 10; of 990 it is 9.9, down to 9.
config unit
set markets.BTC.mark {"method": "index", "basis_samples": 1, "slew_ppm": 10000}
index BTC 1000
> marked BTC 1000 index 1000
index BTC 950
> marked BTC 990 index 950
index BTC 950
> marked BTC 981 index 950
index BTC 985
> marked BTC 985 index 985

story the mark of Binance: the median of the funded index, the averaged basis and the last trade
# Funding of 4 % is settled at 100 s. At 150 s half of the interval is left: 1000 (1 + 0.04 / 2) = 1020. Basis (1030 + 1040) / 2 - 1000 = 35.
config unit
set markets.BTC.mark {"method": "median", "basis_samples": 2, "inputs": ["funding", "basis", "last"]}
set markets.BTC.funding {"first_ns": 100000000000, "interval_ns": 100000000000, "interest_ppb": 40000000, "clamp_ppb": 40000000, "cap_ppb": 40000000, "impact_qty": 10}
given alice 10000
given bob 10000
index BTC 1000
> marked BTC 1000 index 1000
sell bob BTC 1 @ 1030
> accepted bob #1 BTC sell 1 @ 1030
buy alice BTC 1 @ 1030
> accepted alice #2 BTC buy 1 @ 1030
> fill bob #1 BTC sell 1 @ 1030 fee 0 maker
> fill alice #2 BTC buy 1 @ 1030 fee 0 taker
buy alice BTC 1 @ 1030
> accepted alice #3 BTC buy 1 @ 1030
sell bob BTC 1 @ 1040
> accepted bob #4 BTC sell 1 @ 1040
at 100s
pulse
> funding BTC rate 40000000 mark 1000
> paid alice BTC 40 on 1
> paid bob BTC -40 on -1
at 150s
index BTC 1000
> marked BTC 1030 index 1000
sell bob BTC 1 @ 1030
> accepted bob #5 BTC sell 1 @ 1030
> fill alice #3 BTC buy 1 @ 1030 fee 0 maker
> fill bob #5 BTC sell 1 @ 1030 fee 0 taker
buy alice BTC 1 @ 1010
> accepted alice #6 BTC buy 1 @ 1010
sell bob BTC 1 @ 1010
> accepted bob #7 BTC sell 1 @ 1010
> fill alice #6 BTC buy 1 @ 1010 fee 0 maker
> fill bob #7 BTC sell 1 @ 1010 fee 0 taker
index BTC 1000
> marked BTC 1020 index 1000

story the mark of BitMEX: the index with the funding that is still to come
# 0.25 % for eight hours, settled; five hours are left of the next eight: 10000 (1 + 0.0025 x 5 / 8) = 10015.625.
config unit
set markets.BTC.price_max 20000
set markets.BTC.mark {"method": "median", "basis_samples": 1, "inputs": ["funding"]}
set markets.BTC.funding {"first_ns": 28800000000000, "interval_ns": 28800000000000, "interest_ppb": 2500000, "clamp_ppb": 2500000, "cap_ppb": 40000000, "impact_qty": 10}
index BTC 10000
> marked BTC 10000 index 10000
at 28800s
pulse
> funding BTC rate 2500000 mark 10000
at 39600s
index BTC 10000
> marked BTC 10015 index 10000

story the mark of Hyperliquid: oracle and averaged basis, touch, and the venues outside
# With bid 1020 and ask 1040 the basis is 30. At 40 s basis 30, touch 1040 (the last trade is one of three) and 1035 outside: 1035. Then
# bid 1100 and ask 1110, and no price outside: 31 s later the basis is (30 x 30 x 0.813 + 105 x 31) / (30 x 0.813 + 31) = 71.9, the touch
# 1100, and the average of the touch, which joins the two, (1040 x 30 x 0.356 + 1100 x 31) / (30 x 0.356 + 31) = 1084.6.
config unit
set markets.BTC.mark {"method": "median", "basis_samples": 1, "inputs": ["basis_ema", "touch", "external"], "fallback": "touch_ema", "basis_decay_ppb": 993355506, "touch_decay_ppb": 967216100, "sources": [{"name": "perp", "weight": 3, "stale_ns": 60000000000}]}
given alice 10000
given bob 10000
source BTC 0 1010
index BTC 1000
> marked BTC 1005 index 1000
buy alice BTC 5 @ 1020
> accepted alice #1 BTC buy 5 @ 1020
sell bob BTC 5 @ 1040
> accepted bob #2 BTC sell 5 @ 1040
buy alice BTC 1 @ 1040
> accepted alice #3 BTC buy 1 @ 1040
> fill bob #2 BTC sell 1 @ 1040 fee 0 maker
> fill alice #3 BTC buy 1 @ 1040 fee 0 taker
at 10s
index BTC 1000
> marked BTC 1030 index 1000
source BTC 0 1035
> marked BTC 1035 index 1000
at 40s
index BTC 1000
> marked BTC 1035 index 1000
cancel bob all
> cancelled bob #2 BTC sell 4 @ 1040 user
buy alice BTC 5 @ 1100
> accepted alice #4 BTC buy 5 @ 1100
sell bob BTC 5 @ 1110
> accepted bob #5 BTC sell 5 @ 1110
at 71s
index BTC 1000
> marked BTC 1084 index 1000

story the mark of Deribit: the index and an average of the basis, kept near the index
# The basis of 100 is 10 %: the band of 0.5 % lets 5 of it through.
config unit
set markets.BTC.mark {"method": "median", "basis_samples": 1, "inputs": ["basis_ema"], "basis_decay_ppb": 967216100, "index_band_ppm": 5000}
given alice 10000
given bob 10000
index BTC 1000
> marked BTC 1000 index 1000
buy alice BTC 5 @ 1090
> accepted alice #1 BTC buy 5 @ 1090
sell bob BTC 5 @ 1110
> accepted bob #2 BTC sell 5 @ 1110
at 1s
index BTC 1000
> marked BTC 1005 index 1000

story the mark of OKX: the index and the mean of the basis
config unit
set markets.BTC.mark {"method": "median", "basis_samples": 3, "inputs": ["basis"]}
given alice 10000
given bob 10000
buy alice BTC 5 @ 1002
> refused place NoMark
index BTC 1000
> marked BTC 1000 index 1000
buy alice BTC 5 @ 1002
> accepted alice #1 BTC buy 5 @ 1002
sell bob BTC 5 @ 1003
> accepted bob #2 BTC sell 5 @ 1003
index BTC 1000
> marked BTC 1002 index 1000
index BTC 990
> marked BTC 997 index 990
