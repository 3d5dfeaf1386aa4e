# Inverse and quanto contracts. The first asset is a coin; a lot of BTC is worth 1,000,000 / price of its minor units, counted in ten
# thousandths, so 1000 at 1000. GOLD is valued by ETH, whose price is in the coin.

story an inverse position wins by one over the price, and what rounding leaves goes to its own account
# At 1100 a lot is worth 909.0909. Alice's ten owe 9090.909 instead of 10000: 909 up, rounded down; Bob's ten are worth 9090 and cost 10000.
# Four lots closed realise 363.6364: 363 are paid, the rest stays in what she paid; Bob pays 363.6364, rounded to 364. The other six: 546.0910
# and -545.0910, down to 546 and -546: 910 and 9090 parts are left, together one minor unit.
config unit
set markets.BTC.tick_value 0
set markets.BTC.contract {"type": "inverse", "face": 1000000, "scale": 10000, "price_min": 100}
set assets.GOLD.collateral.market 1
given alice 2000
given bob 2000
index BTC 1000
> marked BTC 1000 index 1000
block BTC alice buys 10 @ 1000 from bob
> fill alice BTC buy 10 @ 1000 block
> fill bob BTC sell 10 @ 1000 block
check alice cost BTC -100000000
check bob cost BTC 100000000
index BTC 1100
> marked BTC 1100 index 1100
check alice equity 2909
check bob equity 1090
block BTC bob buys 4 @ 1100 from alice
> fill bob BTC buy 4 @ 1100 block
> fill alice BTC sell 4 @ 1100 block
check alice balance 2363
check bob balance 1636
check alice cost BTC -60006364
check bob cost BTC 59996364
block BTC bob buys 6 @ 1100 from alice
> fill bob BTC buy 6 @ 1100 block
> fill alice BTC sell 6 @ 1100 block
check alice balance 2909
check bob balance 1090
check users USD 3999
check rounding BTC 1

story the bankruptcy price of an inverse long is its entry times leverage over leverage and one
# Ten lots worth 10000 with 1000 behind them: 1000 x 10 / 11 = 909.09, up to 910. At 950 a lot is worth 1052.6315 (of 10526.315 Alice owes 10527):
# equity 473, maintenance 5 % of 10527, 527 (at 955 still 528 of 524). Carol's bid at 912 is better: a lot is 1096.4912 there, so 964.912 are lost, 965.
config unit
set markets.BTC.tick_value 0
set markets.BTC.contract {"type": "inverse", "face": 1000000, "scale": 10000, "price_min": 100}
set assets.GOLD.collateral.market 1
given alice 1000
given bob 2000
given carol 2000
index BTC 1000
> marked BTC 1000 index 1000
block BTC alice buys 10 @ 1000 from bob
> fill alice BTC buy 10 @ 1000 block
> fill bob BTC sell 10 @ 1000 block
buy carol BTC 10 @ 912
> accepted carol #1 BTC buy 10 @ 912
index BTC 955
> marked BTC 955 index 955
index BTC 950
> marked BTC 950 index 950
> liquidation alice equity 473 below 527
> closing alice #2 BTC sell 10 @ 910 bankruptcy 910 own
> fill carol #1 BTC buy 10 @ 912 fee 0 maker
> fill alice #2 BTC sell 10 @ 912 fee 0 closing
> ended alice closed equity 35
check alice balance 35

story the bankruptcy price of an inverse short is its entry times leverage over leverage less one
# 1000 x 10 / 9 = 1111.11, down to 1111. At 1056 a lot is worth 946.9696: Alice's 9469 cost 10000, equity 469 below 5 % of 9469, 474. Carol sells at 1108: 902.5270.
config unit
set markets.BTC.tick_value 0
set markets.BTC.contract {"type": "inverse", "face": 1000000, "scale": 10000, "price_min": 100}
set assets.GOLD.collateral.market 1
given alice 1000
given bob 2000
given carol 2000
index BTC 1000
> marked BTC 1000 index 1000
block BTC bob buys 10 @ 1000 from alice
> fill bob BTC buy 10 @ 1000 block
> fill alice BTC sell 10 @ 1000 block
sell carol BTC 10 @ 1108
> accepted carol #1 BTC sell 10 @ 1108
index BTC 1056
> marked BTC 1056 index 1056
> liquidation alice equity 469 below 474
> closing alice #2 BTC buy 10 @ 1111 bankruptcy 1111 own
> fill carol #1 BTC sell 10 @ 1108 fee 0 maker
> fill alice #2 BTC buy 10 @ 1108 fee 0 closing
> ended alice closed equity 25
check alice balance 25

story an inverse long beyond bankruptcy is closed against a short, who gives up the way to the mark
# At 900 a lot is worth 1111.1111: Alice owes 11112 of 10000, equity -112, maintenance 556. A debt of 112 moves a lot's worth back by 11.2 to 1099.9111: 909.16, up
# to 910, where it is 1098.9010. Bob closes at that price: 10989.01 - 10000 = 989, and gives up ten times 1111.1111 - 1098.9010, 122. Alice keeps 1000 - 990.
config unit
set markets.BTC.tick_value 0
set markets.BTC.contract {"type": "inverse", "face": 1000000, "scale": 10000, "price_min": 100}
set assets.GOLD.collateral.market 1
given alice 1000
given bob 2000
index BTC 1000
> marked BTC 1000 index 1000
block BTC alice buys 10 @ 1000 from bob
> fill alice BTC buy 10 @ 1000 block
> fill bob BTC sell 10 @ 1000 block
index BTC 900
> marked BTC 900 index 900
> liquidation alice equity -112 below 556
> closing alice #1 BTC sell 10 @ 910 bankruptcy 910 own
> cancelled alice #1 BTC sell 10 @ 910 rest
> adl alice BTC sell 10 @ 910
> adl-fill bob BTC buy 10 @ 910 gives 122
> ended alice closed equity 10
check alice balance 10
check bob balance 2989
check rounding BTC 1

story an inverse short beyond bankruptcy is sold into the book while the fund pays, rounded up
# At 1200 a lot is worth 833.3333: Alice's 8333 cost 10000, equity -667, maintenance 417. A debt of 667 moves its worth to 900.0333: 1111.06, down to 1111, where
# it is 900.0900. Carol's offer at 1210, worth 826.4462, costs the fund 736.438, 737.
config unit
set markets.BTC.tick_value 0
set markets.BTC.contract {"type": "inverse", "face": 1000000, "scale": 10000, "price_min": 100}
set assets.GOLD.collateral.market 1
given alice 1000
given bob 2000
given carol 2000
fund main 800
> funded main 800
index BTC 1000
> marked BTC 1000 index 1000
block BTC bob buys 10 @ 1000 from alice
> fill bob BTC buy 10 @ 1000 block
> fill alice BTC sell 10 @ 1000 block
sell carol BTC 10 @ 1210
> accepted carol #1 BTC sell 10 @ 1210
index BTC 1200
> marked BTC 1200 index 1200
> liquidation alice equity -667 below 417
> closing alice #2 BTC buy 10 @ 1111 bankruptcy 1111 own
> cancelled alice #2 BTC buy 10 @ 1111 rest
> closing alice #3 BTC buy 10 @ 1320 bankruptcy 1111 backed
> fill carol #1 BTC sell 10 @ 1210 fee 0 maker
> fill alice #3 BTC buy 10 @ 1210 fee 0 closing
> fund-paid main alice BTC 737
> ended alice closed equity 1
check alice balance 1
check funds 63

story funding of an inverse market is paid in the coin, and its remainder stays with the venue
# 0.1 % of 300 x 909.0909 / 1000: at 1100 Alice's thirty lots owe 27.272, up to 28; Bob's ten and Carol's twenty get 9.09 and 18.18, down.
config unit
set markets.BTC.tick_value 0
set markets.BTC.contract {"type": "inverse", "face": 1000000, "scale": 10000, "price_min": 100}
set assets.GOLD.collateral.market 1
set markets.BTC.funding {"first_ns": 60000000000, "interval_ns": 60000000000, "interest_ppb": 1000000, "clamp_ppb": 1000000, "cap_ppb": 40000000, "impact_qty": 1}
given alice 10000
given bob 10000
given carol 10000
index BTC 1100
> marked BTC 1100 index 1100
block BTC alice buys 10 @ 1100 from bob
> fill alice BTC buy 10 @ 1100 block
> fill bob BTC sell 10 @ 1100 block
block BTC alice buys 20 @ 1100 from carol
> fill alice BTC buy 20 @ 1100 block
> fill carol BTC sell 20 @ 1100 block
at 60s
pulse
> funding BTC rate 1000000 mark 1100
> paid alice BTC 28 on 30
> paid bob BTC -9 on -10
> paid carol BTC -18 on -20

story no price of an inverse market is below its lowest one
config unit
set markets.BTC.tick_value 0
set markets.BTC.contract {"type": "inverse", "face": 1000000, "scale": 10000, "price_min": 100}
set assets.GOLD.collateral.market 1
given alice 10000
index BTC 99
> refused index PriceOutOfRange
index BTC 100
> marked BTC 100 index 100
buy alice BTC 1 @ 99
> refused place PriceOutOfRange
buy alice BTC 1 @ 100
> accepted alice #1 BTC buy 1 @ 100

story a quanto lot is worth its price times a multiplier, whatever currency the price is in
# Seven tenths of a minor unit per tick: from 1001 to 1013 Alice's three lots win 25.2, 25 of it counted and paid, and Bob's lose 26. At 1001 they are worth 2102.1.
config unit
set markets.BTC.tick_value 0
set markets.BTC.contract {"type": "quanto", "multiplier": 7, "scale": 10}
given alice 1000
given bob 1000
index BTC 1001
> marked BTC 1001 index 1001
block BTC alice buys 3 @ 1001 from bob
> fill alice BTC buy 3 @ 1001 block
> fill bob BTC sell 3 @ 1001 block
check alice cost BTC 21021
index BTC 1013
> marked BTC 1013 index 1013
check alice equity 1024
check bob equity 974
block BTC bob buys 3 @ 1013 from alice
> fill bob BTC buy 3 @ 1013 block
> fill alice BTC sell 3 @ 1013 block
check alice balance 1025
check bob balance 974
check rounding BTC 1

story what the fund backs is not sold below the lowest price of an inverse market
# As above at 900: bankruptcy 910. A tenth below the mark would be 810; the market has no price below 880. Carol's bid at 890, where a lot is worth 1123.5955, costs
# the fund ten times 24.6945: 246.945, 247. Alice loses 1235.955, 1236.
config unit
set markets.BTC.tick_value 0
set markets.BTC.contract {"type": "inverse", "face": 1000000, "scale": 10000, "price_min": 880}
set assets.GOLD.collateral.market 1
given alice 1000
given bob 2000
given carol 2000
fund main 800
> funded main 800
index BTC 1000
> marked BTC 1000 index 1000
block BTC alice buys 10 @ 1000 from bob
> fill alice BTC buy 10 @ 1000 block
> fill bob BTC sell 10 @ 1000 block
buy carol BTC 10 @ 890
> accepted carol #1 BTC buy 10 @ 890
index BTC 900
> marked BTC 900 index 900
> liquidation alice equity -112 below 556
> closing alice #2 BTC sell 10 @ 910 bankruptcy 910 own
> cancelled alice #2 BTC sell 10 @ 910 rest
> closing alice #3 BTC sell 10 @ 880 bankruptcy 910 backed
> fill carol #1 BTC buy 10 @ 890 fee 0 maker
> fill alice #3 BTC sell 10 @ 890 fee 0 closing
> fund-paid main alice BTC 247
> ended alice closed equity 11
