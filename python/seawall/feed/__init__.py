r"""Recorded feeds: read a recording of an exchange's order book and let it stand in a venue.

A recording is text, plain or gzip; each line is ``<local receive ns> <raw websocket JSON>`` in the format of
Binance (USD-M, COIN-M, spot). The format, the exchange's rules of sequence and what is done where a recording is
incomplete are in docs/feeds.md.

Examples
--------
>>> import json, tempfile
>>> from pathlib import Path
>>> from seawall import feed
>>> snapshot = {"lastUpdateId": 7, "bids": [["99.5", "2"]], "asks": [["100.0", "1"], ["100.5", "4"]]}
>>> with tempfile.TemporaryDirectory() as folder:
...     path = Path(folder, "tiny.txt")
...     written = path.write_text(f"1723161255319702566 {json.dumps(snapshot)}\n")
...     run = feed.replay(path)
>>> run.ok, run.levels_compared, run.touch
(True, 3, {'bid': '99.5', 'bid_qty': '2', 'ask': '100.0', 'ask_qty': '1'})
"""

from seawall.feed.book import RecordedBook, info, read
from seawall.feed.command import app
from seawall.feed.messages import DepthSnapshot, DepthUpdate, FeedError, Gap, Message, Other, Quote, Trade
from seawall.feed.street import FeedRun, replay

__all__ = [
    "DepthSnapshot",
    "DepthUpdate",
    "FeedError",
    "FeedRun",
    "Gap",
    "Message",
    "Other",
    "Quote",
    "RecordedBook",
    "Trade",
    "app",
    "info",
    "read",
    "replay",
]
