"""Send orders to a venue, read the events, and go on from a snapshot."""

import seawall
from seawall import OrderType, Phase, Side, commands


def main() -> None:
    """Open two accounts, trade, and restore."""
    venue = seawall.Venue("reference")
    profile = venue.profile
    assert profile is not None  # noqa: S101 - the venue was made from one
    btc = profile.market("BTC")
    setup = commands.batch(
        commands.open_account(at=1, count=2),
        commands.deposit(at=1, account=[0, 1], amount=profile.amount("100000")),
        commands.index(at=1, market=0, price=btc.ticks("60000")),
        commands.set_phase(at=1, market=0, phase=Phase.CONTINUOUS),
    )
    venue.apply(setup)
    quotes = commands.place(at=2, market=0, account=0, side=Side.SELL, price=[600_100, 600_200], qty=btc.lots("0.5"))
    taker = commands.place(at=3, market=0, account=1, side=Side.BUY, qty=btc.lots("0.75"), order_type=OrderType.MARKET)
    events = seawall.EventTable(venue.apply(commands.batch(quotes, taker)))
    fills = events.of("fill")
    for account, price, qty in zip(fills["account"], fills["price"], fills["qty"], strict=True):
        print(f"account {account}: {btc.lot_size * int(qty)} BTC at {btc.price(int(price))}")

    again = seawall.Venue.restore(venue.snapshot())
    tail = commands.index(at=4, market=0, price=btc.ticks("59000"))
    print("same events after a restore:", bool((venue.apply(tail) == again.apply(tail)).all()))
    print("same digest:", venue.digest() == again.digest())


if __name__ == "__main__":
    main()
