# Who is filled at a price where orders are shared out.

story pro rata shares out in proportion, and what is left over goes longest resting first
# 10 for 10, 20 and 30: 1 and 2/3, 3 and 1/3, 5. The tenth goes to Alice. 60 are more than the 50 that are left: all are filled.
config unit
set markets.BTC.allocation {"type": "pro_rata", "top_order": false, "lead": [], "fifo_ppm": 0, "minimum": 1}
given alice 1000
given bob 1000
given carol 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 10 @ 100
> accepted alice #1 BTC sell 10 @ 100
sell bob BTC 20 @ 100
> accepted bob #2 BTC sell 20 @ 100
sell carol BTC 30 @ 100
> accepted carol #3 BTC sell 30 @ 100
buy dave BTC 10 @ 100
> accepted dave #4 BTC buy 10 @ 100
> fill alice #1 BTC sell 2 @ 100 fee 0 maker
> fill dave #4 BTC buy 2 @ 100 fee 0 taker
> fill bob #2 BTC sell 3 @ 100 fee 0 maker
> fill dave #4 BTC buy 3 @ 100 fee 0 taker
> fill carol #3 BTC sell 5 @ 100 fee 0 maker
> fill dave #4 BTC buy 5 @ 100 fee 0 taker
buy dave BTC 60 @ 100
> accepted dave #5 BTC buy 60 @ 100
> fill alice #1 BTC sell 8 @ 100 fee 0 maker
> fill dave #5 BTC buy 8 @ 100 fee 0 taker
> fill bob #2 BTC sell 17 @ 100 fee 0 maker
> fill dave #5 BTC buy 17 @ 100 fee 0 taker
> fill carol #3 BTC sell 25 @ 100 fee 0 maker
> fill dave #5 BTC buy 25 @ 100 fee 0 taker

story a share below the minimum is nothing
# 1 and 3 are below 4: Carol has her 5, and the 5 left over go to Alice.
config unit
set markets.BTC.allocation {"type": "pro_rata", "top_order": false, "lead": [], "fifo_ppm": 0, "minimum": 4}
given alice 1000
given bob 1000
given carol 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 10 @ 100
> accepted alice #1 BTC sell 10 @ 100
sell bob BTC 20 @ 100
> accepted bob #2 BTC sell 20 @ 100
sell carol BTC 30 @ 100
> accepted carol #3 BTC sell 30 @ 100
buy dave BTC 10 @ 100
> accepted dave #4 BTC buy 10 @ 100
> fill alice #1 BTC sell 5 @ 100 fee 0 maker
> fill dave #4 BTC buy 5 @ 100 fee 0 taker
> fill carol #3 BTC sell 5 @ 100 fee 0 maker
> fill dave #4 BTC buy 5 @ 100 fee 0 taker

story the top order comes first, until a better one is top
# Alice made the price and has her 4 of 10. After Carol's better order she is not top any more: of 11 she has 11 x 4 / 44 = 1.
config unit
set markets.BTC.allocation {"type": "pro_rata", "top_order": true, "lead": [], "fifo_ppm": 0, "minimum": 1}
given alice 1000
given bob 1000
given carol 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 4 @ 100
> accepted alice #1 BTC sell 4 @ 100
sell bob BTC 40 @ 100
> accepted bob #2 BTC sell 40 @ 100
buy dave BTC 10 @ 100
> accepted dave #3 BTC buy 10 @ 100
> fill alice #1 BTC sell 4 @ 100 fee 0 maker
> fill dave #3 BTC buy 4 @ 100 fee 0 taker
> fill bob #2 BTC sell 6 @ 100 fee 0 maker
> fill dave #3 BTC buy 6 @ 100 fee 0 taker
cancel bob BTC #2
> cancelled bob #2 BTC sell 34 @ 100 user
sell alice BTC 4 @ 100
> accepted alice #4 BTC sell 4 @ 100
sell bob BTC 40 @ 100
> accepted bob #5 BTC sell 40 @ 100
sell carol BTC 5 @ 99
> accepted carol #6 BTC sell 5 @ 99
cancel carol BTC #6
> cancelled carol #6 BTC sell 5 @ 99 user
buy dave BTC 11 @ 100
> accepted dave #7 BTC buy 11 @ 100
> fill alice #4 BTC sell 1 @ 100 fee 0 maker
> fill dave #7 BTC buy 1 @ 100 fee 0 taker
> fill bob #5 BTC sell 10 @ 100 fee 0 maker
> fill dave #7 BTC buy 10 @ 100 fee 0 taker

story a lead market maker has a share before the others, and takes part with the rest
# 30 % of 20 are 6 for Bob. 14 for 10, 24 and 60: 1, 3, 8, and 2 left over to Alice.
config unit
set markets.BTC.allocation {"type": "pro_rata", "top_order": false, "lead": [{"account": 1, "share_ppm": 300000}], "fifo_ppm": 0, "minimum": 1}
given alice 1000
given bob 1000
given carol 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 10 @ 100
> accepted alice #1 BTC sell 10 @ 100
sell bob BTC 30 @ 100
> accepted bob #2 BTC sell 30 @ 100
sell carol BTC 60 @ 100
> accepted carol #3 BTC sell 60 @ 100
buy dave BTC 20 @ 100
> accepted dave #4 BTC buy 20 @ 100
> fill alice #1 BTC sell 3 @ 100 fee 0 maker
> fill dave #4 BTC buy 3 @ 100 fee 0 taker
> fill bob #2 BTC sell 9 @ 100 fee 0 maker
> fill dave #4 BTC buy 9 @ 100 fee 0 taker
> fill carol #3 BTC sell 8 @ 100 fee 0 maker
> fill dave #4 BTC buy 8 @ 100 fee 0 taker

story a part goes longest resting first before the rest is shared out
# 40 % of 20 are 8 for Alice. 12 for her last 2, 30 and 60: 0, 3, 7, and 2 left over to Alice.
config unit
set markets.BTC.allocation {"type": "pro_rata", "top_order": false, "lead": [], "fifo_ppm": 400000, "minimum": 1}
given alice 1000
given bob 1000
given carol 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 10 @ 100
> accepted alice #1 BTC sell 10 @ 100
sell bob BTC 30 @ 100
> accepted bob #2 BTC sell 30 @ 100
sell carol BTC 60 @ 100
> accepted carol #3 BTC sell 60 @ 100
buy dave BTC 20 @ 100
> accepted dave #4 BTC buy 20 @ 100
> fill alice #1 BTC sell 10 @ 100 fee 0 maker
> fill dave #4 BTC buy 10 @ 100 fee 0 taker
> fill bob #2 BTC sell 3 @ 100 fee 0 maker
> fill dave #4 BTC buy 3 @ 100 fee 0 taker
> fill carol #3 BTC sell 7 @ 100 fee 0 maker
> fill dave #4 BTC buy 7 @ 100 fee 0 taker

story hidden orders are shared out among themselves, after the shown ones
# 5 shown, then 8 for 10 and 30: 2 and 6.
config unit
set markets.BTC.allocation {"type": "pro_rata", "top_order": false, "lead": [], "fifo_ppm": 0, "minimum": 1}
given alice 1000
given bob 1000
given carol 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
sell bob BTC 10 @ 100 hidden
> accepted bob #1 BTC sell 10 @ 100 hidden
sell carol BTC 30 @ 100 hidden
> accepted carol #2 BTC sell 30 @ 100 hidden
sell alice BTC 5 @ 100
> accepted alice #3 BTC sell 5 @ 100
buy dave BTC 13 @ 100
> accepted dave #4 BTC buy 13 @ 100
> fill alice #3 BTC sell 5 @ 100 fee 0 maker
> fill dave #4 BTC buy 5 @ 100 fee 0 taker
> fill bob #1 BTC sell 2 @ 100 fee 0 maker
> fill dave #4 BTC buy 2 @ 100 fee 0 taker
> fill carol #2 BTC sell 6 @ 100 fee 0 maker
> fill dave #4 BTC buy 6 @ 100 fee 0 taker

story own orders at a price are dealt with before it is shared out
# Dave's own order rests last, and still ends what he sends and what may be counted. Once it is gone, 12 for 10 and 20 are 4 and 8.
config unit
set markets.BTC.allocation {"type": "pro_rata", "top_order": false, "lead": [], "fifo_ppm": 0, "minimum": 1}
given alice 1000
given bob 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
sell alice BTC 10 @ 100
> accepted alice #1 BTC sell 10 @ 100
sell bob BTC 20 @ 100
> accepted bob #2 BTC sell 20 @ 100
sell dave BTC 30 @ 100
> accepted dave #3 BTC sell 30 @ 100
buy dave BTC 12 @ 100 newest
> accepted dave #4 BTC buy 12 @ 100 newest
> cancelled dave #4 BTC buy 12 @ 100 self
buy dave BTC 5 @ 100 fok newest
> refused place NotFillable
buy dave BTC 12 @ 100 oldest
> accepted dave #5 BTC buy 12 @ 100 oldest
> cancelled dave #3 BTC sell 30 @ 100 self
> fill alice #1 BTC sell 4 @ 100 fee 0 maker
> fill dave #5 BTC buy 4 @ 100 fee 0 taker
> fill bob #2 BTC sell 8 @ 100 fee 0 maker
> fill dave #5 BTC buy 8 @ 100 fee 0 taker

story what is left after the shown lots are filled is shared out anew
# 9 against 2 + 4 shown: all are filled. 3 against Alice's next 2: filled. 1 against the 2 after them.
config unit
set markets.BTC.allocation {"type": "pro_rata", "top_order": false, "lead": [], "fifo_ppm": 0, "minimum": 1}
given alice 1000
given bob 1000
given dave 1000
index BTC 100
> marked BTC 100 index 100
term alice BTC display 2
sell alice BTC 10 @ 100
> accepted alice #1 BTC sell 10 @ 100
> shown alice #1 BTC sell 2 @ 100 behind 8
sell bob BTC 4 @ 100
> accepted bob #2 BTC sell 4 @ 100
buy dave BTC 9 @ 100
> accepted dave #3 BTC buy 9 @ 100
> fill alice #1 BTC sell 2 @ 100 fee 0 maker
> fill dave #3 BTC buy 2 @ 100 fee 0 taker
> shown alice #1 BTC sell 2 @ 100 behind 6
> fill bob #2 BTC sell 4 @ 100 fee 0 maker
> fill dave #3 BTC buy 4 @ 100 fee 0 taker
> fill alice #1 BTC sell 2 @ 100 fee 0 maker
> fill dave #3 BTC buy 2 @ 100 fee 0 taker
> shown alice #1 BTC sell 2 @ 100 behind 4
> fill alice #1 BTC sell 1 @ 100 fee 0 maker
> fill dave #3 BTC buy 1 @ 100 fee 0 taker
