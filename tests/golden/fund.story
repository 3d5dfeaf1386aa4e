# The insurance fund, the backstop and the last resorts.

story the fund pays what a sale beyond the bankruptcy price costs
# At 85: equity -50, bankruptcy price 85 + 5 = 90. Nobody bids 90. The fund backs a sale down to 85 x 0.9 = 76.5 up to 77; at 85
# it pays 5 per lot.
config unit
given alice 100
given bob 1000
given carol 1000
fund main 60
> funded main 60
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
> fill carol #1 BTC buy 10 @ 85 fee 0 maker
> fill alice #3 BTC sell 10 @ 85 fee 0 closing
> fund-paid main alice BTC 50
> ended alice closed equity 0
check alice balance 0
check funds 10

story a fund-backed sale stops where the fund cannot pay one lot; winners close the rest
# As before with 23 in the fund: 4 lots at 5 each, 3 are left. Bob, the winner, closes 6 lots at 90 and gives up 30.
config unit
given alice 100
given bob 1000
given carol 1000
fund main 23
> funded main 23
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
> adl alice BTC sell 6 @ 90
> adl-fill bob BTC buy 6 @ 90 gives 30
> ended alice closed equity 0
check alice balance 0
check bob position BTC -4
check funds 3

story a fund-backed sale pays bid by bid for as long as the money lasts
# Bankruptcy price 90. A bid at 89 costs 1 per lot, one at 86 costs 4: with 9 the fund buys 3 at 89, then 1 at 86.
config unit
set markets.BTC.adl.enabled false
given alice 100
given bob 1000
given carol 1000
fund main 9
> funded main 9
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 3 @ 89
> accepted carol #1 BTC buy 3 @ 89
buy carol BTC 7 @ 86
> accepted carol #2 BTC buy 7 @ 86
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -50 below 43
> closing alice #3 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #3 BTC sell 10 @ 90 rest
> closing alice #4 BTC sell 10 @ 77 bankruptcy 90 backed
> fill carol #1 BTC buy 3 @ 89 fee 0 maker
> fill alice #4 BTC sell 3 @ 89 fee 0 closing
> fill carol #2 BTC buy 1 @ 86 fee 0 maker
> fill alice #4 BTC sell 1 @ 86 fee 0 closing
> cancelled alice #4 BTC sell 6 @ 77 rest
> fund-paid main alice BTC 7
check funds 2
pulse
> closing alice #5 BTC sell 6 @ 90 bankruptcy 90 own
> cancelled alice #5 BTC sell 6 @ 90 rest
> closing alice #6 BTC sell 6 @ 77 bankruptcy 90 backed
> cancelled alice #6 BTC sell 6 @ 77 rest

story the fund is emptied and the rest is bad debt
# Alice sells her own position at 85, far below 90: nothing forbids a sale that reduces. She owes 50, the fund has 20.
config unit
given alice 100
given bob 1000
given carol 1000
fund main 20
> funded main 20
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 85
> accepted carol #1 BTC buy 10 @ 85
sell alice BTC 10 market
> accepted alice #2 BTC sell 10 market
> fill carol #1 BTC buy 10 @ 85 fee 0 maker
> fill alice #2 BTC sell 10 @ 85 fee 0 taker
> liquidation alice equity -50 below 0
pulse
> fund-paid main alice BTC 20
> bad-debt alice 30
> ended alice bankrupt equity 0
check alice balance 0
check funds 0
check shortfall 30

story a loss beyond the fund is socialised in proportion to profit
# Alice owes 36 and the fund has 20. At 85 Bob's profit is 150 and Carol's 75: 16 is shared 10.67 to 5.33, so 11 and 5.
config unit
set last_resort "socialise"
given alice 99
given bob 1000
given carol 1000
given dave 2000
fund main 20
> funded main 20
index BTC 100
> marked BTC 100 index 100
block BTC dave buys 5 @ 100 from carol
> fill dave BTC buy 5 @ 100 block
> fill carol BTC sell 5 @ 100 block
block BTC alice buys 9 @ 100 from bob
> fill alice BTC buy 9 @ 100 block
> fill bob BTC sell 9 @ 100 block
block BTC dave buys 1 @ 100 from bob
> fill dave BTC buy 1 @ 100 block
> fill bob BTC sell 1 @ 100 block
buy dave BTC 9 @ 85
> accepted dave #1 BTC buy 9 @ 85
sell alice BTC 9 market
> accepted alice #2 BTC sell 9 market
> fill dave #1 BTC buy 9 @ 85 fee 0 maker
> fill alice #2 BTC sell 9 @ 85 fee 0 taker
> liquidation alice equity -36 below 0
withdraw alice 1 USD
> refused withdraw InLiquidation
index BTC 85
> marked BTC 85 index 85
> fund-paid main alice BTC 20
> socialised bob BTC 11
> socialised carol BTC 5
> ended alice bankrupt equity 0
check alice balance 0
check shortfall 0

story without winners a socialised loss is bad debt
# Carol has sold what she won; nobody has a position.
config unit
set last_resort "socialise"
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 10 @ 85
> accepted carol #1 BTC buy 10 @ 85
sell alice BTC 10 market
> accepted alice #2 BTC sell 10 market
> fill carol #1 BTC buy 10 @ 85 fee 0 maker
> fill alice #2 BTC sell 10 @ 85 fee 0 taker
> liquidation alice equity -50 below 0
block BTC bob buys 10 @ 100 from carol
> fill bob BTC buy 10 @ 100 block
> fill carol BTC sell 10 @ 100 block
pulse
> bad-debt alice 50
> ended alice bankrupt equity 0
check shortfall 50

story the backstop takes over what the book leaves, at the bankruptcy price
# Bankruptcy price 90. The book takes 3 at 92 for 276 against 270; the vault takes 7 at 90.
config unit
set backstop 2
given alice 100
given bob 1000
given vault 63
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 3 @ 92
> accepted carol #1 BTC buy 3 @ 92
index BTC 94
> marked BTC 94 index 94
> liquidation alice equity 40 below 47
> closing alice #2 BTC sell 10 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 3 @ 92 fee 0 maker
> fill alice #2 BTC sell 3 @ 92 fee 0 closing
> cancelled alice #2 BTC sell 7 @ 90 rest
> taken alice BTC sell 7 @ 90 by vault
> ended alice closed equity 6
check alice balance 6
check vault position BTC 7
check vault cost BTC 630

story a backstop short of margin takes nothing
# Taking 10 at 90 with the mark at 94 brings equity 40 + 53 = 93; initial margin would be 94.
config unit
set backstop 2
given alice 100
given bob 1000
given vault 53
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
index BTC 94
> marked BTC 94 index 94
> liquidation alice equity 40 below 47
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 10 @ 90 rest
deposit vault 1 USD
> deposited vault 1 USD
index BTC 94
> marked BTC 94 index 94
> closing alice #2 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #2 BTC sell 10 @ 90 rest
> taken alice BTC sell 10 @ 90 by vault
> ended alice closed equity 0

story where liquidation is switched off an account keeps its position
config unit
set markets.BTC.liquidation.enabled false
given alice 100
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
index BTC 80
> marked BTC 80 index 80
pulse
check alice equity -100
