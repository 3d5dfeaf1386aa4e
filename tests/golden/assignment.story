# Volunteers take over what the book leaves. In each, Alice holds 10 lots from 100 with 100 of her own. At 85 she has -50 and her bankruptcy
# price is 90; at 93 she has 30 and needs 47.

story volunteers are assigned in the order of joining, each what it is ready to take
# Dave joined first. Carol's place is not lost by another number of lots. What is left goes to winners.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "assignment": {"price": "bankruptcy", "order": "queue", "stage": "before_fund"}}
given alice 100
given bob 1000
given carol 1000
given dave 1000
volunteer dave BTC 3
> volunteers dave BTC 3
volunteer carol BTC 6
> volunteers carol BTC 6
volunteer dave BTC 4
> volunteers dave BTC 4
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
volunteer carol BTC 5
> volunteers carol BTC 5
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -50 below 43
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 10 @ 90 rest
> assigned alice BTC sell 4 @ 90 to dave leaves 0
> assigned alice BTC sell 5 @ 90 to carol leaves 0
> assignment-rest alice BTC 1
> adl alice BTC sell 1 @ 90
> adl-fill bob BTC buy 1 @ 90 gives 5
> ended alice closed equity 0
check alice balance 0
check dave position BTC 4
check dave equity 980
check carol position BTC 5
check bob position BTC -9

story who has taken its lots is a volunteer no more, and joins at the end
# Carol took her lot; when she joins again Dave is before her.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "assignment": {"price": "bankruptcy", "order": "queue", "stage": "before_fund"}}
given alice 100
given bob 1000
given carol 1000
given dave 1000
given erin 58
volunteer carol BTC 10
> volunteers carol BTC 10
volunteer dave BTC 2
> volunteers dave BTC 2
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
block BTC erin buys 5 @ 100 from bob
> fill erin BTC buy 5 @ 100 block
> fill bob BTC sell 5 @ 100 block
index BTC 93
> marked BTC 93 index 93
> liquidation alice equity 30 below 47
> liquidation erin equity 23 below 24
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 10 @ 90 rest
> assigned alice BTC sell 10 @ 90 to carol leaves 0
> ended alice closed equity 0
volunteer carol BTC 5
> volunteers carol BTC 5
pulse
> closing erin #2 BTC sell 5 @ 89 bankruptcy 89 own
> cancelled erin #2 BTC sell 5 @ 89 rest
> assigned erin BTC sell 2 @ 89 to dave leaves 0
> assigned erin BTC sell 3 @ 89 to carol leaves 2
> ended erin closed equity 3

story lots are assigned in proportion to what volunteers are ready to take
# 10 lots over 12 and 6: 6.67 and 3.33, by largest remainder 7 and 3.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "assignment": {"price": "bankruptcy", "order": "pro_rata", "stage": "before_fund"}}
given alice 100
given bob 1000
given carol 1000
given dave 1000
volunteer dave BTC 12
> volunteers dave BTC 12
volunteer carol BTC 6
> volunteers carol BTC 6
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
> assigned alice BTC sell 3 @ 90 to carol leaves 3
> assigned alice BTC sell 7 @ 90 to dave leaves 5
> ended alice closed equity 0

story a volunteer takes no more than its margin carries
# At 85 a lot taken at 90 loses 5 and needs 8.5: Carol's 30 carry two (20 against 17), not three (15 against 26). Who has left the list is not asked, nor is Alice herself.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "assignment": {"price": "bankruptcy", "order": "pro_rata", "stage": "before_fund"}}
given alice 100
given bob 1000
given carol 30
given dave 1000
volunteer dave BTC 3
> volunteers dave BTC 3
volunteer carol BTC 6
> volunteers carol BTC 6
volunteer alice BTC 6
> volunteers alice BTC 6
volunteer bob BTC 6
> volunteers bob BTC 6
volunteer bob BTC 0
> volunteers bob BTC 0
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
> assigned alice BTC sell 2 @ 90 to carol leaves 4
> assigned alice BTC sell 3 @ 90 to dave leaves 0
> assignment-rest alice BTC 5
> adl alice BTC sell 5 @ 90
> adl-fill bob BTC buy 5 @ 90 gives 25
> ended alice closed equity 0

story at the mark the fund pays the difference for as many lots as it can
# 5 a lot: the fund's 20 pay for four.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "assignment": {"price": "mark", "order": "queue", "stage": "before_fund"}}
given alice 100
given bob 1000
given carol 1000
fund main 20
> funded main 20
volunteer carol BTC 9
> volunteers carol BTC 9
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
> assigned alice BTC sell 4 @ 85 to carol leaves 5
> fund-paid main alice BTC 20
> assignment-rest alice BTC 6
> adl alice BTC sell 6 @ 90
> adl-fill bob BTC buy 6 @ 90 gives 30
> ended alice closed equity 0
check funds 0
check carol equity 1000

story volunteers may be the last before winners
# The fund backs a sale of two lots at 85 first.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "assignment": {"price": "bankruptcy", "order": "queue", "stage": "after_fund"}}
given alice 100
given bob 1000
given carol 1000
given dave 1000
fund main 10
> funded main 10
volunteer carol BTC 9
> volunteers carol BTC 9
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
buy dave BTC 10 @ 85
> accepted dave #1 BTC buy 10 @ 85
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -50 below 43
> closing alice #2 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #2 BTC sell 10 @ 90 rest
> closing alice #3 BTC sell 10 @ 77 bankruptcy 90 backed
> fill dave #1 BTC buy 2 @ 85 fee 0 maker
> fill alice #3 BTC sell 2 @ 85 fee 0 closing
> cancelled alice #3 BTC sell 8 @ 77 rest
> fund-paid main alice BTC 10
> assigned alice BTC sell 8 @ 90 to carol leaves 1
> ended alice closed equity 0

story a short's volunteers buy nothing: they sell
# Alice is short: at 115 she has -50, and her bankruptcy price is 110. A volunteer takes the short over.
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "assignment": {"price": "bankruptcy", "order": "queue", "stage": "before_fund"}}
given alice 100
given bob 1000
given carol 1000
volunteer carol BTC 10
> volunteers carol BTC 10
index BTC 100
> marked BTC 100 index 100
block BTC bob buys 10 @ 100 from alice
> fill bob BTC buy 10 @ 100 block
> fill alice BTC sell 10 @ 100 block
index BTC 115
> marked BTC 115 index 115
> liquidation alice equity -50 below 58
> closing alice #1 BTC buy 10 @ 110 bankruptcy 110 own
> cancelled alice #1 BTC buy 10 @ 110 rest
> assigned alice BTC buy 10 @ 110 to carol leaves 0
> ended alice closed equity 0
check carol position BTC -10
check carol equity 950

story who may volunteer, and for how much
config unit
set markets.BTC.liquidation {"enabled": true, "slice_ppm": 1000000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0, "fund_limit_ppm": 100000, "assignment": {"price": "bankruptcy", "order": "queue", "stage": "before_fund"}}
given alice 100
volunteer alice ETH 1
> refused volunteer BadField
volunteer alice BTC 1001
> refused volunteer QtyOutOfRange
volunteer alice BTC -1
> refused volunteer QtyOutOfRange
volunteer alice BTC 1000
> volunteers alice BTC 1000
