# Orders are collected, then meet at one price.

story a halt ends with a reopening auction
# During the halt nothing is placed, but orders can be cancelled. The auction takes limit orders, which do not match. At 99 and at 100
# the volume is 6 with 3 of demand left over, so the higher; at 101 it is 4. Both sides pay the maker fee: 0.4 and 0.2 up to 1.
config unit
set markets.BTC.reopen_auction_ns 10000000000
set markets.BTC.fees.maker_ppm 1000
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 1 @ 90
> accepted alice #1 BTC buy 1 @ 90
phase BTC halted until 30s
> phase BTC continuous to halted until 30s
at 20s
buy alice BTC 1 @ 91
> refused place PhaseRefuses
cancel alice BTC #1
> cancelled alice #1 BTC buy 1 @ 90 user
at 30s
buy alice BTC 4 @ 101
> phase BTC halted to call_auction until 40s
> accepted alice #2 BTC buy 4 @ 101
buy carol BTC 5 @ 100
> accepted carol #3 BTC buy 5 @ 100
sell bob BTC 6 @ 99
> accepted bob #4 BTC sell 6 @ 99
sell bob BTC 2 @ 101
> accepted bob #5 BTC sell 2 @ 101
buy alice BTC 1 market
> refused place PhaseRefuses
block BTC alice buys 1 @ 100 from bob
> refused block PhaseRefuses
at 41s
pulse
> uncrossed BTC 6 @ 100 surplus 3
> fill alice #2 BTC buy 4 @ 100 fee 1 auction
> fill bob #4 BTC sell 4 @ 100 fee 1 auction
> fill carol #3 BTC buy 2 @ 100 fee 1 auction
> fill bob #4 BTC sell 2 @ 100 fee 1 auction
> phase BTC call_auction to continuous
check fees 4

story equal volume and surplus: the nearest price to the mark, and the higher of two as near
config unit
set markets.BTC.phase "call_auction"
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 5 @ 102
> accepted alice #1 BTC buy 5 @ 102
sell bob BTC 5 @ 98
> accepted bob #2 BTC sell 5 @ 98
phase BTC continuous
> uncrossed BTC 5 @ 102 surplus 0
> fill alice #1 BTC buy 5 @ 102 fee 0 auction
> fill bob #2 BTC sell 5 @ 102 fee 0 auction
> phase BTC call_auction to continuous

story the nearest price wins over the higher
config unit
set markets.BTC.phase "call_auction"
given alice 1000
given bob 1000
index BTC 99
> marked BTC 99 index 99
buy alice BTC 5 @ 102
> accepted alice #1 BTC buy 5 @ 102
sell bob BTC 5 @ 98
> accepted bob #2 BTC sell 5 @ 98
phase BTC continuous
> uncrossed BTC 5 @ 98 surplus 0
> fill alice #1 BTC buy 5 @ 98 fee 0 auction
> fill bob #2 BTC sell 5 @ 98 fee 0 auction
> phase BTC call_auction to continuous

story with demand left over the highest price, with supply left over the lowest
# BTC: 5 against 3 at every price from 98 to 102. ETH: 3 against 5.
config unit
set markets.BTC.phase "call_auction"
set markets.ETH.phase "pre_open"
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
index ETH 100
> marked ETH 100 index 100
buy alice BTC 5 @ 102
> accepted alice #1 BTC buy 5 @ 102
sell bob BTC 3 @ 98
> accepted bob #2 BTC sell 3 @ 98
buy alice ETH 3 @ 102
> accepted alice #3 ETH buy 3 @ 102
sell bob ETH 5 @ 98
> accepted bob #4 ETH sell 5 @ 98
phase BTC continuous
> uncrossed BTC 3 @ 102 surplus 2
> fill alice #1 BTC buy 3 @ 102 fee 0 auction
> fill bob #2 BTC sell 3 @ 102 fee 0 auction
> phase BTC call_auction to continuous
phase ETH continuous
> uncrossed ETH 3 @ 98 surplus -2
> fill alice #3 ETH buy 3 @ 98 fee 0 auction
> fill bob #4 ETH sell 3 @ 98 fee 0 auction
> phase ETH pre_open to continuous

story in an auction the better price goes first, then the longer resting
# Demand 8, supply 6 at 100; at 101 and 102 the volume is 3.
config unit
set markets.BTC.phase "call_auction"
given alice 1000
given bob 1000
given carol 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 3 @ 100
> accepted alice #1 BTC buy 3 @ 100
buy bob BTC 2 @ 100
> accepted bob #2 BTC buy 2 @ 100
buy carol BTC 3 @ 102
> accepted carol #3 BTC buy 3 @ 102
sell dave BTC 6 @ 100
> accepted dave #4 BTC sell 6 @ 100
phase BTC continuous
> uncrossed BTC 6 @ 100 surplus 2
> fill carol #3 BTC buy 3 @ 100 fee 0 auction
> fill dave #4 BTC sell 3 @ 100 fee 0 auction
> fill alice #1 BTC buy 3 @ 100 fee 0 auction
> fill dave #4 BTC sell 3 @ 100 fee 0 auction
> phase BTC call_auction to continuous

story a book that does not cross opens without a trade
config unit
set markets.BTC.phase "call_auction"
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 5 @ 99
> accepted alice #1 BTC buy 5 @ 99
sell bob BTC 5 @ 101
> accepted bob #2 BTC sell 5 @ 101
phase BTC continuous
> phase BTC call_auction to continuous

story an auction counts what icebergs and hidden orders hold, and fills them in the order of the book
# Supply 10 of Alice, 5 of Dave and 4 of Bob against 16. Alice's parts of 3, 3, 3 and 1 go behind Bob each time; Dave's hidden order is last.
config unit
set markets.BTC.phase "call_auction"
given alice 1000
given bob 1000
given carol 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
term alice BTC display 3
sell alice BTC 10 @ 100
> accepted alice #1 BTC sell 10 @ 100
> shown alice #1 BTC sell 3 @ 100 behind 7
sell dave BTC 5 @ 100 hidden
> accepted dave #2 BTC sell 5 @ 100 hidden
sell bob BTC 4 @ 100
> accepted bob #3 BTC sell 4 @ 100
buy carol BTC 16 @ 100
> accepted carol #4 BTC buy 16 @ 100
phase BTC continuous
> uncrossed BTC 16 @ 100 surplus -3
> fill carol #4 BTC buy 3 @ 100 fee 0 auction
> fill alice #1 BTC sell 3 @ 100 fee 0 auction
> shown alice #1 BTC sell 3 @ 100 behind 4
> fill carol #4 BTC buy 4 @ 100 fee 0 auction
> fill bob #3 BTC sell 4 @ 100 fee 0 auction
> fill carol #4 BTC buy 3 @ 100 fee 0 auction
> fill alice #1 BTC sell 3 @ 100 fee 0 auction
> shown alice #1 BTC sell 3 @ 100 behind 1
> fill carol #4 BTC buy 3 @ 100 fee 0 auction
> fill alice #1 BTC sell 3 @ 100 fee 0 auction
> shown alice #1 BTC sell 1 @ 100 behind 0
> fill carol #4 BTC buy 1 @ 100 fee 0 auction
> fill alice #1 BTC sell 1 @ 100 fee 0 auction
> fill carol #4 BTC buy 2 @ 100 fee 0 auction
> fill dave #2 BTC sell 2 @ 100 fee 0 auction
> phase BTC call_auction to continuous

story orders that fall away in an auction let it begin anew
# Alice is long 5 and offers 5 reduce-only twice. 10 could trade at 99; after the first 5 the second order reduces nothing. Carol and Bob are
# left crossed at 100.
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
phase BTC call_auction
> phase BTC continuous to call_auction
sell alice BTC 5 @ 98 reduce
> accepted alice #1 BTC sell 5 @ 98 reduce
sell alice BTC 5 @ 99 reduce
> accepted alice #2 BTC sell 5 @ 99 reduce
sell bob BTC 5 @ 100
> accepted bob #3 BTC sell 5 @ 100
buy carol BTC 10 @ 100
> accepted carol #4 BTC buy 10 @ 100
phase BTC continuous
> uncrossed BTC 10 @ 99 surplus 0
> fill carol #4 BTC buy 5 @ 99 fee 0 auction
> fill alice #1 BTC sell 5 @ 99 fee 0 auction
> cancelled alice #2 BTC sell 5 @ 99 reduce
> uncrossed BTC 5 @ 100 surplus 0
> fill carol #4 BTC buy 5 @ 100 fee 0 auction
> fill bob #3 BTC sell 5 @ 100 fee 0 auction
> phase BTC call_auction to continuous
check alice position BTC 0

story an auction is one observed price, and fires what waits for it after the phase has changed
# 3 and 2 trade at 100, the mark: one price. Dave's stop at 100 was placed in the auction.
config unit
set markets.BTC.phase "call_auction"
given alice 1000
given bob 1000
given carol 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 5 @ 101
> accepted alice #1 BTC buy 5 @ 101
sell bob BTC 3 @ 99
> accepted bob #2 BTC sell 3 @ 99
sell carol BTC 2 @ 100
> accepted carol #3 BTC sell 2 @ 100
term dave BTC stop 100 last
buy dave BTC 1 @ 90
> accepted dave #4 BTC buy 1 @ 90 waiting
> armed dave #4 BTC buy stop 100 last
phase BTC continuous
> uncrossed BTC 5 @ 100 surplus 0
> fill alice #1 BTC buy 3 @ 100 fee 0 auction
> fill bob #2 BTC sell 3 @ 100 fee 0 auction
> fill alice #1 BTC buy 2 @ 100 fee 0 auction
> fill carol #3 BTC sell 2 @ 100 fee 0 auction
> phase BTC call_auction to continuous
> triggered dave #4 BTC buy at 100
> accepted dave #4 BTC buy 1 @ 90

story an auction takes one leg and cancels the other, and looks at no self-trade
# Alice's sell at 100 meets her own buy; both have another leg, and the buy's goes first.
config unit
set markets.BTC.phase "call_auction"
given alice 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 5 @ 90
> accepted alice #1 BTC buy 5 @ 90
term alice BTC other #1
buy alice BTC 5 @ 100 newest
> accepted alice #2 BTC buy 5 @ 100 newest
sell alice BTC 5 @ 110
> accepted alice #3 BTC sell 5 @ 110
term alice BTC other #3
sell alice BTC 5 @ 100 newest
> accepted alice #4 BTC sell 5 @ 100 newest
phase BTC continuous
> uncrossed BTC 5 @ 100 surplus 0
> fill alice #2 BTC buy 5 @ 100 fee 0 auction
> fill alice #4 BTC sell 5 @ 100 fee 0 auction
> cancelled alice #1 BTC buy 5 @ 90 other
> cancelled alice #3 BTC sell 5 @ 110 other
> phase BTC call_auction to continuous
