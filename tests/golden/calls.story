# Rules of auctions: market orders, collars, references, liquidations, what is published. docs/mechanics.md section 6.9.

story only limits are candidates on Xetra, every step on Euronext
# Market orders for 3 on both sides, 3 @ 96 bid, 3 @ 103 offered; the last trade is 100. At 96 and at 103 3 trade and 3 are over; between
# the two 3 trade and nothing is over. BTC has only the two limits to choose from, and 103 is nearer. What is left of a market order rests.
config unit
set markets.BTC.auction {"preset": "xetra"}
set markets.ETH.auction {"preset": "euronext"}
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
index ETH 100
> marked ETH 100 index 100
phase BTC call_auction
> phase BTC continuous to call_auction
phase ETH call_auction
> phase ETH continuous to call_auction
buy alice BTC 3 market
> accepted alice #1 BTC buy 3 market
sell bob BTC 3 market
> accepted bob #2 BTC sell 3 market
buy alice BTC 3 @ 96
> accepted alice #3 BTC buy 3 @ 96
sell bob BTC 3 @ 103
> accepted bob #4 BTC sell 3 @ 103
buy alice ETH 3 market
> accepted alice #5 ETH buy 3 market
sell bob ETH 3 market
> accepted bob #6 ETH sell 3 market
buy alice ETH 3 @ 96
> accepted alice #7 ETH buy 3 @ 96
sell bob ETH 3 @ 103
> accepted bob #8 ETH sell 3 @ 103
phase BTC continuous
> uncrossed BTC 3 @ 103 surplus -3
> fill alice #1 BTC buy 3 @ 103 fee 0 auction
> fill bob #2 BTC sell 3 @ 103 fee 0 auction
> phase BTC call_auction to continuous
phase ETH continuous
> uncrossed ETH 3 @ 100 surplus 0
> fill alice #5 ETH buy 3 @ 100 fee 0 auction
> fill bob #6 ETH sell 3 @ 100 fee 0 auction
> phase ETH call_auction to continuous

story market orders come first, then better prices, and what is left of one rests at the price
# Demand at 101: 5 + 4 against 6: 3 are over at 101 and at 100, so the higher. Carol's market order came last and is filled first.
config unit
set markets.BTC.auction {"preset": "euronext"}
set markets.BTC.phase "call_auction"
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 4 @ 101
> accepted alice #1 BTC buy 4 @ 101
sell bob BTC 6 @ 100
> accepted bob #2 BTC sell 6 @ 100
buy carol BTC 5 market
> accepted carol #3 BTC buy 5 market
cancel bob BTC #3
> refused cancel NotYourOrder
replace carol BTC #3 with 4 @ 100
> refused replace UnknownOrder
check carol position BTC 0
phase BTC continuous
> uncrossed BTC 6 @ 101 surplus 3
> fill carol #3 BTC buy 5 @ 101 fee 0 auction
> fill bob #2 BTC sell 5 @ 101 fee 0 auction
> fill alice #1 BTC buy 1 @ 101 fee 0 auction
> fill bob #2 BTC sell 1 @ 101 fee 0 auction
> phase BTC call_auction to continuous

story with only market orders the price is the reference, and the rest of one rests at it
config unit
set markets.BTC.auction {"preset": "euronext"}
set markets.BTC.phase "call_auction"
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 5 market
> accepted alice #1 BTC buy 5 market
sell bob BTC 3 market
> accepted bob #2 BTC sell 3 market
phase BTC continuous
> uncrossed BTC 3 @ 100 surplus 2
> fill alice #1 BTC buy 3 @ 100 fee 0 auction
> fill bob #2 BTC sell 3 @ 100 fee 0 auction
> replaced alice #1 BTC buy 2 @ 100 priced
> phase BTC call_auction to continuous
sell bob BTC 2 @ 100
> accepted bob #3 BTC sell 2 @ 100
> fill alice #1 BTC buy 2 @ 100 fee 0 maker
> fill bob #3 BTC sell 2 @ 100 fee 0 taker

story where market orders are cancelled after the auction, nothing of them is open any more
# Alice's 100 carry 10 x 100 at 10 %, and then nothing more. What nobody meets of her market order is cancelled.
config unit
set markets.BTC.auction {"market_orders": "cancelled"}
set markets.BTC.phase "call_auction"
given alice 100
given bob 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 11 market
> refused place MarginShort
buy alice BTC 10 market
> accepted alice #1 BTC buy 10 market
buy alice BTC 1 @ 90
> refused place MarginShort
sell bob BTC 4 @ 99
> accepted bob #2 BTC sell 4 @ 99
sell bob BTC 1 market reduce
> refused place NotReducing
phase BTC continuous
> uncrossed BTC 4 @ 99 surplus 6
> fill alice #1 BTC buy 4 @ 99 fee 0 auction
> fill bob #2 BTC sell 4 @ 99 fee 0 auction
> cancelled alice #1 BTC buy 6 @ 0 rest
> phase BTC call_auction to continuous
check alice position BTC 4

story a collar that confines makes its bound the price, and what could only trade beyond it goes
# 10 % of 100: 90 to 110. Bob and Carol would trade 5 at 120; at 110 Bob sells 2 to Alice, and her last lot is left over; the bid at 125 and
# the offer at 120 still cross, and the bid wanted a price beyond the bound.
config unit
set markets.BTC.auction {"collar": {"around": "reference", "width_ppm": 100000, "action": "confine"}}
set markets.BTC.phase "call_auction"
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 7 @ 125
> accepted alice #1 BTC buy 7 @ 125
sell bob BTC 2 @ 105
> accepted bob #2 BTC sell 2 @ 105
sell carol BTC 5 @ 120
> accepted carol #3 BTC sell 5 @ 120
phase BTC continuous
> uncrossed BTC 2 @ 110 surplus 5
> fill alice #1 BTC buy 2 @ 110 fee 0 auction
> fill bob #2 BTC sell 2 @ 110 fee 0 auction
> cancelled alice #1 BTC buy 5 @ 125 breaker
> phase BTC call_auction to continuous

story a collar that refuses lets the call go on until it is ended by hand
# At 130 and at 120 5 trade and nothing is over, and 120 is nearer to 100: outside 90 to 110. Without an end the call goes on past 20 s.
config unit
set markets.BTC.auction {"collar": {"around": "reference", "width_ppm": 100000, "action": "refuse"}, "indicative": "pulse"}
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
phase BTC call_auction until 10s
> phase BTC continuous to call_auction until 10s
buy alice BTC 5 @ 130
> accepted alice #1 BTC buy 5 @ 130
sell bob BTC 5 @ 120
> accepted bob #2 BTC sell 5 @ 120
pulse
> indicative BTC 5 @ 120 surplus 0 outside
pulse
at 20s
pulse
> phase BTC call_auction to call_auction
> indicative BTC 5 @ 120 surplus 0 outside
phase BTC continuous
> uncrossed BTC 5 @ 120 surplus 0
> fill alice #1 BTC buy 5 @ 120 fee 0 auction
> fill bob #2 BTC sell 5 @ 120 fee 0 auction
> phase BTC call_auction to continuous

story the indicative price is told after each command that changes it
config unit
set markets.BTC.auction {"preset": "euronext", "market_orders": "cancelled", "indicative": "command"}
set markets.BTC.phase "call_auction"
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 5 @ 101
> accepted alice #1 BTC buy 5 @ 101
sell bob BTC 3 @ 99
> accepted bob #2 BTC sell 3 @ 99
> indicative BTC 3 @ 101 surplus 2 clears
sell bob BTC 1 @ 105
> accepted bob #3 BTC sell 1 @ 105
sell bob BTC 9 market
> accepted bob #4 BTC sell 9 market
> indicative BTC 5 @ 99 surplus -7 market-left
cancel bob BTC all
> cancelled bob #4 BTC sell 9 @ 0 user
> cancelled bob #3 BTC sell 1 @ 105 user
> cancelled bob #2 BTC sell 3 @ 99 user
> indicative BTC 0 @ 0 surplus 0 nothing
phase BTC continuous
> phase BTC call_auction to continuous

story the midpoint is that of the quote before the call
# The touch is 98 to 103 when trading stops: 100.5, and 101 is as near as 100, so the higher.
config unit
set markets.BTC.auction {"preset": "nasdaq"}
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 5 @ 98
> accepted alice #1 BTC buy 5 @ 98
sell bob BTC 5 @ 103
> accepted bob #2 BTC sell 5 @ 103
phase BTC call_auction
> phase BTC continuous to call_auction
buy alice BTC 4 @ 106
> accepted alice #3 BTC buy 4 @ 106
sell carol BTC 4 @ 95
> accepted carol #4 BTC sell 4 @ 95
phase BTC continuous
> uncrossed BTC 4 @ 101 surplus 0
> fill alice #3 BTC buy 4 @ 101 fee 0 auction
> fill carol #4 BTC sell 4 @ 101 fee 0 auction
> phase BTC call_auction to continuous

story the middle of the prices of greatest volume is cut down, and bounded pressure is rounded up
# BTC: 5 trade from 7 to 90: 48.5. ETH: all of 95 to 102 trade 2 with demand over; 5 % above 90 are 94.5, up to 95.
config unit
set markets.BTC.auction {"preset": "vega"}
set markets.ETH.auction {"preset": "bnb"}
set markets.BTC.phase "call_auction"
set markets.ETH.phase "call_auction"
given alice 1000
given bob 1000
index BTC 50
> marked BTC 50 index 50
index ETH 90
> marked ETH 90 index 90
buy alice BTC 2 @ 99
> accepted alice #1 BTC buy 2 @ 99
buy alice BTC 3 @ 90
> accepted alice #2 BTC buy 3 @ 90
sell bob BTC 2 @ 1
> accepted bob #3 BTC sell 2 @ 1
sell bob BTC 3 @ 7
> accepted bob #4 BTC sell 3 @ 7
buy alice ETH 4 @ 102
> accepted alice #5 ETH buy 4 @ 102
sell bob ETH 2 @ 92
> accepted bob #6 ETH sell 2 @ 92
phase BTC continuous
> uncrossed BTC 5 @ 48 surplus 0
> fill alice #1 BTC buy 2 @ 48 fee 0 auction
> fill bob #3 BTC sell 2 @ 48 fee 0 auction
> fill alice #2 BTC buy 3 @ 48 fee 0 auction
> fill bob #4 BTC sell 3 @ 48 fee 0 auction
> phase BTC call_auction to continuous
phase ETH continuous
> uncrossed ETH 2 @ 95 surplus 2
> fill alice #5 ETH buy 2 @ 95 fee 0 auction
> fill bob #6 ETH sell 2 @ 95 fee 0 auction
> phase ETH call_auction to continuous

story where the market allocates, the price at which the volume ends is shared out
# 12 wanted at 100: 10 are for 10, 20 and 30: 2, 3 and 5 with the lot that is left over going to Alice first. Dave's better price is filled whole.
config unit
set markets.BTC.allocation {"type": "pro_rata", "top_order": false, "lead": [], "fifo_ppm": 0, "minimum": 1}
set markets.BTC.auction {"allocation": "market"}
set markets.BTC.phase "call_auction"
given alice 1000
given bob 1000
given carol 1000
given dave 1000
given erin 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 10 @ 100
> accepted alice #1 BTC sell 10 @ 100
sell bob BTC 20 @ 100
> accepted bob #2 BTC sell 20 @ 100
sell carol BTC 30 @ 100
> accepted carol #3 BTC sell 30 @ 100
sell dave BTC 2 @ 99
> accepted dave #4 BTC sell 2 @ 99
buy erin BTC 12 @ 100
> accepted erin #5 BTC buy 12 @ 100
phase BTC continuous
> uncrossed BTC 12 @ 100 surplus -50
> fill erin #5 BTC buy 2 @ 100 fee 0 auction
> fill dave #4 BTC sell 2 @ 100 fee 0 auction
> fill erin #5 BTC buy 2 @ 100 fee 0 auction
> fill alice #1 BTC sell 2 @ 100 fee 0 auction
> fill erin #5 BTC buy 3 @ 100 fee 0 auction
> fill bob #2 BTC sell 3 @ 100 fee 0 auction
> fill erin #5 BTC buy 5 @ 100 fee 0 auction
> fill carol #3 BTC sell 5 @ 100 fee 0 auction
> phase BTC call_auction to continuous

story the prices of a call end at a step beyond a limit that lies off the steps
# Bob's sell slides to a tick above the bid, 101, with prices 5 apart. The mark is 100, so the prices are 100 and 105, and only at 105 does he sell.
config unit
set markets.BTC.auction {"preset": "luld"}
set markets.BTC.entry.price_step 5
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 1 @ 100
> accepted alice #1 BTC buy 1 @ 100
sell bob BTC 2 @ 95 post+slide
> accepted bob #2 BTC sell 2 @ 101 post+slide
phase BTC call_auction
> phase BTC continuous to call_auction
buy alice BTC 2 market
> accepted alice #3 BTC buy 2 market
phase BTC continuous
> uncrossed BTC 2 @ 105 surplus 0
> fill alice #3 BTC buy 2 @ 105 fee 0 auction
> fill bob #2 BTC sell 2 @ 105 fee 0 auction
> phase BTC call_auction to continuous

story an account in liquidation offers its position in the call
# Alice holds 10 lots from 100 with 100 of her own: at 93 equity 30, maintenance 47, bankruptcy price 90. Her owner's hand is off the order; a new
# index makes the round anew. From 90 to 91 6 trade and 4 of supply are over, so at 90: nothing is left for the fund. What is left is cancelled.
config unit
set markets.BTC.auction {"liquidations": true}
set markets.BTC.liquidation.fee_ppm 10000
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
buy alice BTC 1 @ 80
> refused place MarginShort
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 resting
cancel alice BTC #1
> refused cancel UnknownOrder
cancel everyone all
buy carol BTC 6 @ 91
> accepted carol #2 BTC buy 6 @ 91
index BTC 92
> marked BTC 92 index 92
> cancelled alice #1 BTC sell 10 @ 90 liquidation
> closing alice #3 BTC sell 10 @ 90 bankruptcy 90 resting
phase BTC continuous
> uncrossed BTC 6 @ 90 surplus -4
> fill carol #2 BTC buy 6 @ 90 fee 0 auction
> fill alice #3 BTC sell 6 @ 90 fee 0 auction-closing
> cancelled alice #3 BTC sell 4 @ 90 rest
> phase BTC call_auction to continuous
check alice position BTC 4

story nobody else's hand is on the offer either, and a Replace knows it as little as a Cancel
# 3 lots of 10 at the same price would be a pure decrease, 10 at another price a new order; there is no such order for either.
config unit
set markets.BTC.auction {"liquidations": true}
given alice 100
given bob 1000
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
replace alice BTC #1 with 3 @ 90
> refused replace UnknownOrder
replace alice BTC #1 with 10 @ 91
> refused replace UnknownOrder
replace bob BTC #1 with 3 @ 90
> refused replace UnknownOrder
cancel bob BTC #1
> refused cancel UnknownOrder

story what an offer in the call brings above the bankruptcy price pays the liquidation fee
# Now demand is over, so the price is 91. 1 % of 910 is 9.1, up to 10, which is all that there is above 900.
config unit
set markets.BTC.auction {"liquidations": true}
set markets.BTC.liquidation.fee_ppm 10000
set markets.BTC.phase "pre_open"
given alice 100
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy carol BTC 12 @ 91
> accepted carol #1 BTC buy 12 @ 91
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> closing alice #2 BTC sell 10 @ 90 bankruptcy 90 resting
phase BTC continuous
> uncrossed BTC 10 @ 91 surplus 2
> fill carol #1 BTC buy 10 @ 91 fee 0 auction
> fill alice #2 BTC sell 10 @ 91 fee 0 auction-closing
> phase BTC pre_open to continuous
> fund-received main alice BTC 10
pulse
> ended alice recovered equity 0
check alice balance 0
check funds 10

story a reduce-only market order is cut to what is left to reduce, and a stop does not join the call
# Alice is long 3 and her market order for 3 comes after her limit order for 2, which is filled after it: nothing is left to reduce. Dave's stop
# fires by the mark in the call, and is sent when trading goes on.
config unit
set markets.BTC.auction {"market_orders": "cancelled"}
given alice 1000
given bob 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 3 @ 100 from bob
> fill alice BTC buy 3 @ 100 block
> fill bob BTC sell 3 @ 100 block
phase BTC call_auction
> phase BTC continuous to call_auction
sell alice BTC 2 @ 99 reduce
> accepted alice #1 BTC sell 2 @ 99 reduce
sell alice BTC 3 market reduce
> accepted alice #2 BTC sell 3 market reduce
term dave BTC stop 101 mark
buy dave BTC 1 market
> accepted dave #3 BTC buy 1 market waiting
> armed dave #3 BTC buy stop 101 mark
buy bob BTC 5 @ 100
> accepted bob #4 BTC buy 5 @ 100
index BTC 101
> marked BTC 101 index 101
sell bob BTC 1 @ 104
> accepted bob #5 BTC sell 1 @ 104
phase BTC continuous
> uncrossed BTC 5 @ 100 surplus 0
> fill bob #4 BTC buy 3 @ 100 fee 0 auction
> fill alice #2 BTC sell 3 @ 100 fee 0 auction
> cancelled alice #1 BTC sell 2 @ 99 reduce
> phase BTC call_auction to continuous
> triggered dave #3 BTC buy at 101
> accepted dave #3 BTC buy 1 market
> fill bob #5 BTC sell 1 @ 104 fee 0 maker
> fill dave #3 BTC buy 1 @ 104 fee 0 taker

story a protected or minimum market order is not admitted to a call
config unit
set markets.BTC.auction {"market_orders": "limit"}
set markets.BTC.phase "pre_open"
given alice 1000
index BTC 100
> marked BTC 100 index 100
term alice BTC protection 5 ticks
buy alice BTC 1 market
> refused place PhaseRefuses
buy alice BTC 1 @ 100 ioc
> refused place PhaseRefuses
buy alice BTC 1 market
> accepted alice #1 BTC buy 1 market
cancel alice BTC #1
> cancelled alice #1 BTC buy 1 @ 0 user

story an indicative price outside is not told again when only the collar moves
# One of 12 trades at 70. That is outside a collar of 2 % around the index, which has no touch to be around: whatever the index is.
config unit
set markets.BTC.auction {"candidates": "grid", "collar": {"around": "touch", "width_ppm": 20000, "width_min": 0, "action": "refuse"}, "indicative": "command"}
given alice 1000
given bob 1000
index BTC 70
> marked BTC 70 index 70
phase BTC pre_open
> phase BTC continuous to pre_open
buy alice BTC 1 @ 72
> accepted alice #1 BTC buy 1 @ 72
sell bob BTC 12 @ 70
> accepted bob #2 BTC sell 12 @ 70
> indicative BTC 1 @ 70 surplus -11 clears
index BTC 100
> marked BTC 100 index 100
> indicative BTC 1 @ 70 surplus -11 outside
index BTC 101
> marked BTC 101 index 101
