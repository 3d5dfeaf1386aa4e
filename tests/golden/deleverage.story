# Rules of auto-deleveraging (ADL): order, shares, prices, haircuts. The stories of adl.story show the queue and its bands.

story the documented ratio of Hyperliquid takes the short with less profit first
# At 80 Alice has 100 + 800 - 950 = -50: bankruptcy price 80 + 5. Bob is short 5 from 100: 400/500 x 400/1100 = 0.29. Carol from 90:
# 400/450 x 400/1050 = 0.34, though her profit is half of his.
config unit
set markets.BTC.adl {"enabled": true, "method": "queue", "price": "bankruptcy", "band_ppm": null, "score": "price_ratio_literal"}
set markets.BTC.liquidation.slice_ppm 500000
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
block BTC alice buys 5 @ 90 from carol
> fill alice BTC buy 5 @ 90 block
> fill carol BTC sell 5 @ 90 block
index BTC 80
> marked BTC 80 index 80
> liquidation alice equity -50 below 40
> closing alice #1 BTC sell 5 @ 85 bankruptcy 85 own
> cancelled alice #1 BTC sell 5 @ 85 rest
> adl alice BTC sell 5 @ 85
> adl-fill carol BTC buy 5 @ 85 gives 25

story with the side in it the ratio takes the greater profit first
# Entry over equity: Bob 500/1100 = 0.45, Carol 450/1050 = 0.43.
config unit
set markets.BTC.adl {"enabled": true, "method": "queue", "price": "bankruptcy", "band_ppm": null, "score": "price_ratio_signed"}
set markets.BTC.liquidation.slice_ppm 500000
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
block BTC alice buys 5 @ 90 from carol
> fill alice BTC buy 5 @ 90 block
> fill carol BTC sell 5 @ 90 block
index BTC 80
> marked BTC 80 index 80
> liquidation alice equity -50 below 40
> closing alice #1 BTC sell 5 @ 85 bankruptcy 85 own
> cancelled alice #1 BTC sell 5 @ 85 rest
> adl alice BTC sell 5 @ 85
> adl-fill bob BTC buy 5 @ 85 gives 25

story Binance's score weighs profit by the margin ratio of the whole account
# One unit is 1. Bob: 100/1000 x 20/1100 = 0.0018. Carol: 50/1000 x 20/1050 = 0.00095, until 10 ETH short from 100 bring her
# requirement to 20 + 50: 50/1000 x 70/1050 = 0.0033.
config unit
set markets.BTC.adl {"enabled": true, "method": "queue", "price": "bankruptcy", "band_ppm": null, "score": "profit_margin_ratio"}
set markets.BTC.liquidation.slice_ppm 500000
given dave 10000
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
block BTC alice buys 5 @ 90 from carol
> fill alice BTC buy 5 @ 90 block
> fill carol BTC sell 5 @ 90 block
index ETH 100
> marked ETH 100 index 100
block ETH dave buys 10 @ 100 from carol
> fill dave ETH buy 10 @ 100 block
> fill carol ETH sell 10 @ 100 block
index BTC 80
> marked BTC 80 index 80
> liquidation alice equity -50 below 40
> closing alice #1 BTC sell 5 @ 85 bankruptcy 85 own
> cancelled alice #1 BTC sell 5 @ 85 rest
> adl alice BTC sell 5 @ 85
> adl-fill carol BTC buy 5 @ 85 gives 25

story where everyone is eligible a loser follows the winners, and a loss with less leverage comes later
# Alice's 10 lots go to Bob, who has a profit of 100, and then to a loser. Dave and Erin are short 5 from 75 against Frank: at 80 both have lost
# 25 of 375, with leverages 400/975 and 400/175. Divided by them, Erin's loss counts for less: she is next.
config unit
set markets.BTC.adl {"enabled": true, "method": "queue", "price": "bankruptcy", "band_ppm": null, "eligible": "anyone"}
given alice 150
given bob 1000
given dave 1000
given erin 200
given frank 2000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
block BTC alice buys 5 @ 100 from frank
> fill alice BTC buy 5 @ 100 block
> fill frank BTC sell 5 @ 100 block
block BTC frank buys 5 @ 75 from dave
> fill frank BTC buy 5 @ 75 block
> fill dave BTC sell 5 @ 75 block
block BTC frank buys 5 @ 75 from erin
> fill frank BTC buy 5 @ 75 block
> fill erin BTC sell 5 @ 75 block
index BTC 80
> marked BTC 80 index 80
> liquidation alice equity -50 below 40
> closing alice #1 BTC sell 10 @ 85 bankruptcy 85 own
> cancelled alice #1 BTC sell 10 @ 85 rest
> adl alice BTC sell 10 @ 85
> adl-fill bob BTC buy 5 @ 85 gives 25
> adl-fill erin BTC buy 5 @ 85 gives 25
> ended alice closed equity 0

story only positions that realise no loss, where the rule says so
# The transfer price is 85. Carol went short at 84: a profit at the mark of 80, and a loss at 85. Bob closes 5, the rest stays.
config unit
set markets.BTC.adl {"enabled": true, "method": "queue", "price": "bankruptcy", "band_ppm": null, "eligible": "realising"}
given alice 70
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
block BTC alice buys 5 @ 84 from carol
> fill alice BTC buy 5 @ 84 block
> fill carol BTC sell 5 @ 84 block
index BTC 80
> marked BTC 80 index 80
> liquidation alice equity -50 below 40
> closing alice #1 BTC sell 10 @ 85 bankruptcy 85 own
> cancelled alice #1 BTC sell 10 @ 85 rest
> adl alice BTC sell 10 @ 85
> adl-fill bob BTC buy 5 @ 85 gives 25
> adl-rest alice BTC 5

story a round takes a fraction of each position and no more
# Half of Bob's 5 is 2, half of Carol's 5 is 2. Both are passed over then, so the next round makes a new ranking, of 3 lots each.
config unit
set markets.BTC.adl {"enabled": true, "method": "queue", "price": "bankruptcy", "band_ppm": null, "fraction_ppm": 500000}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
block BTC alice buys 5 @ 90 from carol
> fill alice BTC buy 5 @ 90 block
> fill carol BTC sell 5 @ 90 block
index BTC 80
> marked BTC 80 index 80
> liquidation alice equity -50 below 40
> closing alice #1 BTC sell 10 @ 85 bankruptcy 85 own
> cancelled alice #1 BTC sell 10 @ 85 rest
> adl alice BTC sell 10 @ 85
> adl-fill bob BTC buy 2 @ 85 gives 10
> adl-fill carol BTC buy 2 @ 85 gives 10
> adl-rest alice BTC 6
pulse
> closing alice #2 BTC sell 6 @ 85 bankruptcy 85 own
> cancelled alice #2 BTC sell 6 @ 85 rest
> adl alice BTC sell 6 @ 85
> adl-fill bob BTC buy 1 @ 85 gives 5
> adl-fill carol BTC buy 1 @ 85 gives 5
> adl-rest alice BTC 4

story Webster's method gives the small account a lot where largest remainder does not
# 6 of 31 lots over 19, 3 and 9: largest remainder 4, 0, 2; one lot at a time to the least (2 k + 1) / weight 3, 1, 2.
config unit
set markets.BTC.adl {"enabled": true, "method": "webster", "price": "bankruptcy", "band_ppm": null}
set markets.BTC.liquidation.slice_ppm 190000
set markets.BTC.tiers [{"lower": 0, "initial_ppm": 20000, "maintenance_ppm": 10000}]
given alice 310
given bob 5000
given carol 5000
given dave 5000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 19 @ 100 from bob
> fill alice BTC buy 19 @ 100 block
> fill bob BTC sell 19 @ 100 block
block BTC alice buys 3 @ 100 from carol
> fill alice BTC buy 3 @ 100 block
> fill carol BTC sell 3 @ 100 block
block BTC alice buys 9 @ 100 from dave
> fill alice BTC buy 9 @ 100 block
> fill dave BTC sell 9 @ 100 block
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -155 below 27
> closing alice #1 BTC sell 6 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 6 @ 90 rest
> adl alice BTC sell 6 @ 90
> adl-fill bob BTC buy 3 @ 90 gives 15
> adl-fill carol BTC buy 1 @ 90 gives 5
> adl-fill dave BTC buy 2 @ 90 gives 10

story lots by profit where the greatest burden counts
# At 80 the price is 85, a lot costs 5. Profits are Bob's 100 and Carol's 50. Of 5 lots 3 and 2 burden them with 0.15 and 0.2; 4 and 1
# with 0.2 and 0.1: a tie at 0.2 for the last lot goes to Bob.
config unit
set markets.BTC.adl {"enabled": true, "method": "min_max", "price": "bankruptcy", "band_ppm": null, "weight": "profit"}
set markets.BTC.liquidation.slice_ppm 500000
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
block BTC alice buys 5 @ 90 from carol
> fill alice BTC buy 5 @ 90 block
> fill carol BTC sell 5 @ 90 block
index BTC 80
> marked BTC 80 index 80
> liquidation alice equity -50 below 40
> closing alice #1 BTC sell 5 @ 85 bankruptcy 85 own
> cancelled alice #1 BTC sell 5 @ 85 rest
> adl alice BTC sell 5 @ 85
> adl-fill bob BTC buy 4 @ 85 gives 20
> adl-fill carol BTC buy 1 @ 85 gives 5

story lots that a hedge covers are closed last
# Bob and Carol are short 5 BTC each; Bob is long 5 ETH, and one ETH stands for one BTC. The 5 lots of the round come from Carol, the
# next 5 from Bob.
config unit
set markets.BTC.adl {"enabled": true, "method": "hedge_aware", "price": "bankruptcy", "band_ppm": null, "hedges": [{"market": 1, "lots_ppm": 1000000}]}
set markets.BTC.liquidation.slice_ppm 500000
set markets.BTC.liquidation.slice_qty_min 5
given dave 10000
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
block BTC alice buys 5 @ 90 from carol
> fill alice BTC buy 5 @ 90 block
> fill carol BTC sell 5 @ 90 block
index ETH 10
> marked ETH 10 index 10
block ETH bob buys 5 @ 10 from dave
> fill bob ETH buy 5 @ 10 block
> fill dave ETH sell 5 @ 10 block
index BTC 80
> marked BTC 80 index 80
> liquidation alice equity -50 below 40
> closing alice #1 BTC sell 5 @ 85 bankruptcy 85 own
> cancelled alice #1 BTC sell 5 @ 85 rest
> adl alice BTC sell 5 @ 85
> adl-fill carol BTC buy 5 @ 85 gives 25
pulse
> closing alice #2 BTC sell 5 @ 85 bankruptcy 85 own
> cancelled alice #2 BTC sell 5 @ 85 rest
> adl alice BTC sell 5 @ 85
> adl-fill bob BTC buy 5 @ 85 gives 25
> ended alice closed equity 0

story an offset is at the bankrupt account's own quote, which no tick rounds
# At 80 Alice has 20 + 400 - 453 = -33. For 2 of her 5 lots she must receive their value 160 and 13.2, up: 174; Bob pays it. Then she has -19, and
# 259 from Carol for the other 3, worth 240, leave nothing. A price in ticks, 87, would have taken 35 from both; the fills show it.
config unit
set markets.BTC.adl {"enabled": true, "method": "offset", "price": "bankruptcy", "band_ppm": null}
given alice 20
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 2 @ 99 from bob
> fill alice BTC buy 2 @ 99 block
> fill bob BTC sell 2 @ 99 block
block BTC alice buys 3 @ 85 from carol
> fill alice BTC buy 3 @ 85 block
> fill carol BTC sell 3 @ 85 block
index BTC 80
> marked BTC 80 index 80
> liquidation alice equity -33 below 20
> closing alice #1 BTC sell 5 @ 87 bankruptcy 87 own
> cancelled alice #1 BTC sell 5 @ 87 rest
> adl alice BTC sell 5 @ 87
> adl-fill bob BTC buy 2 @ 87 gives 14
> adl-fill carol BTC buy 3 @ 87 gives 19
> ended alice closed equity 0

story an offset passes over a winner whose own quote is not met
# At 60 Alice has -300 and must receive 90 a lot. Bob has 45 + 200 = 245 with ETH beside it; half of the requirement is for BTC: for 5 lots he pays
# at most 300 + 122, and 450 is asked. Carol has 1200 and pays. Bob's part stays open.
config unit
set markets.BTC.adl {"enabled": true, "method": "offset", "price": "bankruptcy", "band_ppm": null}
given alice 100
given bob 250
given carol 1000
given dave 10000
index BTC 100
> marked BTC 100 index 100
index ETH 100
> marked ETH 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
block BTC alice buys 5 @ 100 from carol
> fill alice BTC buy 5 @ 100 block
> fill carol BTC sell 5 @ 100 block
block ETH bob buys 5 @ 100 from dave
> fill bob ETH buy 5 @ 100 block
> fill dave ETH sell 5 @ 100 block
index ETH 59
> marked ETH 59 index 59
index BTC 60
> marked BTC 60 index 60
> liquidation alice equity -300 below 30
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 10 @ 90 rest
> adl alice BTC sell 10 @ 90
> adl-fill carol BTC buy 5 @ 90 gives 150
> adl-rest alice BTC 5

story what is left is closed at the mark for an account that is still solvent
# At 92 Alice has 100 + 920 - 1000 = 20, less than the requirement of 46, and no bid comes. With the trigger `unfilled` an offset at the
# mark closes her and leaves her the 20.
config unit
set markets.BTC.adl {"enabled": true, "method": "offset", "price": "mark", "band_ppm": null, "trigger": "unfilled"}
given alice 100
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
index BTC 92
> marked BTC 92 index 92
> liquidation alice equity 20 below 46
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 10 @ 90 rest
> adl alice BTC sell 10 @ 92
> adl-fill bob BTC buy 10 @ 92 gives 0
> ended alice closed equity 20

story a price at the index
# The mark is the last trade, 80; the index is 84. Bob, who is short 11 by then, gives up 4 a lot; Alice's bankruptcy price is 85, so a lot lacks
# 1, which the fund has for 7 lots.
config unit
set markets.BTC.mark.method "last"
set markets.BTC.adl {"enabled": true, "method": "queue", "price": "index", "band_ppm": null}
given alice 150
given bob 1000
given carol 1000
fund main 7
> funded main 7
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 1 @ 80
> accepted carol #1 BTC buy 1 @ 80
sell bob BTC 1 @ 80
> accepted bob #2 BTC sell 1 @ 80
> fill carol #1 BTC buy 1 @ 80 fee 0 maker
> fill bob #2 BTC sell 1 @ 80 fee 0 taker
index BTC 84
> marked BTC 80 index 84
> liquidation alice equity -50 below 40
> closing alice #3 BTC sell 10 @ 85 bankruptcy 85 own
> cancelled alice #3 BTC sell 10 @ 85 rest
> closing alice #4 BTC sell 10 @ 72 bankruptcy 85 backed
> cancelled alice #4 BTC sell 10 @ 72 rest
> adl alice BTC sell 10 @ 84
> adl-fill bob BTC buy 7 @ 84 gives 28
> fund-paid main alice BTC 7
> adl-rest alice BTC 3

story a close that would push profits below the correction floor is not made
# At 80 the shorts' profit is 150 on a notional of 800: 0.1875. Bob's 5 lots take 100 of it and leave 50 / 800 = 0.0625, below 0.1. Nothing is closed.
config unit
set markets.BTC.adl {"enabled": true, "method": "queue", "price": "bankruptcy", "band_ppm": null, "correction_floor_ppm": 100000}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
block BTC alice buys 5 @ 90 from carol
> fill alice BTC buy 5 @ 90 block
> fill carol BTC sell 5 @ 90 block
index BTC 80
> marked BTC 80 index 80
> liquidation alice equity -50 below 40
> closing alice #1 BTC sell 10 @ 85 bankruptcy 85 own
> cancelled alice #1 BTC sell 10 @ 85 rest
> adl alice BTC sell 10 @ 85
> adl-rest alice BTC 10

story a close down to the correction floor is made
# As before with the floor at 0.0625: Bob's close stands, Carol's would leave nothing.
config unit
set markets.BTC.adl {"enabled": true, "method": "queue", "price": "bankruptcy", "band_ppm": null, "correction_floor_ppm": 62500}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
block BTC alice buys 5 @ 90 from carol
> fill alice BTC buy 5 @ 90 block
> fill carol BTC sell 5 @ 90 block
index BTC 80
> marked BTC 80 index 80
> liquidation alice equity -50 below 40
> closing alice #1 BTC sell 10 @ 85 bankruptcy 85 own
> cancelled alice #1 BTC sell 10 @ 85 rest
> adl alice BTC sell 10 @ 85
> adl-fill bob BTC buy 5 @ 85 gives 25
> adl-rest alice BTC 5

story a gains haircut takes profit in proportion and leaves positions open
# The deficit of 10 lots is 50. Profits 100 and 50: 33.3 and 16.7, the last unit to the larger fraction. Entry costs rise by it, so that at 79 the
# profits are 72 and 38: a deficit of 10 is 6.5 and 3.5 of them. Alice has nothing each time, and her position.
config unit
set markets.BTC.adl {"enabled": true, "method": "haircut_pro_rata", "price": "bankruptcy", "band_ppm": null}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
block BTC alice buys 5 @ 90 from carol
> fill alice BTC buy 5 @ 90 block
> fill carol BTC sell 5 @ 90 block
index BTC 80
> marked BTC 80 index 80
> liquidation alice equity -50 below 40
> closing alice #1 BTC sell 10 @ 85 bankruptcy 85 own
> cancelled alice #1 BTC sell 10 @ 85 rest
> adl alice BTC sell 10 @ 85
> adl-haircut bob BTC 33
> adl-haircut carol BTC 17
> adl-rest alice BTC 10
check bob position BTC -5
check bob cost BTC -467
check carol cost BTC -433
check bob equity 1067
check alice equity 0
index BTC 79
> marked BTC 79 index 79
> closing alice #2 BTC sell 10 @ 80 bankruptcy 80 own
> cancelled alice #2 BTC sell 10 @ 80 rest
> adl alice BTC sell 10 @ 80
> adl-haircut bob BTC 7
> adl-haircut carol BTC 3
> adl-rest alice BTC 10
check alice equity 0

story a haircut weighs profit by leverage where the rule says so
# Leverages: Bob 400/1100 = 0.363636, squared 132,231 ppm; Carol 400/150 = 2.666666, squared 7,111,107. Of 50 that is 1.79 and 48.21.
config unit
set markets.BTC.adl {"enabled": true, "method": "haircut_pro_rata", "price": "bankruptcy", "band_ppm": null, "risk": {"type": "power", "exponent": 1}}
given alice 100
given bob 1000
given carol 100
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
block BTC alice buys 5 @ 90 from carol
> fill alice BTC buy 5 @ 90 block
> fill carol BTC sell 5 @ 90 block
index BTC 80
> marked BTC 80 index 80
> liquidation alice equity -50 below 40
> closing alice #1 BTC sell 10 @ 85 bankruptcy 85 own
> cancelled alice #1 BTC sell 10 @ 85 rest
> adl alice BTC sell 10 @ 85
> adl-haircut bob BTC 2
> adl-haircut carol BTC 48
> adl-rest alice BTC 10

story a queued haircut takes one profit after the other, and says what it lacks
# Carol first: 50/450 x 400/150 against Bob's 100/500 x 400/1100. Half of her 50 is 25, half of his 100 more than the other 25. At 60 the deficit is 200
# and profits are 125 and 175: halves of 62 and 87 leave 51.
config unit
set markets.BTC.adl {"enabled": true, "method": "haircut_queue", "price": "bankruptcy", "band_ppm": null, "fraction_ppm": 500000}
given alice 100
given bob 1000
given carol 100
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
block BTC alice buys 5 @ 90 from carol
> fill alice BTC buy 5 @ 90 block
> fill carol BTC sell 5 @ 90 block
index BTC 80
> marked BTC 80 index 80
> liquidation alice equity -50 below 40
> closing alice #1 BTC sell 10 @ 85 bankruptcy 85 own
> cancelled alice #1 BTC sell 10 @ 85 rest
> adl alice BTC sell 10 @ 85
> adl-haircut carol BTC 25
> adl-haircut bob BTC 25
> adl-rest alice BTC 10
index BTC 60
> marked BTC 60 index 60
> closing alice #2 BTC sell 10 @ 80 bankruptcy 80 own
> cancelled alice #2 BTC sell 10 @ 80 rest
> adl alice BTC sell 10 @ 80
> adl-haircut carol BTC 62
> adl-haircut bob BTC 87
> adl-rest alice BTC 10 lacks 51

story an account whose cap and the round end together stays first
# Slices of 2 lots. Half of Bob's 5 is 2, which is the round; then half of his 3 is 1, and Carol is next.
config unit
set markets.BTC.adl {"enabled": true, "method": "queue", "price": "bankruptcy", "band_ppm": null, "fraction_ppm": 500000}
set markets.BTC.liquidation.slice_ppm 200000
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
block BTC alice buys 5 @ 90 from carol
> fill alice BTC buy 5 @ 90 block
> fill carol BTC sell 5 @ 90 block
index BTC 80
> marked BTC 80 index 80
> liquidation alice equity -50 below 40
> closing alice #1 BTC sell 2 @ 85 bankruptcy 85 own
> cancelled alice #1 BTC sell 2 @ 85 rest
> adl alice BTC sell 2 @ 85
> adl-fill bob BTC buy 2 @ 85 gives 10
pulse
> closing alice #2 BTC sell 2 @ 85 bankruptcy 85 own
> cancelled alice #2 BTC sell 2 @ 85 rest
> adl alice BTC sell 2 @ 85
> adl-fill bob BTC buy 1 @ 85 gives 5
> adl-fill carol BTC buy 1 @ 85 gives 5

story at the mark a solvent account keeps what it has
# As with the offset: the bankruptcy price 90 is below the mark 92, so no lot lacks anything, and nothing is due to the fund.
config unit
set markets.BTC.adl {"enabled": true, "method": "queue", "price": "mark", "band_ppm": null, "trigger": "unfilled"}
given alice 100
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
index BTC 92
> marked BTC 92 index 92
> liquidation alice equity 20 below 46
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 10 @ 90 rest
> adl alice BTC sell 10 @ 92
> adl-fill bob BTC buy 10 @ 92 gives 0
> ended alice closed equity 20
check funds 0

story a part of a position counts for its part of the profit against the correction floor
# Two of Bob's five lots take 40 of the profit of 150: 110 / 800 = 0.1375, above 0.13. Then 110 / 640 = 0.17, and two more lots would leave 70 / 640 = 0.11.
config unit
set markets.BTC.adl {"enabled": true, "method": "queue", "price": "bankruptcy", "band_ppm": null, "correction_floor_ppm": 130000}
set markets.BTC.liquidation.slice_ppm 200000
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
block BTC alice buys 5 @ 90 from carol
> fill alice BTC buy 5 @ 90 block
> fill carol BTC sell 5 @ 90 block
index BTC 80
> marked BTC 80 index 80
> liquidation alice equity -50 below 40
> closing alice #1 BTC sell 2 @ 85 bankruptcy 85 own
> cancelled alice #1 BTC sell 2 @ 85 rest
> adl alice BTC sell 2 @ 85
> adl-fill bob BTC buy 2 @ 85 gives 10
pulse
> closing alice #2 BTC sell 2 @ 85 bankruptcy 85 own
> cancelled alice #2 BTC sell 2 @ 85 rest
> adl alice BTC sell 2 @ 85
> adl-rest alice BTC 2

story a haircut leaves nobody in debt: it ends at the equity
# At 60 Bob has a profit of 200 and, with his loss in ETH, an equity of 195: that is all he can be asked for. Carol pays the other 55 of 250.
config unit
set markets.BTC.adl {"enabled": true, "method": "haircut_queue", "price": "bankruptcy", "band_ppm": null}
given alice 100
given bob 150
given carol 1000
given dave 10000
index BTC 100
> marked BTC 100 index 100
index ETH 100
> marked ETH 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
block BTC alice buys 5 @ 90 from carol
> fill alice BTC buy 5 @ 90 block
> fill carol BTC sell 5 @ 90 block
block ETH bob buys 5 @ 100 from dave
> fill bob ETH buy 5 @ 100 block
> fill dave ETH sell 5 @ 100 block
index BTC 90
> marked BTC 90 index 90
index ETH 69
> marked ETH 69 index 69
index BTC 60
> marked BTC 60 index 60
> liquidation alice equity -250 below 30
> closing alice #1 BTC sell 10 @ 85 bankruptcy 85 own
> cancelled alice #1 BTC sell 10 @ 85 rest
> adl alice BTC sell 10 @ 85
> adl-haircut bob BTC 195
> adl-haircut carol BTC 55
> adl-rest alice BTC 10
> liquidation bob equity 0 below 33
