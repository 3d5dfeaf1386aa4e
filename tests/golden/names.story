# Client ids, orders with another leg, quotes, mass cancels.

story hashed client ids are unique among the open orders of an account
# Bob may use Alice's number. 0 is no name. After the end of an order, by a cancel or a fill, its number is free; a waiting order holds its own.
config unit
set markets.BTC.client_ids "hashed"
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 1 @ 99 client 77
> accepted alice #1 BTC buy 1 @ 99 client 77
buy alice BTC 1 @ 98 client 77
> refused place DuplicateClientId
buy alice BTC 1 @ 98 ioc client 77
> refused place DuplicateClientId
buy bob BTC 1 @ 99 client 77
> accepted bob #2 BTC buy 1 @ 99 client 77
buy alice BTC 1 @ 97
> accepted alice #3 BTC buy 1 @ 97
buy alice BTC 1 @ 96
> accepted alice #4 BTC buy 1 @ 96
replace alice BTC client 77 with 2 @ 98
> replaced alice #1 BTC buy 2 @ 98 moved
cancel alice BTC client 77
> cancelled alice #1 BTC buy 2 @ 98 user
cancel alice BTC client 77
> refused cancel UnknownOrder
buy alice BTC 1 @ 99 client 77
> accepted alice #5 BTC buy 1 @ 99 client 77
sell carol BTC 2 @ 99
> accepted carol #6 BTC sell 2 @ 99
> fill bob #2 BTC buy 1 @ 99 fee 0 maker
> fill carol #6 BTC sell 1 @ 99 fee 0 taker
> fill alice #5 BTC buy 1 @ 99 fee 0 maker
> fill carol #6 BTC sell 1 @ 99 fee 0 taker
term alice BTC stop 110 mark
buy alice BTC 1 market client 77
> accepted alice #7 BTC buy 1 market waiting client 77
> armed alice #7 BTC buy stop 110 mark
buy alice BTC 1 @ 95 client 77
> refused place DuplicateClientId
cancel alice BTC client 77
> cancelled alice #7 BTC buy 1 @ 0 user
cancel alice ETH client 77
> refused cancel BadField
cancel alice BTC #3 flags 2
> refused cancel BadField

story dense client ids number the open orders of the market
config unit
set markets.BTC.client_ids {"dense": {"max": 10}}
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 1 @ 99 client 3
> accepted alice #1 BTC buy 1 @ 99 client 3
buy bob BTC 1 @ 99 client 3
> refused place DuplicateClientId
buy bob BTC 1 @ 99 client 11
> refused place BadField
buy bob BTC 1 @ 99 client 10
> accepted bob #2 BTC buy 1 @ 99 client 10
cancel alice BTC client 3
> cancelled alice #1 BTC buy 1 @ 99 user
buy bob BTC 1 @ 98 client 3
> accepted bob #3 BTC buy 1 @ 98 client 3

story one leg trades and the other goes
# A leg can be tied once, and only by its owner. What is left of the one that traded stays.
config unit
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 5 @ 105
> accepted alice #1 BTC sell 5 @ 105
term bob BTC other #1
sell bob BTC 5 @ 111
> refused place NotYourOrder
term alice BTC other #9
sell alice BTC 5 @ 110
> refused place UnknownOrder
term alice BTC other #1
sell alice BTC 5 @ 110
> accepted alice #2 BTC sell 5 @ 110
term alice BTC other #1
sell alice BTC 5 @ 111
> refused place BadField
buy bob BTC 2 @ 105
> accepted bob #3 BTC buy 2 @ 105
> fill alice #1 BTC sell 2 @ 105 fee 0 maker
> fill bob #3 BTC buy 2 @ 105 fee 0 taker
> cancelled alice #2 BTC sell 5 @ 110 other
cancel alice BTC #1
> cancelled alice #1 BTC sell 3 @ 105 user

story a stop that fires takes the target with it
# Alice is long 5 with a target at 110 and a stop at 95.
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
buy carol BTC 5 @ 94
> accepted carol #1 BTC buy 5 @ 94
sell alice BTC 5 @ 110
> accepted alice #2 BTC sell 5 @ 110
term alice BTC stop 95 mark
term alice BTC other #2
sell alice BTC 5 market
> accepted alice #3 BTC sell 5 market waiting
> armed alice #3 BTC sell stop 95 mark
index BTC 95
> marked BTC 95 index 95
> triggered alice #3 BTC sell at 95
> cancelled alice #2 BTC sell 5 @ 110 other
> accepted alice #3 BTC sell 5 market
> fill carol #1 BTC buy 5 @ 94 fee 0 maker
> fill alice #3 BTC sell 5 @ 94 fee 0 taker
check alice position BTC 0
check alice balance 970

story one leg is cancelled or expires and the other goes; a replace is neither
config unit
given alice 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 1 @ 99
> accepted alice #1 BTC buy 1 @ 99
term alice BTC other #1
buy alice BTC 1 @ 98
> accepted alice #2 BTC buy 1 @ 98
replace alice BTC #1 with 2 @ 97
> replaced alice #1 BTC buy 2 @ 97 moved
cancel alice BTC #1
> cancelled alice #1 BTC buy 2 @ 97 user
> cancelled alice #2 BTC buy 1 @ 98 other
term alice BTC expiry 10s
buy alice BTC 1 @ 99
> accepted alice #3 BTC buy 1 @ 99
term alice BTC other #3
buy alice BTC 1 @ 98
> accepted alice #4 BTC buy 1 @ 98
at 10s
pulse
> cancelled alice #3 BTC buy 1 @ 99 expired
> cancelled alice #4 BTC buy 1 @ 98 other

story a new leg that is over at once ends the other as well
# First it is filled, then it ends at an order of Alice's own.
config unit
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
sell bob BTC 1 @ 100
> accepted bob #1 BTC sell 1 @ 100
buy alice BTC 1 @ 95
> accepted alice #2 BTC buy 1 @ 95
term alice BTC other #2
buy alice BTC 1 @ 100
> accepted alice #3 BTC buy 1 @ 100
> fill bob #1 BTC sell 1 @ 100 fee 0 maker
> fill alice #3 BTC buy 1 @ 100 fee 0 taker
> cancelled alice #2 BTC buy 1 @ 95 other
sell alice BTC 1 @ 100
> accepted alice #4 BTC sell 1 @ 100
buy alice BTC 1 @ 95
> accepted alice #5 BTC buy 1 @ 95
term alice BTC other #5
buy alice BTC 1 @ 100 newest
> accepted alice #6 BTC buy 1 @ 100 newest
> cancelled alice #6 BTC buy 1 @ 100 self
> cancelled alice #5 BTC buy 1 @ 95 other

story a quote keeps what it can, and cancels before it places
# Equal: nothing happens. Smaller at the same price: the place is kept. Everything else goes and comes anew; a side without lots only goes.
config unit
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
quote alice BTC 1 bid 5 @ 99 ask 5 @ 101
> accepted alice #1 BTC buy 5 @ 99
> accepted alice #2 BTC sell 5 @ 101
quote alice BTC 1 bid 5 @ 99 ask 5 @ 101
quote alice BTC 1 bid 3 @ 99 ask 5 @ 102
> replaced alice #1 BTC buy 3 @ 99 kept
> cancelled alice #2 BTC sell 5 @ 101 requoted
> accepted alice #3 BTC sell 5 @ 102
quote alice BTC 1 bid 4 @ 99 ask 0 @ 0
> cancelled alice #1 BTC buy 3 @ 99 requoted
> cancelled alice #3 BTC sell 5 @ 102 requoted
> accepted alice #4 BTC buy 4 @ 99
quote alice BTC 2 bid 2 @ 98 ask 2 @ 103
> accepted alice #5 BTC buy 2 @ 98
> accepted alice #6 BTC sell 2 @ 103
sell bob BTC 1 @ 99
> accepted bob #7 BTC sell 1 @ 99
> fill alice #4 BTC buy 1 @ 99 fee 0 maker
> fill bob #7 BTC sell 1 @ 99 fee 0 taker
quote alice BTC 1 bid 3 @ 99 ask 0 @ 0
quote alice BTC 1 bid 0 @ 0 ask 0 @ 0
> cancelled alice #4 BTC buy 3 @ 99 requoted

story one side of a quote is refused and the other stands
# The buy at 100 would take. The next quote finds no buy to keep; the sell stays where it is.
config unit
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
sell bob BTC 5 @ 100
> accepted bob #1 BTC sell 5 @ 100
quote alice BTC 1 bid 5 @ 100 ask 5 @ 103 post
> refused quote buy 5 @ 100 WouldTake
> accepted alice #2 BTC sell 5 @ 103 post
quote alice BTC 1 bid 5 @ 99 ask 5 @ 103 post
> accepted alice #3 BTC buy 5 @ 99 post
quote alice BTC 1 bid 5 @ 103 ask 5 @ 103
> refused quote BadField
quote alice BTC 1 bid 5 @ 99 ask 5 @ 103 reduce
> refused quote BadField
quote alice BTC 1 bid 5 @ 99 ask 5 @ 103 slide
> refused quote BadField
quote alice BTC 1 bid -1 @ 99 ask 5 @ 103
> refused quote BadField
phase BTC reduce_only
> phase BTC continuous to reduce_only
quote alice BTC 1 bid 5 @ 98 ask 5 @ 104
> refused quote PhaseRefuses

story a mass cancel takes a side, a session or everyone's orders, the newest first
# The operator's cancels have a reason of their own. Waiting orders go like resting ones.
config unit
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
buy alice BTC 1 @ 99 session 5
> accepted alice #1 BTC buy 1 @ 99
sell alice BTC 1 @ 101 session 5
> accepted alice #2 BTC sell 1 @ 101
buy alice BTC 1 @ 98
> accepted alice #3 BTC buy 1 @ 98
buy bob BTC 1 @ 97 session 5
> accepted bob #4 BTC buy 1 @ 97
sell bob BTC 1 @ 102
> accepted bob #5 BTC sell 1 @ 102
term bob BTC stop 110 mark
buy bob BTC 1 market session 5
> accepted bob #6 BTC buy 1 market waiting
> armed bob #6 BTC buy stop 110 mark
buy alice BTC 1 @ 99 session 65536
> refused place BadField
cancel alice BTC all buy session 5
> cancelled alice #1 BTC buy 1 @ 99 user
cancel everyone BTC all session 5
> cancelled bob #6 BTC buy 1 @ 0 operator
> cancelled bob #4 BTC buy 1 @ 97 operator
> cancelled alice #2 BTC sell 1 @ 101 operator
cancel everyone all sell
> cancelled bob #5 BTC sell 1 @ 102 operator
cancel everyone all
> cancelled alice #3 BTC buy 1 @ 98 operator
cancel alice BTC all =2
> refused cancel_all BadField
cancel alice BTC all buy session 0 flags 4
> refused cancel_all BadField

story a leg that is cut in part keeps its other leg
# 2 of the 5 at 105 are set off against a buy of Alice's own. Only a trade ends the other leg.
config unit
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 5 @ 105
> accepted alice #1 BTC sell 5 @ 105
term alice BTC other #1
sell alice BTC 5 @ 110
> accepted alice #2 BTC sell 5 @ 110
buy alice BTC 2 @ 105 decrement
> accepted alice #3 BTC buy 2 @ 105 decrement
> cancelled alice #1 BTC sell 2 @ 105 self
> cancelled alice #3 BTC buy 2 @ 105 self
buy bob BTC 1 @ 105
> accepted bob #4 BTC buy 1 @ 105
> fill alice #1 BTC sell 1 @ 105 fee 0 maker
> fill bob #4 BTC buy 1 @ 105 fee 0 taker
> cancelled alice #2 BTC sell 5 @ 110 other

story two legs that fire together: the first one sent takes the other out of the queue
config unit
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
buy bob BTC 5 @ 94
> accepted bob #1 BTC buy 5 @ 94
term alice BTC stop 95 mark
sell alice BTC 1 market
> accepted alice #2 BTC sell 1 market waiting
> armed alice #2 BTC sell stop 95 mark
term alice BTC stop 96 mark
term alice BTC other #2
sell alice BTC 2 market
> accepted alice #3 BTC sell 2 market waiting
> armed alice #3 BTC sell stop 96 mark
index BTC 95
> marked BTC 95 index 95
> triggered alice #2 BTC sell at 95
> cancelled alice #3 BTC sell 2 @ 0 other
> accepted alice #2 BTC sell 1 market
> fill bob #1 BTC buy 1 @ 94 fee 0 maker
> fill alice #2 BTC sell 1 @ 94 fee 0 taker
