# Auto-deleveraging (ADL) that is planned from outside: the waterfall waits for a plan, checks it as a whole, or falls back.

story a plan closes who it names, and the round goes on from there
# As in adl.story: Alice is bankrupt at 90 and 10 lots are left. The plan passes over Carol, whom the queue would take first. What it leaves
# stays open: Alice has -46 + 6 x 5 = -16 and needs 17. The next round asks again, of Carol alone; nobody plans, and the queue closes her at 85 + 4.
config unit
set markets.BTC.adl {"enabled": true, "method": "external", "plan_fallback": "queue", "price": "bankruptcy", "band_ppm": null}
given alice 100
given bob 1000
given carol 100
given dave 100
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 4 @ 100 from bob
> fill alice BTC buy 4 @ 100 block
> fill bob BTC sell 4 @ 100 block
block BTC alice buys 4 @ 100 from carol
> fill alice BTC buy 4 @ 100 block
> fill carol BTC sell 4 @ 100 block
block BTC alice buys 2 @ 98 from dave
> fill alice BTC buy 2 @ 98 block
> fill dave BTC sell 2 @ 98 block
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -46 below 43
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 10 @ 90 rest
> adl-asked alice BTC sell 10 @ 90 round 1 of 3
plan BTC round 1 begin
plan BTC round 1 bob 4
plan BTC round 1 dave 2
plan BTC round 1 commit
> adl-planned alice BTC round 1 6 in 2
> adl alice BTC sell 10 @ 90
> adl-fill bob BTC buy 4 @ 90 gives 20
> adl-fill dave BTC buy 2 @ 90 gives 10
> adl-rest alice BTC 4
check alice equity -16
pulse
> closing alice #2 BTC sell 4 @ 89 bankruptcy 89 own
> cancelled alice #2 BTC sell 4 @ 89 rest
> adl-asked alice BTC sell 4 @ 89 round 2 of 1
plan BTC round 2 fallback
> adl-planned alice BTC round 2 fallback
> adl alice BTC sell 4 @ 89
> adl-fill carol BTC buy 4 @ 89 gives 16
> ended alice closed equity 0

story while a plan is awaited only the plan, cancels and time are admitted
config unit
set markets.BTC.adl {"enabled": true, "method": "external", "plan_fallback": "queue", "price": "bankruptcy", "band_ppm": null}
given alice 100
given bob 1000
given carol 100
given dave 100
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 4 @ 100 from bob
> fill alice BTC buy 4 @ 100 block
> fill bob BTC sell 4 @ 100 block
block BTC alice buys 4 @ 100 from carol
> fill alice BTC buy 4 @ 100 block
> fill carol BTC sell 4 @ 100 block
block BTC alice buys 2 @ 98 from dave
> fill alice BTC buy 2 @ 98 block
> fill dave BTC sell 2 @ 98 block
sell bob BTC 1 @ 120
> accepted bob #1 BTC sell 1 @ 120
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -46 below 43
> closing alice #2 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #2 BTC sell 10 @ 90 rest
> adl-asked alice BTC sell 10 @ 90 round 1 of 3
sell bob BTC 1 @ 120
> refused place AwaitingPlan
deposit alice 100 USD
> refused deposit AwaitingPlan
index BTC 86
> refused index AwaitingPlan
index ETH 86
> refused index AwaitingPlan
phase BTC halted
> refused phase AwaitingPlan
pulse
cancel bob BTC #1
> cancelled bob #1 BTC sell 1 @ 120 user
cancel bob all
at 1s
plan BTC round 1 fallback
> adl-planned alice BTC round 1 fallback
> adl alice BTC sell 10 @ 90
> adl-fill carol BTC buy 4 @ 90 gives 20
> adl-fill dave BTC buy 2 @ 90 gives 10
> adl-fill bob BTC buy 4 @ 90 gives 20
> ended alice closed equity 4
plan BTC round 1 fallback
> refused plan_commit NoPlanAwaited

story a plan that cannot be carried out is refused as a whole, and the venue goes on waiting
# Carol may be closed for 4 lots. Bob gives up his whole equity only at 1060 / 5 lots, so his position binds him. Alice and Erin are no candidates.
config unit
set markets.BTC.adl {"enabled": true, "method": "external", "plan_fallback": "queue", "price": "bankruptcy", "band_ppm": null}
given alice 100
given bob 1000
given carol 100
given dave 100
given erin 100
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 4 @ 100 from bob
> fill alice BTC buy 4 @ 100 block
> fill bob BTC sell 4 @ 100 block
block BTC alice buys 4 @ 100 from carol
> fill alice BTC buy 4 @ 100 block
> fill carol BTC sell 4 @ 100 block
block BTC alice buys 2 @ 98 from dave
> fill alice BTC buy 2 @ 98 block
> fill dave BTC sell 2 @ 98 block
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -46 below 43
> closing alice #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 10 @ 90 rest
> adl-asked alice BTC sell 10 @ 90 round 1 of 3
plan BTC round 1 commit
> refused plan_commit BadField
plan BTC round 1 bob 1
> refused plan_row BadField
plan BTC round 2 begin
> refused plan_begin NoPlanAwaited
plan ETH round 1 begin
> refused plan_begin NoPlanAwaited
plan BTC round 1 begin
plan BTC round 1 bob 4
plan BTC round 1 carol 5
plan BTC round 1 commit
> refused plan_commit PlanBeyondCap
plan BTC round 1 begin
plan BTC round 1 bob 0
plan BTC round 1 commit
> refused plan_commit PlanBeyondCap
plan BTC round 1 begin
plan BTC round 1 bob 1
plan BTC round 1 bob 1
plan BTC round 1 commit
> refused plan_commit PlanNotCandidate
plan BTC round 1 begin
plan BTC round 1 alice 1
plan BTC round 1 commit
> refused plan_commit PlanNotCandidate
plan BTC round 1 begin
plan BTC round 1 erin 1
plan BTC round 1 commit
> refused plan_commit PlanNotCandidate
check bob position BTC -4
plan BTC round 1 begin
plan BTC round 1 commit
> adl-planned alice BTC round 1 0 in 0
> adl alice BTC sell 10 @ 90
> adl-rest alice BTC 10
check alice equity -46

story the lots of a round bind a plan, and its rows are closed in their order
# A round closes 7 of Alice's 10 lots. Bob has 100 + 4 x 15 = 160 at 85 after his withdrawal, and a lot costs him 5: his position binds him, not his equity.
config unit
set markets.BTC.adl {"enabled": true, "method": "external", "plan_fallback": "queue", "price": "bankruptcy", "band_ppm": null}
set markets.BTC.liquidation.slice_ppm 700000
given alice 100
given bob 1000
given carol 100
given dave 100
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 4 @ 100 from bob
> fill alice BTC buy 4 @ 100 block
> fill bob BTC sell 4 @ 100 block
block BTC alice buys 4 @ 100 from carol
> fill alice BTC buy 4 @ 100 block
> fill carol BTC sell 4 @ 100 block
block BTC alice buys 2 @ 98 from dave
> fill alice BTC buy 2 @ 98 block
> fill dave BTC sell 2 @ 98 block
withdraw bob 900 USD
> withdrawn bob 900 USD
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -46 below 43
> closing alice #1 BTC sell 7 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 7 @ 90 rest
> adl-asked alice BTC sell 7 @ 90 round 1 of 3
plan BTC round 1 begin
plan BTC round 1 bob 4
plan BTC round 1 carol 4
plan BTC round 1 commit
> refused plan_commit PlanTooLarge
plan BTC round 1 begin
plan BTC round 1 carol 4
plan BTC round 1 bob 3
plan BTC round 1 commit
> adl-planned alice BTC round 1 7 in 2
> adl alice BTC sell 7 @ 90
> adl-fill carol BTC buy 4 @ 90 gives 20
> adl-fill bob BTC buy 3 @ 90 gives 15
check alice position BTC 3

story what a plan closes counts in its period, and its round is over when it is carried out
# A fifth of 10 lots is 2 in 10 s. The gate closes for longer where a round ends with Alice below zero: at 1 s, not when the plan is asked for at 0.5 s.
config unit
set block_limits {"period_ns": 10000000000, "position": {"share_ppm": 200000, "notional_min": 1}, "account_notional": null, "account_fund_loss": null, "rounds": null, "adl_rounds": null}
set withdrawal_gate {"duration_ns": 50000000000, "trigger": "negative_equity"}
set markets.BTC.adl {"enabled": true, "method": "external", "plan_fallback": "queue", "price": "bankruptcy", "band_ppm": null}
given alice 100
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
phase BTC pause
> phase BTC continuous to pause
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -50 below 43
> gated alice until 50s
phase BTC continuous
> phase BTC pause to continuous
at 500ms
index BTC 85
> marked BTC 85 index 85
> limited alice BTC position 8
> closing alice #1 BTC sell 2 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 2 @ 90 rest
> adl-asked alice BTC sell 2 @ 90 round 1 of 1
at 1s
plan BTC round 1 begin
plan BTC round 1 bob 2
plan BTC round 1 commit
> adl-planned alice BTC round 1 2 in 1
> adl alice BTC sell 2 @ 90
> adl-fill bob BTC buy 2 @ 90 gives 10
> gated alice until 51s
pulse
> limited alice BTC position 8

story a plan that is carried out after the end of its period counts in the one in which it was asked for
# The plan is asked for in the first 10 s and carried out in the second, of which a fifth of the 8 lots that are left are 1.6, up to 2.
config unit
set block_limits {"period_ns": 10000000000, "position": {"share_ppm": 200000, "notional_min": 1}, "account_notional": null, "account_fund_loss": null, "rounds": null, "adl_rounds": null}
set markets.BTC.adl {"enabled": true, "method": "external", "plan_fallback": "queue", "price": "bankruptcy", "band_ppm": null}
given alice 100
given bob 1000
index BTC 100
> marked BTC 100 index 100
block BTC alice buys 10 @ 100 from bob
> fill alice BTC buy 10 @ 100 block
> fill bob BTC sell 10 @ 100 block
at 9s
index BTC 85
> marked BTC 85 index 85
> liquidation alice equity -50 below 43
> limited alice BTC position 8
> closing alice #1 BTC sell 2 @ 90 bankruptcy 90 own
> cancelled alice #1 BTC sell 2 @ 90 rest
> adl-asked alice BTC sell 2 @ 90 round 1 of 1
at 10s
plan BTC round 1 begin
plan BTC round 1 bob 2
plan BTC round 1 commit
> adl-planned alice BTC round 1 2 in 1
> adl alice BTC sell 2 @ 90
> adl-fill bob BTC buy 2 @ 90 gives 10
pulse
> limited alice BTC position 6
> closing alice #2 BTC sell 2 @ 90 bankruptcy 90 own
> cancelled alice #2 BTC sell 2 @ 90 rest
> adl-asked alice BTC sell 2 @ 90 round 2 of 1

story a plan is not asked of those whom the rule leaves alone
# Bob is of Ann's group, which is exempt: only Carol is a candidate, and a plan that names Bob is refused.
config unit
set markets.BTC.adl {"enabled": true, "method": "external", "plan_fallback": "queue", "price": "bankruptcy", "band_ppm": null, "exempt": ["group"]}
open group 7 ann
> opened ann
open group 7 bob
> opened bob
given carol 1000
deposit ann 100 USD
> deposited ann 100 USD
deposit bob 400 USD
> deposited bob 400 USD
index BTC 100
> marked BTC 100 index 100
block BTC ann buys 4 @ 100 from bob
> fill ann BTC buy 4 @ 100 block
> fill bob BTC sell 4 @ 100 block
block BTC ann buys 6 @ 100 from carol
> fill ann BTC buy 6 @ 100 block
> fill carol BTC sell 6 @ 100 block
index BTC 85
> marked BTC 85 index 85
> liquidation ann equity -50 below 43
> closing ann #1 BTC sell 10 @ 90 bankruptcy 90 own
> cancelled ann #1 BTC sell 10 @ 90 rest
> adl-asked ann BTC sell 10 @ 90 round 1 of 1
plan BTC round 1 begin
plan BTC round 1 bob 4
plan BTC round 1 commit
> refused plan_commit PlanNotCandidate
plan BTC round 1 fallback
> adl-planned ann BTC round 1 fallback
> adl ann BTC sell 10 @ 90
> adl-fill carol BTC buy 6 @ 90 gives 30
> adl-rest ann BTC 4
