# Auto-deleveraging (ADL): winners close against a bankrupt account.

story the queue ranks by profit times leverage
# Alice is long 10 from 99.6 on average: at 85 her equity is 100 + 850 - 996 = -46 and the bankruptcy price 85 + 4.6 up to 90.
# Profit ratio x leverage: Bob 60/400 x 340/1060 = 0.05, Carol 60/400 x 340/160 = 0.32, Dave 26/196 x 170/126 = 0.18.
# The rounding of the price leaves Alice 4.
config unit
given alice 100
given bob 1000
given carol 100
given dave 100
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 4 @ 100 from bob
> fill alice BTC buy 4 @ 100 block
> fill bob BTC sell 4 @ 100 block
block BTC alice buys 4 @ 100 from carol
> fill alice BTC buy 4 @ 100 block
> fill carol BTC sell 4 @ 100 block
block BTC alice buys 2 @ 98 from dave
> fill alice BTC buy 2 @ 98 block
> fill dave BTC sell 2 @ 98 block
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -46 below 43
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 10 @ 90 rest
> adl alice BTC sell 10 @ 90
> adl-fill carol BTC buy 4 @ 90 gives 20
> adl-fill dave BTC buy 2 @ 90 gives 10
> adl-fill bob BTC buy 4 @ 90 gives 20
> ended alice closed equity 4
check alice balance 4
check bob equity 1040

story equal scores go by number, and the ranking lasts until the next index
# Bob and Carol are alike. Bob stays first until he is closed, then it is Carol's turn; that her deposit lowers her score changes nothing.
config unit
set markets.BTC.liquidation.slice_ppm 400000
given alice 100
given bob 100
given carol 100
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from carol
> fill alice BTC buy 5 @ 100 block
> fill carol BTC sell 5 @ 100 block
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -50 below 43
> closing alice #1 BTC sell 4 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 4 @ 90 rest
> adl alice BTC sell 4 @ 90
> adl-fill bob BTC buy 4 @ 90 gives 20
pulse
> closing alice #2 BTC sell 3 @ 90 bankruptcy 90 own
> cancelled alice #2 BTC sell 3 @ 90 rest
> adl alice BTC sell 3 @ 90
> adl-fill bob BTC buy 1 @ 90 gives 5
> adl-fill carol BTC buy 2 @ 90 gives 10
check bob position BTC 0
check carol position BTC -3
deposit carol 10000 USD
> deposited carol 10000 USD
pulse
> closing alice #3 BTC sell 2 @ 90 bankruptcy 90 own
> cancelled alice #3 BTC sell 2 @ 90 rest
> adl alice BTC sell 2 @ 90
> adl-fill carol BTC buy 2 @ 90 gives 10
pulse
> closing alice #4 BTC sell 1 @ 90 bankruptcy 90 own
> cancelled alice #4 BTC sell 1 @ 90 rest
> adl alice BTC sell 1 @ 90
> adl-fill carol BTC buy 1 @ 90 gives 5
> ended alice closed equity 0

story a band limits the price, the fund pays the difference, and what it cannot pay stays open
# Mark 85, band 2 %: 83.3 up to 84 and 86.7 down to 86. Bankruptcy price 90, so Alice lacks 4 per lot at 86. The fund has 10: 2 lots.
config unit
set markets.BTC.adl.band_ppm 20000
given alice 100
given bob 1000
fund main 10
> funded main 10
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
> closing alice #2 BTC sell 10 @ 77 bankruptcy 90 backed
> cancelled alice #2 BTC sell 10 @ 77 rest
> adl alice BTC sell 10 @ 86
> adl-fill bob BTC buy 2 @ 86 gives 2
> fund-paid main alice BTC 8
> adl-rest alice BTC 8
check funds 2
pulse
> closing alice #3 BTC sell 8 @ 90 bankruptcy 90 own
> cancelled alice #3 BTC sell 8 @ 90 rest
> closing alice #4 BTC sell 8 @ 77 bankruptcy 90 backed
> cancelled alice #4 BTC sell 8 @ 77 rest
> adl alice BTC sell 8 @ 86
> adl-rest alice BTC 8
pulse
check alice position BTC 8

story at the mark a winner gives nothing up and the fund pays all
config unit
set markets.BTC.adl.price "mark"
given alice 100
given bob 1000
fund main 50
> funded main 50
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
> closing alice #2 BTC sell 10 @ 77 bankruptcy 90 backed
> cancelled alice #2 BTC sell 10 @ 77 rest
> adl alice BTC sell 10 @ 85
> adl-fill bob BTC buy 10 @ 85 gives 0
> fund-paid main alice BTC 50
> ended alice closed equity 0
check bob equity 1150
check funds 0

story pro rata shares by lots, the remainder to the largest fractions and ties to the earlier account
# Half of 10 lots over 6, 3 and 1: 3, 1.5 and 0.5. One lot is left; the fractions of Carol and Dave are equal.
config unit
set markets.BTC.adl.method "pro_rata"
set markets.BTC.liquidation.slice_ppm 500000
given alice 100
given bob 1000
given carol 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 6 @ 100 from bob
> fill alice BTC buy 6 @ 100 block
> fill bob BTC sell 6 @ 100 block
block BTC alice buys 3 @ 100 from carol
> fill alice BTC buy 3 @ 100 block
> fill carol BTC sell 3 @ 100 block
block BTC alice buys 1 @ 100 from dave
> fill alice BTC buy 1 @ 100 block
> fill dave BTC sell 1 @ 100 block
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -50 below 43
> closing alice #1 BTC sell 5 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 5 @ 90 rest
> adl alice BTC sell 5 @ 90
> adl-fill bob BTC buy 3 @ 90 gives 15
> adl-fill carol BTC buy 2 @ 90 gives 10
pulse
> closing alice #2 BTC sell 3 @ 90 bankruptcy 90 own
> cancelled alice #2 BTC sell 3 @ 90 rest
> adl alice BTC sell 3 @ 90
> adl-fill bob BTC buy 2 @ 90 gives 10
> adl-fill carol BTC buy 1 @ 90 gives 5

story no winner is closed into debt: lots are capped at equity over cost per lot
# Alice's bankruptcy price is 70 + 20 = 90. Bob is short 8 from 71: profit 8, equity 79, cost 20 per lot: 79 / 20 = 3 lots. He ranks
# before Carol, whose money makes her leverage small, and is passed over when his cap stops him: a deposit in
# between does not bring him back, and the next round goes to Carol.
config unit
set markets.BTC.liquidation.slice_ppm 500000
given alice 100
given bob 71
given carol 10000
given dave 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from carol
> fill alice BTC buy 10 @ 100 block
> fill carol BTC sell 10 @ 100 block
phase BTC pre_open
> phase BTC continuous to pre_open
index BTC 71
> marked BTC 71 index 71
> liquidation alice equity -190 below 36
block BTC dave buys 8 @ 71 from bob
> fill dave BTC buy 8 @ 71 block
> fill bob BTC sell 8 @ 71 block
phase BTC continuous
> phase BTC pre_open to continuous
index BTC 70
> marked BTC 70 index 70
> closing alice #1 BTC sell 5 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 5 @ 90 rest
> adl alice BTC sell 5 @ 90
> adl-fill bob BTC buy 3 @ 90 gives 60
> adl-fill carol BTC buy 2 @ 90 gives 40
check bob equity 19
deposit bob 1000 USD
> deposited bob 1000 USD
pulse
> closing alice #2 BTC sell 3 @ 90 bankruptcy 90 own
> cancelled alice #2 BTC sell 3 @ 90 rest
> adl alice BTC sell 3 @ 90
> adl-fill carol BTC buy 3 @ 90 gives 60
check bob position BTC -5
check carol position BTC -5

story a round looks at so many ranked accounts and no more
# One account per round: Carol's 4 of 10 lots, then Dave's 2, then Bob's 4. By then Alice's equity is -16: bankruptcy price 85 + 4.
config unit
set limits.adl_closes_per_round 1
given alice 100
given bob 1000
given carol 100
given dave 100
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 4 @ 100 from bob
> fill alice BTC buy 4 @ 100 block
> fill bob BTC sell 4 @ 100 block
block BTC alice buys 4 @ 100 from carol
> fill alice BTC buy 4 @ 100 block
> fill carol BTC sell 4 @ 100 block
block BTC alice buys 2 @ 98 from dave
> fill alice BTC buy 2 @ 98 block
> fill dave BTC sell 2 @ 98 block
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -46 below 43
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 10 @ 90 rest
> adl alice BTC sell 10 @ 90
> adl-fill carol BTC buy 4 @ 90 gives 20
> adl-rest alice BTC 6
pulse
> closing alice #2 BTC sell 6 @ 90 bankruptcy 90 own
> cancelled alice #2 BTC sell 6 @ 90 rest
> adl alice BTC sell 6 @ 90
> adl-fill dave BTC buy 2 @ 90 gives 10
> adl-rest alice BTC 4
pulse
> closing alice #3 BTC sell 4 @ 89 bankruptcy 89 own
> cancelled alice #3 BTC sell 4 @ 89 rest
> adl alice BTC sell 4 @ 89
> adl-fill bob BTC buy 4 @ 89 gives 16
> ended alice closed equity 0
