# What other assets count for, what may leave an account, and margin rules beside the tiers.

story collateral valued by the venue's own book is liquidated by one bad trade there
# The failure of 10 October 2025: USDe, redeemable at 1, printed 0.65 in a venue's own book. Gold is worth its index here;
# its market is ETH, marked by the last trade. Alice: 10 lots of BTC from 100, maintenance 50; 10 in cash and 100 gold x 100 x
# 1/100 x 90 % = 90. One lot of gold trades at 50, one at 40, while its index stays: her gold counts 45, then 36.
config unit
set markets.ETH.mark.method "last"
set assets.GOLD.collateral {"market": 1, "value_num": 1, "value_den": 100, "weight_ppm": 900000, "price": "mark"}
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
index ETH 100
> marked ETH 100 index 100
deposit alice 100 GOLD
> deposited alice 100 GOLD
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
withdraw alice 90 USD
> withdrawn alice 90 USD
withdraw alice 1 USD
> refused withdraw MarginShort
buy bob ETH 1 @ 50
> accepted bob #1 ETH buy 1 @ 50
sell carol ETH 1 @ 50
> accepted carol #2 ETH sell 1 @ 50
> fill bob #1 ETH buy 1 @ 50 fee 0 maker
> fill carol #2 ETH sell 1 @ 50 fee 0 taker
check alice equity 100
index ETH 100
> marked ETH 50 index 100
check alice equity 55
sell carol ETH 1 @ 40
> accepted carol #3 ETH sell 1 @ 40
buy bob ETH 1 @ 40
> accepted bob #4 ETH buy 1 @ 40
> fill carol #3 ETH sell 1 @ 40 fee 0 maker
> fill bob #4 ETH buy 1 @ 40 fee 0 taker
index ETH 100
> marked ETH 40 index 100
> liquidation alice equity 46 below 50
> closing alice #5 BTC sell 10 @ 96 bankruptcy 96 own
> cancelled alice #5 BTC sell 10 @ 96 rest

story the repair of it: the larger of mark and redemption value, with a floor below both
# The same trades. The mark says 45, the floor of 60 says 54, redemption at 0.95 says 85.5 down to 85: the largest counts.
config unit
set markets.ETH.mark.method "last"
set assets.GOLD.collateral {"market": 1, "value_num": 1, "value_den": 100, "weight_ppm": 900000, "price": "mark", "price_floor": 60, "redemption": {"market": null, "value_num": 95, "value_den": 100}}
given alice 10
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
index ETH 100
> marked ETH 100 index 100
deposit alice 100 GOLD
> deposited alice 100 GOLD
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy bob ETH 1 @ 40
> accepted bob #1 ETH buy 1 @ 40
sell carol ETH 1 @ 40
> accepted carol #2 ETH sell 1 @ 40
> fill bob #1 ETH buy 1 @ 40 fee 0 maker
> fill carol #2 ETH sell 1 @ 40 fee 0 taker
check alice equity 100
index ETH 100
> marked ETH 40 index 100
check alice equity 95

story a floor of the price keeps collateral up when nothing redeems it
# 100 gold at a mark of 40: the floor of 60 counts, 54.
config unit
set markets.ETH.mark.method "last"
set assets.GOLD.collateral {"market": 1, "value_num": 1, "value_den": 100, "weight_ppm": 900000, "price": "mark", "price_floor": 60}
given alice 10
given bob 1000
given carol 1000
index ETH 100
> marked ETH 100 index 100
deposit alice 100 GOLD
> deposited alice 100 GOLD
buy bob ETH 1 @ 40
> accepted bob #1 ETH buy 1 @ 40
sell carol ETH 1 @ 40
> accepted carol #2 ETH sell 1 @ 40
> fill bob #1 ETH buy 1 @ 40 fee 0 maker
> fill carol #2 ETH sell 1 @ 40 fee 0 taker
check alice equity 100
index ETH 100
> marked ETH 40 index 100
check alice equity 64

story no more of an asset counts than its cap, and less of it by its size
# 400 gold, 225 of them count. 1.1 / (1 + 0.02 x 15) = 0.8461...: 225 x 100 / 100 x 0.8461 = 190.37 down; and 1 in cash.
config unit
set assets.GOLD.collateral {"market": 0, "value_num": 1, "value_den": 100, "weight_ppm": 900000, "cap": 225, "size_discount": {"factor_ppb": 20000000, "unit": 1}}
given alice 1
index BTC 100
> marked BTC 100 index 100
deposit alice 400 GOLD
> deposited alice 400 GOLD
check alice equity 191
withdraw alice 175 GOLD
> withdrawn alice 175 GOLD
check alice equity 191

story deposits beyond their scale count for less where initial margin is asked for, and keep their value elsewhere
# 1000 gold are worth 1000, 500 of it in the scale: initial weight 0.9 x 500 / 1000 = 0.45. Alice's 100 count
# 45 there, and she has 1 in cash.
config unit
set assets.GOLD.collateral {"market": 0, "value_num": 1, "value_den": 100, "weight_ppm": 900000, "deposit_scale_start": 500}
given alice 1
given bob 1000
index BTC 100
> marked BTC 100 index 100
deposit alice 100 GOLD
> deposited alice 100 GOLD
deposit bob 900 GOLD
> deposited bob 900 GOLD
check alice equity 91
buy alice BTC 5 @ 90
> refused place MarginShort
buy alice BTC 4 @ 90
> accepted alice #1 BTC buy 4 @ 90

story a withdrawal leaves a share of the open notional
# 10 lots at 100: initial 100, a fifth of the notional 200.
config unit
set withdrawal_notional_ppm 200000
given alice 300
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
withdraw alice 101 USD
> refused withdraw MarginShort
withdraw alice 100 USD
> withdrawn alice 100 USD

story an account leaves liquidation only at the exit multiple of maintenance
# At 94: equity 40, maintenance 47; the bankruptcy price is 90. Two of 10 lots go at 93: equity 38 against 37.6 up to 38 is
# enough without a buffer. With 1.5 x it takes 57, then two more (36 against 28.2 up to 29, 43.5), then two (34, 18.8 up to 19).
config unit
set markets.BTC.liquidation.slice_ppm 1
set markets.BTC.liquidation.slice_qty_min 2
set liquidation_exit_ppm 1500000
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 20 @ 93
> accepted carol #1 BTC buy 20 @ 93
index BTC 94
> marked BTC 94 index 94
> liquidation alice equity 40 below 47
> closing alice #2 BTC sell 2 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 2 @ 93 fee 0 maker
> fill alice #2 BTC sell 2 @ 93 fee 0 closing
pulse
> closing alice #3 BTC sell 2 @ 90 bankruptcy 90 own
> fill carol #1 BTC buy 2 @ 93 fee 0 maker
> fill alice #3 BTC sell 2 @ 93 fee 0 closing
pulse
> closing alice #4 BTC sell 2 @ 88 bankruptcy 88 own
> fill carol #1 BTC buy 2 @ 93 fee 0 maker
> fill alice #4 BTC sell 2 @ 93 fee 0 closing
> ended alice recovered equity 34

story the initial rate rises with open interest
# 20 lots open, 2000 in notional: a tenth of the way from 1000 to 11000, so 10 % + 90 % x 0.1 = 19 %. 5 lots need 95.
config unit
set markets.BTC.margin {"open_interest": {"lower": 1000, "upper": 11000}}
given alice 94
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC bob buys 20 @ 100 from carol
> fill bob BTC buy 20 @ 100 block
> fill carol BTC sell 20 @ 100 block
buy alice BTC 5 @ 90
> refused place MarginShort
deposit alice 1 USD
> deposited alice 1 USD
buy alice BTC 5 @ 90
> accepted alice #1 BTC buy 5 @ 90

story rates rise with the root of the size
# 0.8 x 10 % + 0.05 x sqrt(9) = 23 % for 9 lots: 207. Maintenance 0.8 x 5 % + 0.02 x 3 = 10 %: 90 at 100, 81 at 90.
config unit
set markets.BTC.margin {"size": {"type": "root", "initial_ppb": 50000000, "maintenance_ppb": 20000000, "unit": 1}}
given alice 207
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> refused block MarginShort
block BTC alice buys 9 @ 100 from bob
> fill alice BTC buy 9 @ 100 block
> fill bob BTC sell 9 @ 100 block
index BTC 86
> marked BTC 86 index 86
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity 72 below 77
> closing alice #1 BTC sell 9 @ 77 bankruptcy 77 own
> cancelled alice #1 BTC sell 9 @ 77 rest

story rates rise in proportion to the size
# 10 % + 1 % x 9 = 19 % for 9 lots: 171. Maintenance 5 % + 0.5 % x 9 = 9.5 %: 85.5 up to 86.
config unit
set markets.BTC.margin {"size": {"type": "linear", "initial_ppb": 10000000, "maintenance_ppb": 5000000, "unit": 1}}
given alice 171
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> refused block MarginShort
block BTC alice buys 9 @ 100 from bob
> fill alice BTC buy 9 @ 100 block
> fill bob BTC sell 9 @ 100 block
index BTC 90
> marked BTC 90 index 90
index BTC 89
> marked BTC 89 index 89
> liquidation alice equity 72 below 77
> closing alice #1 BTC sell 9 @ 81 bankruptcy 81 own
> cancelled alice #1 BTC sell 9 @ 81 rest

story an account's own leverage raises its initial rate, never lowers it
# 10 % allows 10 x. At 3 x the rate is 33.3334 %: 10 lots need 334.
config unit
set markets.BTC.margin {"account_leverage": true}
given alice 333
given bob 1000
index BTC 100
> marked BTC 100 index 100
leverage alice BTC 11
> refused leverage BadField
leverage alice ETH 3
> refused leverage BadField
leverage alice BTC 3
> leveraged alice BTC 3
buy alice BTC 10 @ 100
> refused place MarginShort
leverage alice BTC 0
> leveraged alice BTC 0
buy alice BTC 10 @ 100
> accepted alice #1 BTC buy 10 @ 100
leverage alice BTC 3
> refused leverage MarginShort
leverage alice BTC 4
> leveraged alice BTC 4

story a sub-account carries a position by itself, and money goes to it within its group
# An isolated position: its losses end at what it was given. 30 bear 3 lots at 100. At 94 equity is 12, maintenance 15; ten
# more from Alice, who keeps 60, and it recovers.
config unit
open group 7 alice
> opened alice
open group 7 isolated
> opened isolated
given bob 1000
deposit alice 100 USD
> deposited alice 100 USD
index BTC 100
> marked BTC 100 index 100
transfer alice isolated 30 USD
> transferred alice isolated 30 USD
transfer alice bob 10 USD
> refused transfer BadField
transfer alice isolated 71 USD
> refused transfer BalanceShort
buy isolated BTC 3 @ 100
> accepted isolated #1 BTC buy 3 @ 100
transfer isolated alice 1 USD
> refused transfer MarginShort
sell bob BTC 3 @ 100
> accepted bob #2 BTC sell 3 @ 100
> fill isolated #1 BTC buy 3 @ 100 fee 0 maker
> fill bob #2 BTC sell 3 @ 100 fee 0 taker
index BTC 94
> marked BTC 94 index 94
> liquidation isolated equity 12 below 15
> closing isolated #3 BTC sell 3 @ 90 bankruptcy 90 own
> cancelled isolated #3 BTC sell 3 @ 90 rest
transfer alice isolated 10 USD
> transferred alice isolated 10 USD
index BTC 94
> marked BTC 94 index 94
> ended isolated recovered equity 22
