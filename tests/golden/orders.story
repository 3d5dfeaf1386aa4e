# Orders that are not what they show, that do not last, or that stand under conditions.

story an iceberg shows a part at a time, and its next part goes to the back of its price
# Alice shows 3 of 10. Carol takes 9: 3 of Alice, 4 of Bob, and 2 of the 3 that Alice shows next. 1 shown and 4 behind are left.
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
term alice BTC display 3
sell alice BTC 10 @ 101
> accepted alice #1 BTC sell 10 @ 101
> shown alice #1 BTC sell 3 @ 101 behind 7
sell bob BTC 4 @ 101
> accepted bob #2 BTC sell 4 @ 101
buy carol BTC 9 @ 101
> accepted carol #3 BTC buy 9 @ 101
> fill alice #1 BTC sell 3 @ 101 fee 0 maker
> fill carol #3 BTC buy 3 @ 101 fee 0 taker
> shown alice #1 BTC sell 3 @ 101 behind 4
> fill bob #2 BTC sell 4 @ 101 fee 0 maker
> fill carol #3 BTC buy 4 @ 101 fee 0 taker
> fill alice #1 BTC sell 2 @ 101 fee 0 maker
> fill carol #3 BTC buy 2 @ 101 fee 0 taker
cancel alice BTC #1
> cancelled alice #1 BTC sell 5 @ 101 user

story a sweep takes every part of an iceberg before the next price
# 10 lots in parts of 4, 4 and 2. After the last one nothing is behind.
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
term alice BTC display 4
sell alice BTC 10 @ 101
> accepted alice #1 BTC sell 10 @ 101
> shown alice #1 BTC sell 4 @ 101 behind 6
sell bob BTC 5 @ 102
> accepted bob #2 BTC sell 5 @ 102
buy carol BTC 11 @ 102
> accepted carol #3 BTC buy 11 @ 102
> fill alice #1 BTC sell 4 @ 101 fee 0 maker
> fill carol #3 BTC buy 4 @ 101 fee 0 taker
> shown alice #1 BTC sell 4 @ 101 behind 2
> fill alice #1 BTC sell 4 @ 101 fee 0 maker
> fill carol #3 BTC buy 4 @ 101 fee 0 taker
> shown alice #1 BTC sell 2 @ 101 behind 0
> fill alice #1 BTC sell 2 @ 101 fee 0 maker
> fill carol #3 BTC buy 2 @ 101 fee 0 taker
> fill bob #2 BTC sell 1 @ 102 fee 0 maker
> fill carol #3 BTC buy 1 @ 102 fee 0 taker

story what rests of an iceberg is shown, and a smaller quantity comes off behind
# 4 of 12 trade at once; 3 are shown and 5 are behind. At 4 lots one is behind, at 2 none is, and the place is kept.
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
sell bob BTC 4 @ 100
> accepted bob #1 BTC sell 4 @ 100
term alice BTC display 3
buy alice BTC 12 @ 100
> accepted alice #2 BTC buy 12 @ 100
> fill bob #1 BTC sell 4 @ 100 fee 0 maker
> fill alice #2 BTC buy 4 @ 100 fee 0 taker
> shown alice #2 BTC buy 3 @ 100 behind 5
buy carol BTC 1 @ 100
> accepted carol #3 BTC buy 1 @ 100
replace alice BTC #2 with 4 @ 100
> replaced alice #2 BTC buy 4 @ 100 kept
replace alice BTC #2 with 2 @ 100
> replaced alice #2 BTC buy 2 @ 100 kept
sell bob BTC 3 @ 100
> accepted bob #4 BTC sell 3 @ 100
> fill alice #2 BTC buy 2 @ 100 fee 0 maker
> fill bob #4 BTC sell 2 @ 100 fee 0 taker
> fill carol #3 BTC buy 1 @ 100 fee 0 maker
> fill bob #4 BTC sell 1 @ 100 fee 0 taker

story a hidden order stands behind the shown ones of its price, and before the next price
# Whoever must not take is told of it all the same.
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 5 @ 101 hidden
> accepted alice #1 BTC sell 5 @ 101 hidden
buy carol BTC 1 @ 101 post
> refused place WouldTake
sell bob BTC 5 @ 101
> accepted bob #2 BTC sell 5 @ 101
sell bob BTC 5 @ 102
> accepted bob #3 BTC sell 5 @ 102
buy carol BTC 12 @ 102
> accepted carol #4 BTC buy 12 @ 102
> fill bob #2 BTC sell 5 @ 101 fee 0 maker
> fill carol #4 BTC buy 5 @ 101 fee 0 taker
> fill alice #1 BTC sell 5 @ 101 fee 0 maker
> fill carol #4 BTC buy 5 @ 101 fee 0 taker
> fill bob #3 BTC sell 2 @ 102 fee 0 maker
> fill carol #4 BTC buy 2 @ 102 fee 0 taker

story a sliding order stops one tick short of the best opposite price, hidden or not
# The best ask is 101, hidden: 103 becomes 100, and so does 105 on a replace; 99 would not take and stays. Short of 1 there is no price.
config unit
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
sell bob BTC 5 @ 101 hidden
> accepted bob #1 BTC sell 5 @ 101 hidden
buy alice BTC 3 @ 103 post+slide
> accepted alice #2 BTC buy 3 @ 100 post+slide
buy alice BTC 3 @ 99 post+slide
> accepted alice #3 BTC buy 3 @ 99 post+slide
replace alice BTC #3 with 4 @ 105
> replaced alice #3 BTC buy 4 @ 100 moved
buy alice BTC 1 @ 100 slide
> refused place BadField
cancel alice all
> cancelled alice #3 BTC buy 4 @ 100 user
> cancelled alice #2 BTC buy 3 @ 100 user
sell bob BTC 1 @ 1
> accepted bob #4 BTC sell 1 @ 1
buy alice BTC 1 @ 5 post+slide
> refused place WouldTake

story protection limits how far from the touch a market order goes
# 2 ticks from 100 are 102. 1.5 % above 104 is 105.56, down to 105. 1.5 % below 98 is 96.53, up to 97.
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 2 @ 100
> accepted alice #1 BTC sell 2 @ 100
sell alice BTC 2 @ 102
> accepted alice #2 BTC sell 2 @ 102
sell alice BTC 2 @ 104
> accepted alice #3 BTC sell 2 @ 104
term bob BTC protection 2 ticks
buy bob BTC 5 market
> accepted bob #4 BTC buy 5 market
> fill alice #1 BTC sell 2 @ 100 fee 0 maker
> fill bob #4 BTC buy 2 @ 100 fee 0 taker
> fill alice #2 BTC sell 2 @ 102 fee 0 maker
> fill bob #4 BTC buy 2 @ 102 fee 0 taker
> cancelled bob #4 BTC buy 1 @ 0 rest
sell alice BTC 2 @ 105
> accepted alice #5 BTC sell 2 @ 105
sell alice BTC 2 @ 106
> accepted alice #6 BTC sell 2 @ 106
term bob BTC protection 15000 ppm
buy bob BTC 9 market
> accepted bob #7 BTC buy 9 market
> fill alice #3 BTC sell 2 @ 104 fee 0 maker
> fill bob #7 BTC buy 2 @ 104 fee 0 taker
> fill alice #5 BTC sell 2 @ 105 fee 0 maker
> fill bob #7 BTC buy 2 @ 105 fee 0 taker
> cancelled bob #7 BTC buy 5 @ 0 rest
buy carol BTC 1 @ 98
> accepted carol #8 BTC buy 1 @ 98
buy carol BTC 1 @ 97
> accepted carol #9 BTC buy 1 @ 97
buy carol BTC 1 @ 96
> accepted carol #10 BTC buy 1 @ 96
term bob BTC protection 15000 ppm
sell bob BTC 3 market
> accepted bob #11 BTC sell 3 market
> fill carol #8 BTC buy 1 @ 98 fee 0 maker
> fill bob #11 BTC sell 1 @ 98 fee 0 taker
> fill carol #9 BTC buy 1 @ 97 fee 0 maker
> fill bob #11 BTC sell 1 @ 97 fee 0 taker
> cancelled bob #11 BTC sell 1 @ 0 rest
# A limit is a protection of its own.
term bob BTC protection 2 ticks
buy bob BTC 1 @ 100
> refused place BadField

story a minimum is filled at once or the order is refused
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 3 @ 100
> accepted alice #1 BTC sell 3 @ 100
sell alice BTC 3 @ 101
> accepted alice #2 BTC sell 3 @ 101
term bob BTC minimum 4
buy bob BTC 9 @ 100
> refused place NotFillable
term bob BTC minimum 4
buy bob BTC 9 @ 101
> accepted bob #3 BTC buy 9 @ 101
> fill alice #1 BTC sell 3 @ 100 fee 0 maker
> fill bob #3 BTC buy 3 @ 100 fee 0 taker
> fill alice #2 BTC sell 3 @ 101 fee 0 maker
> fill bob #3 BTC buy 3 @ 101 fee 0 taker
term carol BTC minimum 4
sell carol BTC 5 @ 101 ioc
> refused place NotFillable
term carol BTC minimum 3
sell carol BTC 5 @ 101 ioc
> accepted carol #4 BTC sell 5 @ 101 ioc
> fill bob #3 BTC buy 3 @ 101 fee 0 maker
> fill carol #4 BTC sell 3 @ 101 fee 0 taker
> cancelled carol #4 BTC sell 2 @ 101 rest
term carol BTC minimum 6
sell carol BTC 5 @ 101
> refused place BadField
term carol BTC minimum 1
sell carol BTC 5 @ 101 post
> refused place BadField
term carol BTC minimum 1
sell carol BTC 5 @ 101 fok
> refused place BadField

story terms belong to the next order of their account and are gone after it
# What is not a term takes them away; a refused term breaks all that were gathered.
config unit
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
term alice BTC display 2
pulse
sell alice BTC 5 @ 101
> accepted alice #1 BTC sell 5 @ 101
term alice BTC display 2
sell bob BTC 5 @ 101
> refused place BadField
sell bob BTC 5 @ 101
> accepted bob #2 BTC sell 5 @ 101
term alice BTC display 2
term bob BTC display 2
> refused term BadField
sell alice BTC 5 @ 101
> refused place BadField
term alice BTC display 2
term alice BTC display 3
> refused term BadField
pulse
term alice BTC stop 110 last
term alice BTC trailing 5 mark
> refused term BadField
pulse
term alice BTC protection 5 ticks
term alice BTC protection 5 ppm
> refused term BadField
pulse
term alice BTC display 0
> refused term BadField
pulse
term alice BTC stop 10001 last
> refused term BadField
pulse
term alice BTC stop 110 =3
> refused term BadField
pulse
term alice BTC code 10 flags 0 order 0 price 0 qty 1 amount 0
> refused term BadField
pulse
term alice BTC other #0
> refused term BadField
pulse
term alice =7 display 2
> refused term UnknownMarket
term =9 BTC display 2
> refused term UnknownAccount
pulse
term alice BTC display 2
sell alice BTC 5 @ 101 hidden
> refused place BadField
term alice BTC display 2
sell alice BTC 5 @ 101 ioc
> refused place BadField
term alice BTC expiry 5s
sell alice BTC 5 @ 101 ioc
> refused place BadField
term alice BTC other #1
sell alice BTC 5 market
> refused place BadField

story an order is good till its date, in the book or waiting, and what is due goes first
# Two orders end at 10s, in order of acceptance; the command of that time meets what is left.
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
at 1s
term alice BTC expiry 10s
buy alice BTC 5 @ 99
> accepted alice #1 BTC buy 5 @ 99
buy bob BTC 5 @ 99
> accepted bob #2 BTC buy 5 @ 99
term carol BTC expiry 10s
term carol BTC stop 110 last
buy carol BTC 5 market
> accepted carol #3 BTC buy 5 market waiting
> armed carol #3 BTC buy stop 110 last
term alice BTC expiry 1s
buy alice BTC 5 @ 99
> refused place ExpiryPast
at 10s
sell carol BTC 1 @ 99
> cancelled alice #1 BTC buy 5 @ 99 expired
> cancelled carol #3 BTC buy 5 @ 0 expired
> accepted carol #4 BTC sell 1 @ 99
> fill bob #2 BTC buy 1 @ 99 fee 0 maker
> fill carol #4 BTC sell 1 @ 99 fee 0 taker

story a day order ends with the day of its market
# Days end at 10s, 70s, 130s: an order of 10s has the whole next one.
config unit
set markets.BTC.day {"start_ns": 10000000000, "length_ns": 60000000000}
given alice 1000
index BTC 100
> marked BTC 100 index 100
at 10s
buy alice BTC 5 @ 99 day
> accepted alice #1 BTC buy 5 @ 99 day
at 69s
buy alice BTC 5 @ 98 day
> accepted alice #2 BTC buy 5 @ 98 day
at 70s
pulse
> cancelled alice #1 BTC buy 5 @ 99 expired
> cancelled alice #2 BTC buy 5 @ 98 expired
buy alice BTC 1 @ 99 ioc day
> refused place BadField
term alice BTC expiry 100s
buy alice BTC 1 @ 99 day
> refused place BadField

story an order that ends when the auction does takes no part in it
config unit
set markets.BTC.phase "pre_open"
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
phase BTC call_auction until 30s
> phase BTC pre_open to call_auction until 30s
term alice BTC expiry 30s
buy alice BTC 5 @ 101
> accepted alice #1 BTC buy 5 @ 101
sell bob BTC 5 @ 100
> accepted bob #2 BTC sell 5 @ 100
at 30s
pulse
> cancelled alice #1 BTC buy 5 @ 101 expired
> phase BTC call_auction to continuous

story a resting reduce-only order trades what still reduces, and no more
# Alice is long 5. After 4 are sold, 1 of the next 3 still reduces: 2 are cancelled before it trades.
config unit
given alice 1000
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
sell alice BTC 4 @ 105 reduce
> accepted alice #1 BTC sell 4 @ 105 reduce
sell alice BTC 3 @ 106 reduce
> accepted alice #2 BTC sell 3 @ 106 reduce
sell alice BTC 6 @ 107 reduce
> refused place NotReducing
buy carol BTC 7 @ 106
> accepted carol #3 BTC buy 7 @ 106
> fill alice #1 BTC sell 4 @ 105 fee 0 maker
> fill carol #3 BTC buy 4 @ 105 fee 0 taker
> cancelled alice #2 BTC sell 2 @ 106 reduce
> fill alice #2 BTC sell 1 @ 106 fee 0 maker
> fill carol #3 BTC buy 1 @ 106 fee 0 taker
check alice position BTC 0
cancel alice BTC #2
> refused cancel UnknownOrder

story a reduce-only order of a position that is gone falls away when it is met
# Alice has the margin of 5 lots. Reduce-only sells need none; another sell of 11 would make her short 6.
config unit
given alice 50
given bob 1000
given carol 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
sell alice BTC 5 @ 105 reduce
> accepted alice #1 BTC sell 5 @ 105 reduce
sell alice BTC 5 @ 106 reduce
> accepted alice #2 BTC sell 5 @ 106 reduce
sell alice BTC 5 @ 107 reduce
> accepted alice #3 BTC sell 5 @ 107 reduce
sell alice BTC 11 @ 108
> refused place MarginShort
block BTC bob buys 5 @ 100 from alice
> fill bob BTC buy 5 @ 100 block
> fill alice BTC sell 5 @ 100 block
buy carol BTC 3 @ 106
> accepted carol #4 BTC buy 3 @ 106
> cancelled alice #1 BTC sell 5 @ 105 reduce
> cancelled alice #2 BTC sell 5 @ 106 reduce
cancel alice all
> cancelled alice #3 BTC sell 5 @ 107 user

story a fill-or-kill order does not count on orders that may fall away
# Alice's 5 are reduce-only: 3 of Bob are certain. It fills in the order of the book, so Alice's go first. With another leg Bob's are not
# certain any more.
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
sell bob BTC 3 @ 100
> accepted bob #2 BTC sell 3 @ 100
buy carol BTC 4 @ 100 fok
> refused place NotFillable
buy carol BTC 3 @ 100 fok
> accepted carol #3 BTC buy 3 @ 100 fok
> fill alice #1 BTC sell 3 @ 100 fee 0 maker
> fill carol #3 BTC buy 3 @ 100 fee 0 taker
term bob BTC other #2
sell bob BTC 4 @ 101
> accepted bob #4 BTC sell 4 @ 101
buy carol BTC 1 @ 101 fok
> refused place NotFillable

story bands come before the slide, and tighten protection
# 5 % around 100: 120 becomes 105, which would take at 104, so 103. 6 ticks from 101 are 107, and the band ends at 105.
config unit
set breakers [{"name": "band", "markets": [0], "ranges": [{"reference": {"type": "mark"}, "width": {"type": "ppm", "ppm": 50000}}], "test": {"type": "entry"}, "action": {"type": "cap"}}]
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
sell bob BTC 1 @ 104
> accepted bob #1 BTC sell 1 @ 104
buy alice BTC 1 @ 120 post+slide
> bounded alice BTC buy @ 120 capped 105 by band from 100
> accepted alice #2 BTC buy 1 @ 103 post+slide
cancel alice BTC #2
> cancelled alice #2 BTC buy 1 @ 103 user
sell bob BTC 1 @ 101
> accepted bob #3 BTC sell 1 @ 101
sell bob BTC 1 @ 106
> accepted bob #4 BTC sell 1 @ 106
term alice BTC protection 6 ticks
buy alice BTC 3 market
> accepted alice #5 BTC buy 3 market
> fill bob #3 BTC sell 1 @ 101 fee 0 maker
> fill alice #5 BTC buy 1 @ 101 fee 0 taker
> fill bob #1 BTC sell 1 @ 104 fee 0 maker
> fill alice #5 BTC buy 1 @ 104 fee 0 taker
> cancelled alice #5 BTC buy 1 @ 0 rest

story a replace keeps the display and the condition of its order
# The iceberg shows 3 again at its new price. A reduce-only order may not outgrow the position.
config unit
given alice 1000
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 5 @ 100 from bob
> fill alice BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
term bob BTC display 3
sell bob BTC 10 @ 105
> accepted bob #1 BTC sell 10 @ 105
> shown bob #1 BTC sell 3 @ 105 behind 7
replace bob BTC #1 with 8 @ 104
> replaced bob #1 BTC sell 8 @ 104 moved
> shown bob #1 BTC sell 3 @ 104 behind 5
sell alice BTC 3 @ 106 reduce
> accepted alice #2 BTC sell 3 @ 106 reduce
replace alice BTC #2 with 6 @ 106
> refused replace NotReducing
replace alice BTC #2 with 5 @ 107
> replaced alice #2 BTC sell 5 @ 107 moved
