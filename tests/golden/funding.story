# Funding and the mark.

story payers pay up, receivers get down, and the remainder stays
# 0.1 % at mark 101: Alice pays 3.03 up to 4; Bob and Carol get 1.01 and 2.02, down to 1 and 2; 1 is left with the venue.
config unit
set markets.BTC.funding {"first_ns": 60000000000, "interval_ns": 60000000000, "interest_ppb": 1000000, "clamp_ppb": 1000000, "cap_ppb": 40000000, "impact_qty": 1}
given alice 1000
given bob 1000
given carol 1000
index BTC 101
> marked BTC 101 index 101
block BTC alice buys 10 @ 101 from bob
> fill alice BTC buy 10 @ 101 block
> fill bob BTC sell 10 @ 101 block
block BTC alice buys 20 @ 101 from carol
> fill alice BTC buy 20 @ 101 block
> fill carol BTC sell 20 @ 101 block
at 60s
pulse
> funding BTC rate 1000000 mark 101
> paid alice BTC 4 on 30
> paid bob BTC -1 on -10
> paid carol BTC -2 on -20
check alice balance 996
check bob balance 1001
check carol balance 1002
check users USD 2999

story a settlement goes on in slices, and until it is done only a pulse is admitted
config unit
set limits.funding_accounts_per_step 1
set markets.BTC.funding {"first_ns": 60000000000, "interval_ns": 60000000000, "interest_ppb": 10000000, "clamp_ppb": 10000000, "cap_ppb": 40000000, "impact_qty": 1}
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from carol
> fill alice BTC buy 10 @ 100 block
> fill carol BTC sell 10 @ 100 block
at 60s
buy alice BTC 1 @ 99
> funding BTC rate 10000000 mark 100
> refused place TimersPending
deposit bob 1 USD
> paid alice BTC 10 on 10
> refused deposit TimersPending
pulse
buy alice BTC 1 @ 99
> paid carol BTC -10 on -10
> accepted alice #1 BTC buy 1 @ 99

story the premium of impact prices moves the rate, within clamp and cap
# Selling 4 into the bids brings 3 x 104 + 1 x 102 = 414 against 400: a premium of 14 / 400 = 3.5 %. The second sample has a thin
# book: 0. The average is 1.75 %, pulled 0.05 % towards the interest of 0: 1.7 %. 5 lots at 100 pay 8.5 up to 9.
config unit
set markets.BTC.funding {"first_ns": 60000000000, "interval_ns": 60000000000, "interest_ppb": 0, "clamp_ppb": 500000, "cap_ppb": 40000000, "impact_qty": 4}
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
at 1s
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
buy alice BTC 3 @ 104
> accepted alice #1 BTC buy 3 @ 104
buy alice BTC 3 @ 102
> accepted alice #2 BTC buy 3 @ 102
index BTC 100
> marked BTC 100 index 100
cancel alice all
> cancelled alice #2 BTC buy 3 @ 102 user
> cancelled alice #1 BTC buy 3 @ 104 user
at 60s
pulse
> funding BTC rate 17000000 mark 100
> paid alice BTC 9 on 5
> paid bob BTC -8 on -5

story funding can endanger an account
# 4 % of 980 is 39.2 up to 40. Alice has 109 - 20 - 40 = 49, which is not below maintenance 49; Bob has 48.
config unit
set markets.BTC.funding {"first_ns": 60000000000, "interval_ns": 60000000000, "interest_ppb": 40000000, "clamp_ppb": 40000000, "cap_ppb": 40000000, "impact_qty": 1}
given alice 109
given bob 108
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from carol
> fill alice BTC buy 10 @ 100 block
> fill carol BTC sell 10 @ 100 block
block BTC bob buys 10 @ 100 from carol
> fill bob BTC buy 10 @ 100 block
> fill carol BTC sell 10 @ 100 block
index BTC 98
> marked BTC 98 index 98
at 60s
pulse
> funding BTC rate 40000000 mark 98
> paid alice BTC 40 on 10
> paid bob BTC 40 on 10
> paid carol BTC -78 on -20
> liquidation bob equity 48 below 49
> closing bob #1 BTC sell 10 @ 94 bankruptcy 94 own
> cancelled bob #1 BTC sell 10 @ 94 rest

story the median mark keeps a bad print out, and follows the averaged basis
# Last trade 120, index 100: without quotes the basis is 0 and the median is 100. With 101 and 104 resting the basis is 2.5 down to 2.
config unit
set markets.BTC.mark {"method": "median", "basis_samples": 2}
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 1 @ 120
> accepted alice #1 BTC sell 1 @ 120
buy bob BTC 1 @ 120
> accepted bob #2 BTC buy 1 @ 120
> fill alice #1 BTC sell 1 @ 120 fee 0 maker
> fill bob #2 BTC buy 1 @ 120 fee 0 taker
index BTC 100
> marked BTC 100 index 100
buy bob BTC 1 @ 101
> accepted bob #3 BTC buy 1 @ 101
sell alice BTC 1 @ 104
> accepted alice #4 BTC sell 1 @ 104
index BTC 100
> marked BTC 102 index 100
cancel bob all
> cancelled bob #3 BTC buy 1 @ 101 user
cancel alice all
> cancelled alice #4 BTC sell 1 @ 104 user
index BTC 100
> marked BTC 102 index 100

story the mark by last trade stays where the last trade was
config unit
set markets.BTC.mark {"method": "last", "basis_samples": 1}
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 1 @ 103
> accepted alice #1 BTC sell 1 @ 103
buy bob BTC 1 @ 103
> accepted bob #2 BTC buy 1 @ 103
> fill alice #1 BTC sell 1 @ 103 fee 0 maker
> fill bob #2 BTC buy 1 @ 103 fee 0 taker
index BTC 90
> marked BTC 103 index 90
block BTC alice buys 1 @ 95 from bob
> fill alice BTC buy 1 @ 95 block
> fill bob BTC sell 1 @ 95 block
index BTC 91
> marked BTC 103 index 91

story an hour pays an eighth of the rate of eight hours, on the index (Hyperliquid)
# Impact bid 10100 and index 10000: a premium of 1 %, pulled to 0.95 %. 10 x 10000 x 0.0095 / 8 = 118.75, although the last trade and the mark are at 10100.
config unit
set markets.BTC.price_max 20000
set markets.BTC.mark {"method": "last", "basis_samples": 1}
set markets.BTC.funding {"first_ns": 3600000000000, "interval_ns": 3600000000000, "interest_ppb": 100000, "clamp_ppb": 500000, "cap_ppb": 40000000, "impact_qty": 1, "rate_period_ns": 28800000000000, "price": "index"}
given alice 200000
given bob 200000
index BTC 10000
> marked BTC 10000 index 10000
block BTC alice buys 10 @ 10000 from bob
> fill alice BTC buy 10 @ 10000 block
> fill bob BTC sell 10 @ 10000 block
at 1800s
buy alice BTC 2 @ 10100
> accepted alice #1 BTC buy 2 @ 10100
sell bob BTC 1 @ 10100
> accepted bob #2 BTC sell 1 @ 10100
> fill alice #1 BTC buy 1 @ 10100 fee 0 maker
> fill bob #2 BTC sell 1 @ 10100 fee 0 taker
index BTC 10000
> marked BTC 10100 index 10000
block BTC bob buys 1 @ 10100 from alice
> fill bob BTC buy 1 @ 10100 block
> fill alice BTC sell 1 @ 10100 block
at 3600s
pulse
> funding BTC rate 4500000 mark 10000
> paid alice BTC 57 on 10
> paid bob BTC -56 on -10

story votes of a minute are padded with zeros to a median, and samples to a mean (dYdX)
# First minute: votes 0, 4, 4 and 4 %, padded to five with one zero: median 4 %. Second minute: 4 and 4 %, and three zeros: 0. Of four samples
# the mean is 1 %. The cap is 2 (10 % - 5 %) = 10 %.
config unit
set markets.BTC.funding {"first_ns": 240000000000, "interval_ns": 240000000000, "interest_ppb": 0, "clamp_ppb": 0, "cap_ppb": 1000000000, "impact_qty": 1, "votes": {"period_ns": 60000000000, "votes_min": 5, "samples_min": 4}, "cap_margin_multiple": 2}
given alice 2000
given bob 2000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy alice BTC 1 @ 104
> accepted alice #1 BTC buy 1 @ 104
at 240s
index BTC 100
> funding BTC rate 0 mark 100
> marked BTC 100 index 100
at 241s
index BTC 100
> marked BTC 100 index 100
at 242s
index BTC 100
> marked BTC 100 index 100
at 299s
index BTC 100
> marked BTC 100 index 100
at 300s
index BTC 100
> marked BTC 100 index 100
at 301s
index BTC 100
> marked BTC 100 index 100
at 480s
pulse
> funding BTC rate 10000000 mark 100
> paid alice BTC 10 on 10
> paid bob BTC -10 on -10
cancel alice all
> cancelled alice #1 BTC buy 1 @ 104 user
buy alice BTC 1 @ 150
> accepted alice #2 BTC buy 1 @ 150
index BTC 100
> marked BTC 100 index 100
index BTC 100
> marked BTC 100 index 100
index BTC 100
> marked BTC 100 index 100
at 720s
pulse
> funding BTC rate 100000000 mark 100
> paid alice BTC 100 on 10
> paid bob BTC -100 on -10

story funding by an index moves by whole units of it, cut towards zero
# 0.19 % of 1000 is 1.9 ticks: one unit of one tick. 10 lots pay 10, not 19.
config unit
set markets.BTC.funding {"first_ns": 60000000000, "interval_ns": 60000000000, "interest_ppb": 1900000, "clamp_ppb": 1900000, "cap_ppb": 40000000, "impact_qty": 1, "accrual": {"units": 1, "ticks": 1}}
given alice 10000
given bob 10000
index BTC 1000
> marked BTC 1000 index 1000
block BTC alice buys 10 @ 1000 from bob
> fill alice BTC buy 10 @ 1000 block
> fill bob BTC sell 10 @ 1000 block
at 60s
pulse
> funding BTC rate 1900000 price 1000 units 1
> paid alice BTC 10 on 10
> paid bob BTC -10 on -10

story capped payers pay what they have, and receivers share it by lots
# 4 % of 1000 is 40. Alice has 108 - 70 = 38 and pays that; Dave pays 80. Of 118 for 30 lots 10 get 39 and 20 get 78; one unit stays. Each pass looks at every account, three in a step here.
config unit
set markets.BTC.liquidation {"enabled": false, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000}
set markets.BTC.funding {"first_ns": 60000000000, "interval_ns": 60000000000, "interest_ppb": 40000000, "clamp_ppb": 40000000, "cap_ppb": 40000000, "impact_qty": 1, "payers": "capped"}
set limits.funding_accounts_per_step 3
given alice 108
given bob 1000
given carol 1000
given dave 1000
index BTC 107
> marked BTC 107 index 107
block BTC alice buys 10 @ 107 from bob
> fill alice BTC buy 10 @ 107 block
> fill bob BTC sell 10 @ 107 block
block BTC dave buys 20 @ 107 from carol
> fill dave BTC buy 20 @ 107 block
> fill carol BTC sell 20 @ 107 block
index BTC 100
> marked BTC 100 index 100
at 60s
pulse
> funding BTC rate 40000000 mark 100
> paid alice BTC 38 on 10
pulse
> paid dave BTC 80 on 20
deposit alice 1 USD
> paid bob BTC -39 on -10
> paid carol BTC -78 on -20
> deposited alice 1 USD
check alice balance 71
check users USD 3108
