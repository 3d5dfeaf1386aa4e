# Auto-deleveraging with bands of size and rank, a cooldown, exemptions and carried fractions. Longs go bankrupt at 85, at a bankruptcy price of 90;
# each lot then costs a winner 5 against the mark.

story a size band closes a share of a position in a time, and then in the next
# Half of 6 and half of 4 in the first 10 s, half of 3 and of 2, rounded down, in the next.
config unit
set markets.BTC.adl {"enabled": true, "method": "queue", "price": "bankruptcy", "band_ppm": null, "size_band": {"share_ppm": 500000, "window_ns": 10000000000}}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 6 @ 100 from bob
> fill alice BTC buy 6 @ 100 block
> fill bob BTC sell 6 @ 100 block
block BTC alice buys 4 @ 100 from carol
> fill alice BTC buy 4 @ 100 block
> fill carol BTC sell 4 @ 100 block
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -50 below 43
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 10 @ 90 rest
> adl alice BTC sell 10 @ 90
> adl-fill bob BTC buy 3 @ 90 gives 15
> adl-fill carol BTC buy 2 @ 90 gives 10
> adl-rest alice BTC 5
at 9s
pulse
> closing alice #2 BTC sell 5 @ 90 bankruptcy 90 own
> cancelled alice #2 BTC sell 5 @ 90 rest
> adl alice BTC sell 5 @ 90
> adl-rest alice BTC 5
at 10s
index BTC 85
> marked BTC 85 index 85
> closing alice #3 BTC sell 5 @ 90 bankruptcy 90 own
> cancelled alice #3 BTC sell 5 @ 90 rest
> adl alice BTC sell 5 @ 90
> adl-fill bob BTC buy 1 @ 90 gives 5
> adl-fill carol BTC buy 1 @ 90 gives 5
> adl-rest alice BTC 3

story bands of the ranking give one after the other, in proportion inside
# By leverage Bob, Carol, Dave, Erin; two bands of two. The first gives all its 4 lots, of the other 2 Dave has 1.33 and Erin 0.67.
config unit
set markets.BTC.adl {"enabled": true, "method": "rank_bands", "price": "bankruptcy", "band_ppm": null, "lights": {"method": "equal_count", "levels": 2}}
given alice 60
given bob 300
given carol 400
given dave 1000
given erin 5000
given frank 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 2 @ 100 from bob
> fill alice BTC buy 2 @ 100 block
> fill bob BTC sell 2 @ 100 block
block BTC alice buys 4 @ 100 from dave
> fill alice BTC buy 4 @ 100 block
> fill dave BTC sell 4 @ 100 block
block BTC frank buys 2 @ 100 from carol
> fill frank BTC buy 2 @ 100 block
> fill carol BTC sell 2 @ 100 block
block BTC frank buys 2 @ 100 from erin
> fill frank BTC buy 2 @ 100 block
> fill erin BTC sell 2 @ 100 block
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -30 below 26
> closing alice #1 BTC sell 6 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 6 @ 90 rest
> adl alice BTC sell 6 @ 90
> adl-fill bob BTC buy 2 @ 90 gives 10
> adl-fill carol BTC buy 2 @ 90 gives 10
> adl-fill dave BTC buy 1 @ 90 gives 5
> adl-fill erin BTC buy 1 @ 90 gives 5
> ended alice closed equity 0

story the bankrupt's own group may be left alone, and only for itself
# Bob is first in the queue and of Alice's group. For Dave he is first still.
config unit
set markets.BTC.adl {"enabled": true, "method": "queue", "price": "bankruptcy", "band_ppm": null, "exempt": ["group"]}
open group 7 ann
> opened ann
open group 7 bob
> opened bob
given carol 1000
given dave 30
deposit ann 100 USD
> deposited ann 100 USD
deposit bob 400 USD
> deposited bob 400 USD
index BTC 100
> marked BTC 100 index 100
block BTC ann buys 4 @ 100 from bob
> fill ann BTC buy 4 @ 100 block
> fill bob BTC sell 4 @ 100 block
block BTC ann buys 6 @ 100 from carol
> fill ann BTC buy 6 @ 100 block
> fill carol BTC sell 6 @ 100 block
block BTC dave buys 3 @ 100 from bob
> fill dave BTC buy 3 @ 100 block
> fill bob BTC sell 3 @ 100 block
index BTC 85
> marked BTC 85 index 85
> liquidation ann equity -50 below 43
> liquidation dave equity -15 below 13
> closing ann #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled ann #1 BTC sell 10 @ 90 rest
> adl ann BTC sell 10 @ 90
> adl-fill carol BTC buy 6 @ 90 gives 30
> adl-rest ann BTC 4
pulse
> closing dave #2 BTC sell 3 @ 90 bankruptcy 90 own
> cancelled dave #2 BTC sell 3 @ 90 rest
> adl dave BTC sell 3 @ 90
> adl-fill bob BTC buy 3 @ 90 gives 15
> ended dave closed equity 0

story a cooldown stands between two rounds of a market
config unit
set limits.liquidation_rounds_per_step 16
set markets.BTC.adl {"enabled": true, "method": "queue", "price": "bankruptcy", "band_ppm": null, "cooldown_ns": 30000000000}
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
> closing dave #2 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled dave #2 BTC sell 10 @ 90 rest
> limited dave BTC cooldown 10
at 29s
index BTC 85
> marked BTC 85 index 85
> closing dave #3 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled dave #3 BTC sell 10 @ 90 rest
> limited dave BTC cooldown 10
at 30s
index BTC 85
> marked BTC 85 index 85
> closing dave #4 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled dave #4 BTC sell 10 @ 90 rest
> adl dave BTC sell 10 @ 90
> adl-fill bob BTC buy 10 @ 90 gives 50
> ended dave closed equity 0

story fractions that are carried make a second small round fair
# Bob has 20 lots, Carol 10. One lot is 0.67 and 0.33: Bob's, who then carries -0.33 and Carol 0.33. The next is 0.66 and 0.34, so 0.32 and 0.68: Carol's.
config unit
set markets.BTC.adl {"enabled": true, "method": "pro_rata", "price": "bankruptcy", "band_ppm": null, "carry": true}
given alice 10
given bob 1000
given carol 1000
given dave 10
given erin 5000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 1 @ 100 from bob
> fill alice BTC buy 1 @ 100 block
> fill bob BTC sell 1 @ 100 block
block BTC dave buys 1 @ 100 from bob
> fill dave BTC buy 1 @ 100 block
> fill bob BTC sell 1 @ 100 block
block BTC erin buys 18 @ 100 from bob
> fill erin BTC buy 18 @ 100 block
> fill bob BTC sell 18 @ 100 block
block BTC erin buys 10 @ 100 from carol
> fill erin BTC buy 10 @ 100 block
> fill carol BTC sell 10 @ 100 block
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -5 below 5
> liquidation dave equity -5 below 5
> closing alice #1 BTC sell 1 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 1 @ 90 rest
> adl alice BTC sell 1 @ 90
> adl-fill bob BTC buy 1 @ 90 gives 5
> ended alice closed equity 0
pulse
> closing dave #2 BTC sell 1 @ 90 bankruptcy 90 own
> cancelled dave #2 BTC sell 1 @ 90 rest
> adl dave BTC sell 1 @ 90
> adl-fill carol BTC buy 1 @ 90 gives 5
> ended dave closed equity 0
