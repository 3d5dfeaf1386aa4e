# Margin rates that are multiplied while the venue runs.

story a multiplier makes the rates of a market anew and looks at everybody who has a position there
# Ten lots from 100 with 120: at 100 5 % of 1000 are 50. Three times as much is 150, more than Alice has; Bob has 500. Then half of what is configured.
config unit
set markets.BTC.margin.multipliers true
given alice 120
given bob 500
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
multiplier BTC initial 3000000 maintenance 3000000
> multiplied BTC initial 3000000 maintenance 3000000
> liquidation alice equity 120 below 150
buy bob BTC 1 @ 100
> accepted bob #1 BTC buy 1 @ 100
multiplier BTC initial 1000000 maintenance 500000
> multiplied BTC initial 1000000 maintenance 500000
pulse
> ended alice recovered equity 120

story an order is asked for the multiplied initial margin
# Six lots at 100 need 10 %, 60, and at twice the rate 120: more than the 100 that Alice has. Five just fit.
config unit
set markets.BTC.margin.multipliers true
given alice 100
index BTC 100
> marked BTC 100 index 100
multiplier BTC initial 2000000 maintenance 1000000
> multiplied BTC initial 2000000 maintenance 1000000
buy alice BTC 6 @ 100
> refused place MarginShort
buy alice BTC 5 @ 100
> accepted alice #1 BTC buy 5 @ 100

story what no configuration would accept is refused
# Maintenance of 5 % times 20 is all of the notional; times 2.0000001 it is no whole ppm; above initial it is no maintenance.
config unit
set markets.BTC.margin.multipliers true
given alice 100
multiplier ETH initial 1000000 maintenance 1000000
> refused multiplier BadField
multiplier BTC initial 20000000 maintenance 20000000
> refused multiplier MultiplierRefused
multiplier BTC initial 3000000 maintenance 2000010
> refused multiplier MultiplierRefused
multiplier BTC initial 1000000 maintenance 2000020
> refused multiplier MultiplierRefused
multiplier BTC initial 0 maintenance 1000000
> refused multiplier MultiplierRefused
multiplier BTC initial 100000001 maintenance 1000000
> refused multiplier MultiplierRefused
