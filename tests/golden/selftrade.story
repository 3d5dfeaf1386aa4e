# What happens before an order meets one of its own party.

story cancel newest: the incoming order ends where it would meet its own
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
sell bob BTC 2 @ 99
> accepted bob #1 BTC sell 2 @ 99
sell alice BTC 5 @ 100
> accepted alice #2 BTC sell 5 @ 100
buy alice BTC 8 @ 101 newest
> accepted alice #3 BTC buy 8 @ 101 newest
> fill bob #1 BTC sell 2 @ 99 fee 0 maker
> fill alice #3 BTC buy 2 @ 99 fee 0 taker
> cancelled alice #3 BTC buy 6 @ 101 self
buy carol BTC 5 @ 100
> accepted carol #4 BTC buy 5 @ 100
> fill alice #2 BTC sell 5 @ 100 fee 0 maker
> fill carol #4 BTC buy 5 @ 100 fee 0 taker

story cancel oldest: the resting order goes and matching goes on
config unit
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 5 @ 100
> accepted alice #1 BTC sell 5 @ 100
sell bob BTC 5 @ 101
> accepted bob #2 BTC sell 5 @ 101
buy alice BTC 8 @ 101 oldest
> accepted alice #3 BTC buy 8 @ 101 oldest
> cancelled alice #1 BTC sell 5 @ 100 self
> fill bob #2 BTC sell 5 @ 101 fee 0 maker
> fill alice #3 BTC buy 5 @ 101 fee 0 taker
cancel alice BTC #3
> cancelled alice #3 BTC buy 3 @ 101 user

story cancel both: the resting order first, then what is left of the incoming one
config unit
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 5 @ 100
> accepted alice #1 BTC sell 5 @ 100
sell bob BTC 5 @ 100
> accepted bob #2 BTC sell 5 @ 100
buy alice BTC 8 @ 101 both
> accepted alice #3 BTC buy 8 @ 101 both
> cancelled alice #1 BTC sell 5 @ 100 self
> cancelled alice #3 BTC buy 8 @ 101 self

story decrement: both lose the smaller quantity, and what rests keeps its place
# 2 come off Alice's 5; her 3 are still before Bob's and one of them trades. Her 2 are set off against 8; of the 6 that go on 5 meet Bob.
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 5 @ 100
> accepted alice #1 BTC sell 5 @ 100
sell bob BTC 5 @ 100
> accepted bob #2 BTC sell 5 @ 100
buy alice BTC 2 @ 100 decrement
> accepted alice #3 BTC buy 2 @ 100 decrement
> cancelled alice #1 BTC sell 2 @ 100 self
> cancelled alice #3 BTC buy 2 @ 100 self
buy carol BTC 1 @ 100
> accepted carol #4 BTC buy 1 @ 100
> fill alice #1 BTC sell 1 @ 100 fee 0 maker
> fill carol #4 BTC buy 1 @ 100 fee 0 taker
buy alice BTC 8 @ 100 decrement
> accepted alice #5 BTC buy 8 @ 100 decrement
> cancelled alice #1 BTC sell 2 @ 100 self
> cancelled alice #5 BTC buy 2 @ 100 self
> fill bob #2 BTC sell 5 @ 100 fee 0 maker
> fill alice #5 BTC buy 5 @ 100 fee 0 taker
cancel alice BTC #5
> cancelled alice #5 BTC buy 1 @ 100 user

story accounts of a group are one party, the incoming order's mode counts, and an order may name its own
# Alice's account cancels the newest, Bob's has no mode. Bob may trade with Alice, she with him only where an order of hers allows it.
config unit
open group 7 newest alice
> opened alice
deposit alice 1000 USD
> deposited alice 1000 USD
open group 7 bob
> opened bob
deposit bob 1000 USD
> deposited bob 1000 USD
open =5
> refused open BadField
open group 4294967296
> refused open BadField
index BTC 100
> marked BTC 100 index 100
sell bob BTC 5 @ 100
> accepted bob #1 BTC sell 5 @ 100
buy alice BTC 5 @ 100
> accepted alice #2 BTC buy 5 @ 100
> cancelled alice #2 BTC buy 5 @ 100 self
buy alice BTC 5 @ 100 allowed
> accepted alice #3 BTC buy 5 @ 100 allowed
> fill bob #1 BTC sell 5 @ 100 fee 0 maker
> fill alice #3 BTC buy 5 @ 100 fee 0 taker
buy alice BTC 5 @ 100
> accepted alice #4 BTC buy 5 @ 100
sell bob BTC 2 @ 100
> accepted bob #5 BTC sell 2 @ 100
> fill alice #4 BTC buy 2 @ 100 fee 0 maker
> fill bob #5 BTC sell 2 @ 100 fee 0 taker
sell bob BTC 2 @ 100 =192
> refused place BadField

story accounts without a group are parties of their own
# Group 0 is no group: Alice and Bob trade, whatever the mode.
config unit
open newest alice
> opened alice
deposit alice 1000 USD
> deposited alice 1000 USD
given bob 1000
index BTC 100
> marked BTC 100 index 100
sell bob BTC 5 @ 100
> accepted bob #1 BTC sell 5 @ 100
buy alice BTC 5 @ 100
> accepted alice #2 BTC buy 5 @ 100
> fill bob #1 BTC sell 5 @ 100 fee 0 maker
> fill alice #2 BTC buy 5 @ 100 fee 0 taker

story fill-or-kill counts up to an order of its own, or past it where that one would go
# Alice's own 3 come first. Only cancel oldest gets past them to Bob's 5.
config unit
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 3 @ 100
> accepted alice #1 BTC sell 3 @ 100
sell bob BTC 5 @ 100
> accepted bob #2 BTC sell 5 @ 100
buy alice BTC 5 @ 100 fok newest
> refused place NotFillable
buy alice BTC 5 @ 100 fok both
> refused place NotFillable
buy alice BTC 5 @ 100 fok decrement
> refused place NotFillable
buy alice BTC 5 @ 100 fok oldest
> accepted alice #3 BTC buy 5 @ 100 fok oldest
> cancelled alice #1 BTC sell 3 @ 100 self
> fill bob #2 BTC sell 5 @ 100 fee 0 maker
> fill alice #3 BTC buy 5 @ 100 fee 0 taker

story a minimum counts up to an order of its own
# Bob's 5 come before Alice's own 3.
config unit
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
sell bob BTC 5 @ 100
> accepted bob #1 BTC sell 5 @ 100
sell alice BTC 3 @ 101
> accepted alice #2 BTC sell 3 @ 101
term alice BTC minimum 6
buy alice BTC 9 @ 101 newest
> refused place NotFillable
term alice BTC minimum 5
buy alice BTC 9 @ 101 newest
> accepted alice #3 BTC buy 9 @ 101 newest
> fill bob #1 BTC sell 5 @ 100 fee 0 maker
> fill alice #3 BTC buy 5 @ 100 fee 0 taker
> cancelled alice #3 BTC buy 4 @ 101 self

story a post-only order looks at its own orders as at any other
config unit
given alice 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 3 @ 100
> accepted alice #1 BTC sell 3 @ 100
buy alice BTC 1 @ 100 post+oldest
> refused place WouldTake
buy alice BTC 1 @ 100 post+slide+oldest
> accepted alice #2 BTC buy 1 @ 99 post+slide+oldest

story an iceberg loses what is behind first, and goes as a whole
# Decrement by 8 takes the 7 behind and one of the 3 shown; the 2 that are left stand where they stood. Cancel oldest takes all 10 of the next.
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
term alice BTC display 3
sell alice BTC 10 @ 100
> accepted alice #1 BTC sell 10 @ 100
> shown alice #1 BTC sell 3 @ 100 behind 7
sell bob BTC 5 @ 100
> accepted bob #2 BTC sell 5 @ 100
buy alice BTC 8 @ 100 decrement
> accepted alice #3 BTC buy 8 @ 100 decrement
> cancelled alice #1 BTC sell 8 @ 100 self
> cancelled alice #3 BTC buy 8 @ 100 self
buy carol BTC 3 @ 100
> accepted carol #4 BTC buy 3 @ 100
> fill alice #1 BTC sell 2 @ 100 fee 0 maker
> fill carol #4 BTC buy 2 @ 100 fee 0 taker
> fill bob #2 BTC sell 1 @ 100 fee 0 maker
> fill carol #4 BTC buy 1 @ 100 fee 0 taker
term alice BTC display 3
sell alice BTC 10 @ 101
> accepted alice #5 BTC sell 10 @ 101
> shown alice #5 BTC sell 3 @ 101 behind 7
buy alice BTC 5 @ 101 oldest
> accepted alice #6 BTC buy 5 @ 101 oldest
> fill bob #2 BTC sell 4 @ 100 fee 0 maker
> fill alice #6 BTC buy 4 @ 100 fee 0 taker
> cancelled alice #5 BTC sell 10 @ 101 self

story self-trade is looked at before reduce-only
# Alice's reduce-only order has nothing left to reduce. Her own order does not touch it, Carol's makes it fall away.
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
sell alice BTC 5 @ 100 reduce
> accepted alice #1 BTC sell 5 @ 100 reduce
block BTC bob buys 5 @ 100 from alice
> fill bob BTC buy 5 @ 100 block
> fill alice BTC sell 5 @ 100 block
buy alice BTC 2 @ 100 newest
> accepted alice #2 BTC buy 2 @ 100 newest
> cancelled alice #2 BTC buy 2 @ 100 self
buy carol BTC 2 @ 100
> accepted carol #3 BTC buy 2 @ 100
> cancelled alice #1 BTC sell 5 @ 100 reduce
